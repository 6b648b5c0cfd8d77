// @ts-check
/** Labelled controls, and what is wrong with them said beside each. */

import { h } from "../dom.js";

/** @typedef {import("../dom.js").Child} Child */
/** @typedef {HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement} Control */

/** @param {string} id of a control */
const errorId = (id) => `${id}-error`;

/**
 * @param {string} label
 * @param {Control} control with an id
 * @param {{hint?: string, className?: string, beside?: Child | Child[]}} [more]
 */
export function labelled(label, control, { hint, className = "", beside } = {}) {
  const { id } = control;
  const hintId = hint ? `${id}-hint` : "";
  if (hint) control.setAttribute("aria-describedby", hintId);
  control.dataset.hint = hintId;
  return h("div", { class: `field ${className}`, "data-field": id },
    h("label", { for: id }, label), control, ...[beside].flat(),
    hint && h("span", { class: "hint", id: hintId }, hint),
    h("p", { class: "field-error", id: errorId(id), hidden: true }));
}

/**
 * @param {string} id
 * @param {string} value
 * @param {(value: string) => void} type called with every key
 * @param {import("../dom.js").Props} [more]
 */
export function textBox(id, value, type, more) {
  const box = h("input", { id, type: "text", autocomplete: "off", ...more,
    oninput: () => type(box.value) });
  box.value = value;
  return box;
}

/**
 * @param {string} id
 * @param {string} value
 * @param {(value: string) => void} type
 * @param {import("../dom.js").Props} [more]
 */
export function textArea(id, value, type, more) {
  const box = h("textarea", { id, rows: 2, ...more, oninput: () => type(box.value) });
  box.value = value;
  return box;
}

/**
 * A place of the form that is no single control can have a problem too, and the focus.
 * @param {string} id
 */
export function problemPlace(id) {
  return h("div", { "data-field": id }, h("p", { class: "field-error", id: errorId(id), hidden: true }));
}

/**
 * @param {HTMLElement} root
 * @param {Map<string, string>} problems by the control's id; what is not among them is all right
 */
export function showProblems(root, problems) {
  for (const field of root.querySelectorAll("[data-field]")) {
    if (field instanceof HTMLElement) showProblem(field, problems.get(field.dataset.field ?? ""));
  }
}

/**
 * @param {HTMLElement} field made by `labelled` or `problemPlace`
 * @param {string | undefined} text
 */
export function showProblem(field, text) {
  const id = field.dataset.field ?? "";
  const said = document.getElementById(errorId(id)) ?? field.querySelector(".field-error");
  const control = field.querySelector("input, select, textarea");
  if (said instanceof HTMLElement) {
    said.hidden = text === undefined;
    if (said.textContent !== (text ?? "")) said.textContent = text ?? "";
  }
  if (!(control instanceof HTMLElement)) return;
  const described = [control.dataset.hint, text !== undefined && errorId(id)].filter(Boolean).join(" ");
  if (described) control.setAttribute("aria-describedby", described);
  else control.removeAttribute("aria-describedby");
  if (text === undefined) control.removeAttribute("aria-invalid");
  else control.setAttribute("aria-invalid", "true");
}
