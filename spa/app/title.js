// @ts-check
/** The window's title: what is on the screen, or what is urgent while nobody looks. */

import { t } from "./preferences.js";

let title = "";
let urgent = "";

/** @param {string} next of the view or page */
export function showTitle(next) {
  title = next;
  draw();
}

/** @param {string} next takes the title's place while this tab is hidden; nothing gives it back */
export function showUrgentTitle(next) {
  urgent = next;
  draw();
}

function draw() {
  const isSeen = document.visibilityState === "visible";
  document.title = urgent && !isSeen ? urgent : `${title} · ${t.app}`;
}

document.addEventListener("visibilitychange", () => title && draw());
