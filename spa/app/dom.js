// @ts-check
/** Builds elements: the only way markup comes into being here, so no string is ever parsed as HTML. */

/** @typedef {Node | string | number | false | null | undefined} Child */
/** @typedef {Record<string, string | number | boolean | undefined | ((event: any) => void)>} Props */

const SVG = "http://www.w3.org/2000/svg";

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Props} [props] attributes; `onclick` and the like are listeners; `true` is an empty attribute
 * @param {...(Child | Child[])} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function h(tag, props, ...children) {
  return fill(document.createElement(tag), props, children);
}

/**
 * @template {keyof SVGElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Props} [props]
 * @param {...(Child | Child[])} children
 * @returns {SVGElementTagNameMap[Tag]}
 */
export function svg(tag, props, ...children) {
  return fill(document.createElementNS(SVG, tag), props, children);
}

/**
 * @template {Element} T
 * @param {T} element
 * @param {Props | undefined} props
 * @param {(Child | Child[])[]} children
 */
function fill(element, props, children) {
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...present(children.flat()));
  return element;
}

/**
 * @param {Child[]} children
 * @returns {(Node | string)[]}
 */
function present(children) {
  return children
    .filter((child) => child !== false && child !== null && child !== undefined)
    .map((child) => (child instanceof Node ? child : String(child)));
}

const ICONS = {
  back: "M10 3 5 8l5 5",
  next: "M6 3l5 5-5 5",
  open: "M9 2.5h4.5V7M13 3 7.5 8.5M11.5 9.5v4h-9v-9h4",
  download: "M8 2v8m0 0L4.5 6.5M8 10l3.5-3.5M2.5 13.5h11",
  close: "m4 4 8 8m0-8-8 8",
  upload: "M8 10.5V2m0 0L4.5 5.5M8 2l3.5 3.5M2.5 10.5v3h11v-3",
  check: "m3 8.5 3.2 3.2L13 4.8",
  search: "M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10Zm3.6-1.4L14 14",
  alert: "M8 5v4m0 2.2v.3M8 1.8 14.6 13.5H1.4Z",
  paper: "M4 1.8h5.5L12.5 5v9.2H4ZM9.2 1.8v3.5h3.3M6 8.5h4.5M6 11h4.5",
  overview: "M2.5 13.5v-4m3.7 4v-8m3.6 8v-5.5m3.7 5.5v-11",
  tray: "M2 9.5h3.5l1 2h3l1-2H14M2 9.5 4 3h8l2 6.5v4H2Z",
  plus: "M8 3v10M3 8h10",
  bell: "M3.5 11.5h9L11.3 9.6V6.8a3.3 3.3 0 0 0-6.6 0v2.8Zm3 2a1.6 1.6 0 0 0 3 0",
  devices: "M2 3h9.5v4M2 3v7.5h6M1 10.500h7M10 8.500h4.500v5H10Z",
  people: "M6 8a2.8 2.8 0 1 0 0-5.6A2.8 2.8 0 0 0 6 8Zm-4.8 5.8c.3-2.6 2-4 4.8-4s4.5 1.4 4.8 4M11 8a2.4 2.4 0 0 0 0-4.8m1.3 6.6c1.4.5 2.3 1.7 2.5 3.4",
};

/** @param {keyof typeof ICONS} name */
export function icon(name) {
  return svg(
    "svg",
    { viewBox: "0 0 16 16", width: 16, height: 16, class: "icon", "aria-hidden": "true", focusable: "false" },
    svg("path", { d: ICONS[name], fill: "none", stroke: "currentColor", "stroke-width": 1.5,
      "stroke-linecap": "round", "stroke-linejoin": "round" }),
  );
}

/** The mark of the house: a gate of two leaves, and a path through it. */
export function mark() {
  return svg(
    "svg",
    { viewBox: "0 0 32 32", width: 32, height: 32, class: "mark", "aria-hidden": "true", focusable: "false" },
    svg("rect", { width: 32, height: 32, rx: 8, class: "mark-ground" }),
    svg("path", { d: "M9 24V12a7 7 0 0 1 14 0v12M16 24v-9", class: "mark-line", fill: "none",
      "stroke-width": 2.5, "stroke-linecap": "round" }),
  );
}

/**
 * @param {string} text
 * @param {Props} [props]
 */
export function hidden(text, props) {
  return h("span", { class: "visually-hidden", ...props }, text);
}
