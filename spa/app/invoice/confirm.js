// @ts-check
/** Asks before what cannot be undone. */

import { h } from "../dom.js";

/** @typedef {import("./form.js").Texts} Texts */

/**
 * @param {Texts} s
 * @param {{recipient: string, date: string, total: string}} invoice
 * @param {AbortSignal} signal
 * @returns {Promise<boolean>}
 */
export function confirmFinal(s, { recipient, date, total }, signal) {
  return new Promise((answer) => {
    const dialog = h("dialog", { class: "confirm", "aria-labelledby": "confirm-heading", "aria-describedby": "confirm-text",
      "data-testid": "confirm", onclose: () => {
        dialog.remove();
        answer(dialog.returnValue === "yes");
      } },
    h("h2", { id: "confirm-heading" }, s.confirm.heading),
    h("dl", { class: "facts" }, [[s.confirm.recipient, recipient], [s.confirm.date, date], [s.confirm.total, total]].map(
      ([name = "", value = ""]) => h("div", {}, h("dt", {}, name), h("dd", {}, value)))),
    h("p", { id: "confirm-text" }, s.confirm.text),
    h("div", { class: "actions" },
      h("button", { type: "button", class: "button", "data-testid": "confirm-yes", onclick: () => dialog.close("yes") }, s.confirm.yes),
      h("button", { type: "button", class: "button button-quiet", autofocus: true, onclick: () => dialog.close("no") }, s.confirm.no)));
    signal.addEventListener("abort", () => dialog.open && dialog.close("no"), { once: true });
    document.body.append(dialog);
    dialog.showModal();
  });
}
