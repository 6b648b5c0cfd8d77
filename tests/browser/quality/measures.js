// Measures of a page as it is shown. An element is named by what a person would call it.
window.measures = (() => {
  const TARGETS = "a[href], button, input:not([type=hidden]), select, textarea, summary, [role=button], [tabindex='0']";
  const SPACING = "* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important; } p { margin-block-end: 2em !important; }";
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(SPACING);

  const nameOf = (element) => {
    const text = (element.getAttribute("aria-label") ?? element.textContent ?? "").trim().replace(/\s+/g, " ").slice(0, 40);
    return `${element.localName}${element.id && `#${element.id}`}${[...element.classList].map((name) => `.${name}`).join("")} "${text}"`;
  };
  const isClear = (colour) => /^rgba\(.*, 0\)$|^transparent$/.test(colour);
  const isShown = (element) => element.checkVisibility({ visibilityProperty: true, contentVisibilityAuto: true })
    && !element.closest(".visually-hidden, [inert]");
  const dialog = () => document.querySelector("dialog:modal");
  const reachable = (selector) => [...(dialog() ?? document).querySelectorAll(selector)].filter(isShown);

  /** Text of its own, not that of its children. */
  const hasText = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());

  function wide() {
    const width = document.documentElement.clientWidth;
    const over = document.scrollingElement.scrollWidth - width;
    const guilty = [...document.body.querySelectorAll("*")].filter((element) => isShown(element)
      && element.getBoundingClientRect().right > width + 1 && !element.closest("svg"));
    return over > 0 ? [`${over} px too wide: ${guilty.slice(0, 3).map(nameOf).join(", ")}`] : [];
  }

  /** Boxes whose text is cut off. Scrollable ones are not: their text can be had. */
  function clipped() {
    return [...document.body.querySelectorAll("*")].filter((element) => {
      if (!isShown(element) || element.closest("svg, select, input, textarea")) return false;
      if (element.clientWidth <= 1) return false; // for screen readers alone
      const style = getComputedStyle(element);
      const isCut = (axis) => /hidden|clip/.test(style[`overflow${axis}`]);
      const cutX = isCut("X") && element.scrollWidth > element.clientWidth + 1;
      const cutY = isCut("Y") && element.scrollHeight > element.clientHeight + 1;
      return (cutX || cutY) && element.textContent.trim() !== "";
    }).map((element) => `cut off: ${nameOf(element)}`);
  }

  /** As WCAG 2.2, 1.4.12 has it: wider letters, words and lines. */
  function spaced() {
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
    const found = [...wide(), ...clipped()];
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((other) => other !== sheet);
    return found;
  }

  /** What stays in its place while the page scrolls must leave room for the page. */
  function crowded() {
    const height = innerHeight;
    const fixed = [...document.body.querySelectorAll("*")].filter((element) => isShown(element)
      && /fixed|sticky/.test(getComputedStyle(element).position) && !element.closest("dialog"));
    const covered = fixed.reduce((sum, element) => sum + element.getBoundingClientRect().height, 0);
    return covered > height / 2 ? [`${Math.round(covered)} of ${height} px are covered: ${fixed.map(nameOf).join(", ")}`] : [];
  }

  /** WCAG 2.2, 2.5.8: at least 24 by 24, or as far from others; links within a sentence are free; a label belongs to its control. */
  function small() {
    const targets = reachable(TARGETS).map((element) => ({ element, box: largest(element) }));
    const isSmall = ({ box }) => box.width < 23.99 || box.height < 23.99;
    return targets.filter((target) => {
      const { element } = target;
      if (element.disabled || !isSmall(target)) return false;
      if (element.localName === "a" && getComputedStyle(element).display === "inline" && hasText(element.parentElement)) return false;
      return targets.some((other) => other !== target && !element.contains(other.element) && !other.element.contains(element)
        && (distance(center(target.box), other.box) < 12 || (isSmall(other) && apart(target.box, other.box) < 24)));
    }).map(({ element, box }) => `${Math.round(box.width)} by ${Math.round(box.height)}: ${nameOf(element)}`);
  }

  const largest = (element) => [element, ...(element.labels ?? [])].map((box) => box.getBoundingClientRect())
    .reduce((one, other) => (Math.min(other.width, other.height) > Math.min(one.width, one.height) ? other : one));
  const center = ({ left, top, width, height }) => [left + width / 2, top + height / 2];
  const distance = ([x, y], { left, right, top, bottom }) =>
    Math.hypot(Math.max(left - x, 0, x - right), Math.max(top - y, 0, y - bottom));
  const apart = (one, other) => Math.hypot(center(one)[0] - center(other)[0], center(one)[1] - center(other)[1]);

  let first;
  function begin() {
    first = undefined;
    document.activeElement?.blur();
    getSelection().removeAllRanges();
    scrollTo(0, 0);
    // The tabulator goes on from where the focus was: the very beginning.
    const start = document.createElement("span");
    start.tabIndex = -1;
    (dialog() ?? document.body).prepend(start);
    start.focus();
    start.remove();
  }

  /** The place that has the focus: whether that is seen, and whether something lies over it; null at the end. */
  function stop() {
    const element = document.activeElement;
    if (!element || element === document.body || element === document.documentElement || element === first) return null;
    first ??= element;
    return { name: nameOf(element), problems: [...unmarked(element), ...obscured(element)] };
  }

  function unmarked(element) {
    const isBrowsers = element.localName === "iframe" || (element.type === "date" && !element.matches(":focus-visible"));
    if (isBrowsers) return []; // a frame's document and a calendar's button mark their focus themselves
    if (!element.matches(":focus-visible")) return ["no :focus-visible"];
    const boxes = [element, ...(element.labels ?? []), element.parentElement, element.parentElement?.parentElement];
    const isMarked = boxes.filter(Boolean).some((box) => {
      const { outlineStyle, outlineWidth, outlineColor, boxShadow } = getComputedStyle(box);
      const { width, height } = box.getBoundingClientRect();
      const isBig = width > 4 && height > 4;
      const outlined = outlineStyle !== "none" && parseFloat(outlineWidth) >= 2 && !isClear(outlineColor);
      return isBig && (outlined || (box !== element && box.matches(":focus-within") && /\d+px \d+px \d+px [2-9]px/.test(boxShadow)));
    });
    return isMarked ? [] : ["the focus is not seen"];
  }

  /** WCAG 2.2, 2.4.11, and more: not only a bit of it is to be seen. */
  function obscured(element) {
    const target = element.getBoundingClientRect().width > 4 ? element : element.labels?.[0] ?? element.parentElement;
    const { left, top, width, height } = target.getBoundingClientRect();
    const shares = [0.1, 0.3, 0.5, 0.7, 0.9];
    const points = shares.flatMap((x) => shares.map((y) => [left + x * width, top + y * height]));
    const seen = points.filter(([x, y]) => {
      const hit = document.elementFromPoint(x, y);
      return hit && (target.contains(hit) || hit.contains(target));
    });
    const part = height > innerHeight ? 0.2 : 0.35;
    return seen.length < points.length * part ? [`${seen.length} of ${points.length} points are seen`] : [];
  }

  /** The frame that a screen reader goes by. */
  function frame() {
    const count = (selector) => (dialog() ? document : document).querySelectorAll(selector).length;
    const found = [];
    if (count("h1") !== 1) found.push(`${count("h1")} headings of the first level`);
    if (count("main") !== 1) found.push(`${count("main")} mains`);
    const levels = [...document.querySelectorAll("h1, h2, h3, h4, h5, h6")].filter((element) => element.checkVisibility())
      .map((element) => Number(element.localName[1]));
    levels.forEach((level, index) => index > 0 && level > levels[index - 1] + 1 && found.push(`h${level} follows h${levels[index - 1]}`));
    const ids = [...document.querySelectorAll("[id]")].map(({ id }) => id);
    const twice = ids.filter((id, index) => ids.indexOf(id) !== index);
    if (twice.length) found.push(`ids that occur twice: ${twice}`);
    for (const element of document.querySelectorAll("[aria-labelledby], [aria-describedby], [aria-controls], label[for]")) {
      for (const attribute of ["aria-labelledby", "aria-describedby", "aria-controls", "for"]) {
        for (const id of (element.getAttribute(attribute) ?? "").split(/\s+/).filter(Boolean)) {
          if (!document.getElementById(id)) found.push(`${attribute}="${id}" of ${nameOf(element)} leads nowhere`);
        }
      }
    }
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      const text = texts.currentNode.data.trim();
      if (/undefined|NaN|\[object|Invalid Date|^null$|^false$|^true$/.test(text)) found.push(`"${text}" is shown`);
    }
    return found;
  }

  const moving = () => document.getAnimations().filter((animation) => {
    const { duration, iterations } = animation.effect.getComputedTiming();
    return animation.playState === "running" && Number(duration) * iterations > 20;
  }).map((animation) => `${animation.animationName ?? animation.transitionProperty} of ${nameOf(animation.effect.target)}`);

  /** Where colours are the person's own, what can be pressed needs an edge or a line of its own. */
  function unedged() {
    return reachable("button:not(th button), .button, input:not([type=hidden]), select, textarea").filter((element) => {
      if (element.disabled || element.getBoundingClientRect().width < 5) return false;
      const { borderTopStyle, borderTopWidth, borderTopColor, backgroundColor, textDecorationLine, appearance } = getComputedStyle(element);
      if (/checkbox|radio|range/.test(element.type) && appearance !== "none") return false;
      const ground = getComputedStyle(document.body).backgroundColor;
      const hasBorder = borderTopStyle !== "none" && parseFloat(borderTopWidth) > 0 && borderTopColor !== backgroundColor && !isClear(borderTopColor);
      return !hasBorder && textDecorationLine === "none" && (backgroundColor === ground || isClear(backgroundColor));
    }).map((element) => `no edge: ${nameOf(element)}`);
  }

  return { wide, clipped, spaced, crowded, small, begin, stop, frame, moving, unedged };
})();
