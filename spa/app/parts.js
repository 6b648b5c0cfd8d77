// @ts-check
/** The small parts that views are made of, and the three states every one of them can be in: loading, failed, empty. */

import { explain, isAborted, isPassing, isSessionEnd } from "./faults.js";
import { h, icon } from "./dom.js";
import { forget } from "./lexoffice.js";
import { follow } from "./live.js";
import { highlight, patch } from "./patch.js";
import { t } from "./preferences.js";
import { showTitle } from "./title.js";

/** @typedef {import("./dom.js").Child} Child */
/** @typedef {{title: string, node: HTMLElement}} View */

/** @param {string} message read out by screen readers when they find time */
export function announce(message) {
  const place = document.getElementById("announcer");
  if (place) place.textContent = message;
}

/**
 * @param {string} title
 * @param {...Child} beside
 */
export function heading(title, ...beside) {
  return h("div", { class: "heading" }, h("h1", { tabindex: -1 }, title), ...beside);
}

/**
 * Says more, now that it is known; the focus stays where it is.
 * @param {HTMLElement} place made by `heading`
 * @param {string} title
 * @param {...Child} beside
 */
export function retitle(place, title, ...beside) {
  patch(place, [h("h1", { tabindex: -1 }, title), ...beside.filter((child) => child instanceof Node)]);
  showTitle(title);
}

/** @param {string} href @param {string} text */
export function backLink(href, text) {
  return h("a", { class: "back", href }, icon("back"), text);
}

/** @param {string} state */
export function pill(state) {
  const text = state in t.states ? t.states[/** @type {keyof typeof t.states} */ (state)] : state;
  return h("span", { class: `pill pill-${state}` }, text);
}

/** @param {string} type */
export const typeName = (type) => (type in t.types ? t.types[/** @type {keyof typeof t.types} */ (type)] : type);

/** @param {number} lines */
export function skeleton(lines) {
  return h("div", { class: "skeleton", "aria-hidden": "true" },
    Array.from({ length: lines }, (_, index) => h("span", { class: `bone bone-${index % 4}` })));
}

/**
 * @param {string} title
 * @param {string} text
 * @param {Child} [picture]
 * @param {Child} [way] what can be done now
 */
export function emptyState(title, text, picture, way) {
  return h("div", { class: "empty", "data-key": "empty", "data-testid": "empty" }, picture, h("h2", {}, title), h("p", {}, text), way);
}

/**
 * @param {unknown} error
 * @param {() => void} retry
 */
export function errorState(error, retry) {
  const fault = explain(error);
  return h("div", { class: "fault", role: "alert", "data-testid": "error" },
    icon("alert"),
    h("div", {},
      h("h2", {}, fault.title),
      h("p", {}, fault.text),
      fault.says.length > 0 && h("p", { class: "quiet" }, `${t.faults.says} ${fault.says.join("; ")}`),
      fault.id && h("p", { class: "quiet small" }, `${t.faults.id} ${fault.id}`),
      h("button", { class: "button", type: "button", onclick: retry }, t.faults.retry)));
}

/**
 * Marks what changed, or came because of it, and says so.
 * @param {import("./patch.js").News} news
 * @param {ReadonlySet<string>} changed ids
 */
export function showNews({ came, changed: others }, changed) {
  const fresh = [...others, ...came.filter(({ dataset }) => dataset.key !== undefined && changed.has(dataset.key))];
  highlight(fresh);
  if (fresh.length > 0) announce(t.live.changed(fresh.length));
}

/**
 * A region that shows bones, then its content or an error with a way on, and then what changes at lexoffice. When the
 * session ends, it stays as it is.
 * @template T
 * @param {AbortSignal} signal
 * @param {object} part
 * @param {Child} part.bones
 * @param {(asked: import("./lexoffice.js").Asked, showPart: (loaded: T) => void) => Promise<T>} part.load may show what is there
 *   first, beside what it knew
 * @param {(loaded: T) => Child | Child[]} part.show
 * @param {(change: import("./live.js").Change) => boolean} part.isConcerned
 */
