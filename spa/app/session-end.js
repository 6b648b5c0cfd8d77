// @ts-check
/** The dialog over a session that ended: what is on the screen stays there, and goes on after a sign-in in a window of its own. */

import { login } from "/auth/client.js";
import { h, mark } from "./dom.js";
import { explain } from "./faults.js";
import { t } from "./preferences.js";
import { showUrgentTitle } from "./title.js";

/** @type {{dialog: HTMLDialogElement, before: Element | null} | undefined} */
let shown;

/** @param {import("/auth/client.js").InactiveReason} reason */
export function showSessionEnd(reason) {
  if (shown) return;
  const said = h("p", { class: "said", role: "status", "data-testid": "said" });
  const again = h("button", { type: "button", class: "button", autofocus: true, "data-testid": "sign-in-again",
    onclick: () => signIn(said) }, t.ended.button);
  const dialog = h("dialog", { class: "dialog ended", closedby: "none", "aria-labelledby": "ended-heading",
    "aria-describedby": "ended-text", "data-testid": "session-ended",
    // There is nothing to go back to, so Escape does not close it; where `closedby` is unknown, a second one gets through.
    oncancel: (/** @type {Event} */ event) => event.preventDefault(), onclose: () => shown && dialog.showModal() },
  mark(),
  h("h2", { id: "ended-heading" }, t.ended.heading),
  h("p", { id: "ended-text" }, `${t.ended.reasons[reason] ?? t.ended.reasons.none} ${t.ended.way}`),
  h("div", { class: "buttons" }, again,
    h("button", { type: "button", class: "button button-quiet", "data-testid": "sign-in-here", onclick: () => login() },
      t.ended.here)),
  said);
  shown = { dialog, before: document.activeElement };
  document.body.append(dialog);
  dialog.showModal();
  showUrgentTitle(t.ended.heading);
}

/** @param {unknown} error */
const isBlocked = (error) => error instanceof Error && "code" in error && error.code === "popup_blocked";

/** Gives the focus back to where it was. */
export function hideSessionEnd() {
  if (!shown) return;
  const { dialog, before } = shown;
  shown = undefined;
  showUrgentTitle("");
  dialog.close();
  dialog.remove();
  if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
}

/** @param {HTMLElement} said */
async function signIn(said) {
  said.textContent = t.ended.waiting;
  try {
    await login({ popup: true }); // the page is told of the session as of any other news
  } catch (error) {
    said.textContent = isBlocked(error) ? t.ended.blocked : explain(error).title;
  }
}
