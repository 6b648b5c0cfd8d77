// @ts-check
/** The dialog over a session that ended: what is on the screen stays there, but nothing of it can be used. */

import { login } from "/auth/client.js";
import { h, mark } from "./dom.js";
import { styled } from "./late.js";
import { t } from "./preferences.js";

/** @param {import("/auth/client.js").SessionEnd} end */
export function showSessionEnd({ reason }) {
  if (document.querySelector("dialog[open]")) return;
  const dialog = h("dialog", { class: "dialog", "aria-labelledby": "ended-heading", "aria-describedby": "ended-text",
    "data-testid": "session-ended",
    // There is nothing to go back to, so Escape does not close it; Chromium lets a second one through all the same.
    oncancel: (/** @type {Event} */ event) => event.preventDefault(), onclose: () => dialog.showModal() },
  mark(),
  h("h2", { id: "ended-heading" }, t.ended.heading),
  h("p", { id: "ended-text" }, `${t.ended.reasons[reason] ?? t.ended.reasons.none} ${t.ended.way}`),
  h("button", { type: "button", class: "button", autofocus: true, onclick: () => login() }, t.ended.button));
  document.body.append(dialog);
  void styled("dialogs");
  dialog.showModal();
}