export function loadingPart(signal, { bones, load, show, isConcerned }) {
  const region = h("div", { class: "part", "aria-busy": "true" }, bones);
  const shown = (/** @type {T} */ loaded) => patch(region, [show(loaded)].flat().filter((child) => child instanceof Node));
  const run = () =>
    load({ signal }, (loaded) => void (signal.aborted || shown(loaded))).then(
      (loaded) => {
        if (signal.aborted) return;
        shown(loaded);
        region.removeAttribute("aria-busy");
      },
      (error) => {
        if (isAborted(error) || isSessionEnd(error)) return;
        region.removeAttribute("aria-busy");
        region.replaceChildren(errorState(error, again));
        retryWhenOnline(error, signal, again);
      },
    );
  const again = () => {
    forget();
    region.replaceChildren(...[bones].flat().filter((child) => child instanceof Node));
    region.setAttribute("aria-busy", "true");
    announce(t.loading);
    return (loading = run());
  };
  let loading = run();
  follow(signal, isConcerned, async (changed) => {
    await loading; // it may have begun before the change
    const news = (/** @type {T} */ loaded) => void (signal.aborted || showNews(shown(loaded), changed));
    news(await load({ signal, isFresh: true }, news));
  });
  return region;
}

/**
 * Asks again once the gateway can be reached, if that is what was wrong.
 * @param {unknown} error
 * @param {AbortSignal} signal of the visit
 * @param {() => void} again
 */
export function retryWhenOnline(error, signal, again) {
  if (isPassing(error)) addEventListener("lexgate:reached", again, { once: true, signal });
}

/**
 * @param {{page: number, pages: number, go: (page: number) => void}} state pages counted from 0
 */
export function pager({ page, pages, go }) {
  if (pages <= 1) return null;
  /** @param {number} to @param {string} text @param {boolean} forward */
  const step = (to, text, forward) =>
    h("button", { class: "button button-quiet", type: "button", disabled: to < 0 || to >= pages, onclick: () => go(to) },
      !forward && icon("back"), text, forward && icon("next"));
  return h("nav", { class: "pager", "data-key": "pager", "aria-label": t.paging.label },
    step(page - 1, t.paging.previous, false),
    h("span", { "data-testid": "page" }, t.paging.page(page + 1, pages)),
    step(page + 1, t.paging.next, true));
}

/**
 * @param {string} label
 * @param {HTMLElement} control
 * @param {string} [hint]
 */
export function field(label, control, hint) {
  const id = control.id;
  if (hint) control.setAttribute("aria-describedby", `${id}-hint`);
  return h("div", { class: `field field-${id}` }, h("label", { for: id }, label), control,
    hint && h("span", { class: "hint", id: `${id}-hint` }, hint));
}

/**
 * @param {string} id
 * @param {[string, string][]} options value and text
 * @param {string} chosen
 * @param {(value: string) => void} choose
 */
export function select(id, options, chosen, choose) {
  return h("select", { id, onchange: (/** @type {any} */ event) => choose(event.target.value) },
    options.map(([value, text]) => h("option", { value, selected: value === chosen }, text)));
}

/**
 * @param {string} id
 * @param {string} value
 * @param {(text: string) => void} search called a moment after the last key
 */
export function searchBox(id, value, search) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const run = (/** @type {any} */ event) => {
    clearTimeout(timer);
    timer = setTimeout(() => search(event.target.value.trim()), event.type === "search" ? 0 : 300);
  };
  return h("input", { id, type: "search", value, autocomplete: "off", spellcheck: "false", oninput: run, onsearch: run });
}

/**
 * @param {[string, Child][]} pairs those without a value are left out
 */
export function facts(pairs) {
  return h("dl", { class: "facts" },
    pairs.filter(([, value]) => value !== undefined && value !== null && value !== "" && value !== false)
      .map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}

/**
 * @param {string} text may have several lines
 * @param {string} [className]
 */
export function lines(text, className) {
  return h("p", { class: className }, text.split(/\r?\n/).flatMap((line, index) => (index ? [h("br"), line] : [line])));
}

