// @ts-check
/** Hides what is on the screen of a page that the browser keeps after it was left, until it is known whose session it is. */

import { session } from "/auth/client.js";
import { h } from "./dom.js";
import { t } from "./preferences.js";
import { unreachablePage } from "./signed-out.js";

/** @typedef {import("/auth/client.js").Session} Session */

const LATE_MS = 700;
const AGAIN_MS = 5000;

const { body } = document;
const note = h("div", { class: "veil", "data-testid": "veil" });
/** @type {Element | null} */
let focused = null;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let waiting;

/** @param {(now: Session) => void} keepUp told whose it is, before anything of the page is seen again */
export function veilWhenLeft(keepUp) {
  const ask = async () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => note.replaceChildren(h("p", { role: "status" }, t.loading)), LATE_MS);
    const now = await session().catch(() => undefined);
    clearTimeout(waiting);
    if (now) {
      lift();
      return keepUp(now);
    }
    note.replaceChildren(unreachablePage(ask));
    waiting = setTimeout(ask, AGAIN_MS);
  };
  // Before it is kept: a page that comes back is painted before it runs.
  addEventListener("pagehide", ({ persisted }) => persisted && veil());
  addEventListener("pageshow", ({ persisted }) => {
    if (!persisted) return;
    veil();
    ask();
  });
}

export const isVeiled = () => body.classList.contains("veiled");

function veil() {
  if (isVeiled()) return;
  focused = document.activeElement; // which what is not to be seen loses
  body.classList.add("veiled");
  body.append(note);
}

function lift() {
  clearTimeout(waiting);
  body.classList.remove("veiled");
  note.replaceChildren();
  note.remove();
  if (document.activeElement === body && focused instanceof HTMLElement) focused.focus({ preventScroll: true });
}
