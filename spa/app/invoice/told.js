// @ts-check
/** What is told above the form: what is wrong in it, and how sending it went. */

import { h, icon } from "../dom.js";
import { explain } from "../faults.js";
import { LexofficeError } from "../lexoffice.js";
import { t } from "../preferences.js";
import { placed } from "./refusal.js";

/** @typedef {import("./form.js").Texts} Texts */
/** @typedef {{field: string, text: string}} Told */

/**
 * @param {Texts} s
 * @param {Told[]} problems
 * @param {{heading: string, others: string[]}} [refused] by lexoffice, and what it says of no field
 * @returns {HTMLElement}
 */
export function problemList(s, problems, refused) {
  return h("div", { class: "fault told", role: "alert", "data-testid": "problems" }, icon("alert"),
    h("div", {}, h("h2", {}, refused?.heading ?? s.problems.heading(problems.length)),
      refused && refused.others.length > 0 && h("p", {}, `${s.send.says} ${refused.others.join("; ")}`),
      h("ul", {}, problems.map(({ field, text }) =>
        h("li", {}, h("a", { href: `#${field}`, onclick: (/** @type {Event} */ event) => {
          event.preventDefault(); // the address stays: another one would be another view
          focusField(field);
        } }, s.problems.at(nameOf(field), text)))))));
}

/**
 * @param {string} title
 * @param {(string | false | undefined)[]} texts
 * @returns {HTMLElement}
 */
export function fault(title, texts) {
  return h("div", { class: "fault told", role: "alert", tabindex: -1, "data-testid": "fault" }, icon("alert"),
    h("div", {}, h("h2", {}, title), texts.filter(Boolean).map((text) => h("p", {}, text || ""))));
}

/** @param {string} field a control's id */
export function focusField(field) {
  const control = document.getElementById(field);
  control?.scrollIntoView({ block: "center" });
  control?.focus({ preventScroll: true });
}

/** @param {string} field @returns {string} what the form calls it, the number of its line before */
function nameOf(field) {
  const control = document.getElementById(field);
  const label = document.querySelector(`label[for="${CSS.escape(field)}"]`)?.textContent ?? control?.textContent ?? "";
  const line = control?.closest("fieldset")?.querySelector("legend:not(.visually-hidden)")?.textContent;
  return [line, label].filter(Boolean).join(", ");
}

/**
 * @param {Texts} s
 * @param {unknown} error
 * @param {import("./draft.js").Draft} draft
 * @param {HTMLElement} parts of the form: what lexoffice says of a field that is not among them stands above
 * @returns {{panel: HTMLElement, placed: Told[]}}
 */
export function refusalTold(s, error, draft, parts) {
  if (!(error instanceof LexofficeError) || error.issues.length === 0) {
    const { title, text, says, id } = explain(error);
    const isForbidden = error instanceof LexofficeError && error.status === 403;
    return { placed: [], panel: fault(title, [isForbidden ? s.send.forbidden : text,
      says.length > 0 && `${s.send.says} ${says.join("; ")}`, s.send.nothingMade, id && `${t.faults.id} ${id}`]) };
  }
  const found = placed(error.issues, draft);
  const isThere = (/** @type {string} */ field) => parts.querySelector(`[data-field="${CSS.escape(field)}"]`) !== null;
  const there = found.placed.filter(({ field }) => isThere(field));
  const others = [...found.others, ...found.placed.filter(({ field }) => !isThere(field)).map(({ issue }) => issue)];
  const told = there.map(({ field, issue }) => ({ field, text: issueText(s, issue) }));
  const words = others.map(({ field, code, message }) => [field, message || code].filter(Boolean).join(": "));
  return { placed: told, panel: problemList(s, told, { heading: s.problems.refused, others: words }) };
}

/**
 * @param {Texts} s
 * @param {import("../lexoffice.js").Issue} issue
 */
function issueText(s, { code, message }) {
  if (/^(NOTNULL|NOTEMPTY|NOTBLANK|missing_entity)$/i.test(code)) return s.problems.missing;
  return `${s.send.says} ${message || code}`;
}
