// @ts-check
/**
 * Brings what is on the screen to what it should be and touches nothing that is so already: focus, scroll position,
 * selection and open details stay. Elements are known again by `data-key`; one with `data-whole` is kept while that is
 * the same, and replaced otherwise; one with `data-live` is told when it came or changed.
 */

/** @typedef {{came: HTMLElement[], changed: HTMLElement[]}} News */

const FRESH_MS = 4000;
const OURS = new Set(["data-fresh", "open"]); // marks of the present, which no new content knows

/**
 * @param {Element} place
 * @param {Node[]} wanted its content from now on
 * @returns {News}
 */
export function patch(place, wanted) {
  /** @type {News} */
  const news = { came: [], changed: [] };
  const focused = document.activeElement;
  patchChildren(place, wanted, news);
  // A row that moved keeps the focus it had; one that is gone cannot.
  if (focused instanceof HTMLElement && focused.isConnected && focused !== document.activeElement) {
    focused.focus({ preventScroll: true });
  }
  return news;
}

/** @param {HTMLElement[]} elements shown as new for a moment */
export function highlight(elements) {
  for (const element of elements) {
    element.removeAttribute("data-fresh");
    void element.offsetWidth; // so that the animation begins again
    element.setAttribute("data-fresh", "");
    setTimeout(() => element.removeAttribute("data-fresh"), FRESH_MS);
  }
}

/** @param {Node | null} node */
const keyOf = (node) => (node instanceof Element ? node.getAttribute("data-key") : null);

/** @param {Node | null} old @param {Node} node */
const isAlike = (old, node) => old !== null && old.nodeName === node.nodeName && keyOf(old) === null && keyOf(node) === null;

/**
 * @param {Element} place
 * @param {Node[]} wanted
 * @param {News} news
 * @returns {boolean} whether anything changed
 */
function patchChildren(place, wanted, news) {
  const keys = new Set(wanted.map(keyOf));
  /** @type {Map<string, Node>} */
  const keyed = new Map();
  let isChanged = false;
  for (const child of [...place.children]) {
    const key = keyOf(child);
    if (key === null) continue;
    if (keys.has(key)) keyed.set(key, child);
    else isChanged = (child.remove(), true);
  }
  let next = place.firstChild;
  for (const node of wanted) {
    const key = keyOf(node);
    const old = key !== null ? keyed.get(key) : isAlike(next, node) ? next : undefined;
    if (!old) {
      place.insertBefore(node, next);
      if (isLive(node)) news.came.push(node);
      isChanged = true;
    } else {
      if (old === next) next = next.nextSibling;
      else isChanged = (place.insertBefore(old, next), true);
      isChanged = patchNode(old, node, news) || isChanged;
    }
  }
  while (next) {
    const gone = next;
    next = next.nextSibling;
    place.removeChild(gone);
    isChanged = true;
  }
  return isChanged;
}

/**
 * @param {Node} old
 * @param {Node} node
 * @param {News} news
 * @returns {boolean} whether anything changed
 */
function patchNode(old, node, news) {
  if (old === node || old.isEqualNode(node)) return false;
  if (!(old instanceof Element && node instanceof Element)) {
    old.nodeValue = node.nodeValue;
    return true;
  }
  const whole = node.getAttribute("data-whole");
  if (whole !== null) {
    if (whole === old.getAttribute("data-whole")) return false;
    replace(old, node);
    return true;
  }
  const isOther = patchAttributes(old, node);
  const isChanged = patchChildren(old, [...node.childNodes], news) || isOther;
  if (isChanged && isLive(old)) news.changed.push(old);
  return isChanged;
}

const CONTROLS = "a[href], button, input, select, summary";

/** @param {Element} old @param {Element} node takes its place, and the focus if one of its controls had it */
function replace(old, node) {
  const focused = [...old.querySelectorAll(CONTROLS)].findIndex((control) => control === document.activeElement);
  old.replaceWith(node);
  const same = [...node.querySelectorAll(CONTROLS)][focused];
  if (same instanceof HTMLElement) same.focus({ preventScroll: true });
}

/** @param {Node} node @returns {node is HTMLElement} */
const isLive = (node) => node instanceof HTMLElement && node.hasAttribute("data-live");

/**
 * @param {Element} old
 * @param {Element} node
 * @returns {boolean} whether anything changed
 */
function patchAttributes(old, node) {
  let isChanged = false;
  for (const { name } of [...old.attributes]) {
    if (OURS.has(name) || node.hasAttribute(name)) continue;
    old.removeAttribute(name);
    isChanged = true;
  }
  for (const { name, value } of node.attributes) {
    if (old.getAttribute(name) === value) continue;
    old.setAttribute(name, value);
    isChanged = true;
  }
  return isChanged;
}
