// @ts-check
/**
 * A list that is asked again and again. By its reader: the old rows stay, dimmed, until the new ones are there. By what
 * changed at lexoffice: the rows it has stay where they are, and those that changed are marked. Focus is kept.
 */

import { isAborted, isSessionEnd } from "./faults.js";
import { forget } from "./lexoffice.js";
import { follow } from "./live.js";
import { announce, errorState, retryWhenOnline, showNews, skeleton } from "./parts.js";
import { patch } from "./patch.js";
import { h } from "./dom.js";

/** @typedef {import("./dom.js").Child} Child */
/** @typedef {import("./lexoffice.js").Asked} Asked */

/**
 * @template T
 * @param {AbortSignal} signal of the visit
 * @param {(asked: Asked) => Promise<T>} load
 * @param {(loaded: T) => {summary: string, content: Child[]}} show
 * @param {(change: import("./live.js").Change) => boolean} isConcerned
 * @returns {{node: HTMLElement, reload: () => void, note: (text: string) => void}}
 */
export function resultList(signal, load, show, isConcerned) {
  const summary = h("p", { class: "count", tabindex: -1, "data-testid": "count" }, "\u00a0");
  const body = h("div", {}, h("div", { class: "panel" }, skeleton(12)));
  const node = h("div", { class: "results", "aria-busy": "true" }, summary, body);
  let current = new AbortController();
  /** @type {Promise<void>} */
  let loading = Promise.resolve();

  /** @param {T} loaded */
  const arrived = (loaded) => {
    const focused = focusKey(node);
    const { summary: text, content } = show(loaded);
    summary.textContent = text;
    body.replaceChildren(...content.filter((child) => child instanceof Node));
    announce(text);
    restoreFocus(node, summary, focused);
  };
  const reload = () => {
    current.abort();
    const mine = (current = new AbortController());
    const either = AbortSignal.any([signal, mine.signal]);
    node.setAttribute("aria-busy", "true");
    loading = load({ signal: either })
      .then((loaded) => {
        if (!either.aborted) arrived(loaded);
      })
      .catch((error) => {
        if (isAborted(error) || isSessionEnd(error)) return;
        const again = () => (forget(), reload());
        summary.textContent = "\u00a0";
        body.replaceChildren(errorState(error, again));
        retryWhenOnline(error, either, again);
      })
      .finally(() => {
        if (!either.aborted) node.removeAttribute("aria-busy");
      });
  };
  /** @param {ReadonlySet<string>} changed */
  const refresh = async (changed) => {
    await loading; // it may have begun before the change
    const either = AbortSignal.any([signal, current.signal]);
    const loaded = await load({ signal: either, isFresh: true });
    if (either.aborted) return;
    const focused = focusKey(node);
    const { summary: text, content } = show(loaded);
    summary.textContent = text;
    showNews(patch(body, content.filter((child) => child instanceof Node)), changed);
    if (focused !== undefined && !node.contains(document.activeElement)) summary.focus({ preventScroll: true });
  };
  reload();
  follow(signal, isConcerned, refresh);
  return { node, reload, note: (text) => (summary.textContent = text) };
}

/**
 * @param {HTMLElement} node
 * @returns {string | undefined} what had the focus, "" for something that has no name
 */
function focusKey(node) {
  const { activeElement } = document;
  if (!(activeElement instanceof HTMLElement) || !node.contains(activeElement)) return undefined;
  return activeElement.dataset.keep ?? "";
}

/**
 * @param {HTMLElement} node
 * @param {HTMLElement} summary
 * @param {string | undefined} key
 */
function restoreFocus(node, summary, key) {
  if (key === undefined) return;
  const same = key ? node.querySelector(`[data-keep="${key}"]`) : null;
  if (same instanceof HTMLElement) return same.focus();
  summary.focus({ preventScroll: true });
  summary.scrollIntoView({ block: "nearest" });
}
