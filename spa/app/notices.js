// @ts-check
/** What is told at the foot of the window: that lexoffice is waited for and how long, and that the session ends soon. */

import { keepAlive, login } from "/auth/client.js";
import { h, hidden } from "./dom.js";
import { explain, isSessionEnd } from "./faults.js";
import { onWaiting } from "./pace.js";
import { announce } from "./parts.js";
import { t } from "./preferences.js";

/** @typedef {{inSeconds: number, reason: "idle" | "expired"}} Ending */

const SHORTEST_MS = 500;
const MESSAGE_MS = 8000;
const SOON_SECONDS = 2;

/** @type {import("./pace.js").Wait & {at: number} | undefined} */
let wait;
/** @type {Ending & {at: number} | undefined} */
let ending;
let message = "";
/** @type {ReturnType<typeof setInterval> | undefined} */
let ticking;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let hiding;

/** The place of all notices, filled again when the shell is built anew. */
export function notices() {
  const place = h("div", { id: "notices", class: "notices" },
    h("div", { id: "ending" }),
    h("div", { id: "notice", class: "notice", role: "status", "data-testid": "notice" }));
  queueMicrotask(draw);
  return place;
}

/** @param {string} text shown for a while */
export function showMessage(text) {
  message = text;
  draw();
  setTimeout(() => {
    if (message === text) message = "";
    draw();
  }, MESSAGE_MS);
}

/** @param {Ending | undefined} next undefined: no end is near any more */
export function showEnding(next) {
  ending = next && { ...next, at: performance.now() };
  draw();
}

onWaiting((next) => {
  clearTimeout(hiding);
  if (next.since > 0) {
    wait = { ...next, at: performance.now() };
    return draw();
  }
  if (!wait) return undefined;
  hiding = setTimeout(() => {
    wait = undefined;
    draw();
  }, Math.max(0, SHORTEST_MS - (performance.now() - wait.since)));
  return undefined;
});

function draw() {
  drawNotice();
  drawEnding();
  const isTicking = wait !== undefined || ending !== undefined;
  if (!isTicking) ticking = void clearInterval(ticking);
  else ticking ??= setInterval(draw, 1000);
}

function drawNotice() {
  const place = document.getElementById("notice");
  if (!place) return;
  const said = wait ? t.waiting.text : message;
  const [text, seconds] = place.children;
  if (!said) place.replaceChildren();
  else if (text?.textContent !== said || !seconds) place.replaceChildren(h("span", {}, said), howLong());
  else seconds.replaceWith(howLong());
}

/** The count is not read out: a screen reader would speak every second. */
function howLong() {
  const now = performance.now();
  const left = wait ? wait.seconds - (now - wait.at) / 1000 : 0;
  const text = !wait ? "" : left >= 1 ? t.waiting.about(Math.ceil(left)) : left > -SOON_SECONDS ? t.waiting.soon
    : t.waiting.since(Math.round((now - wait.since) / 1000));
  return h("span", { class: "notice-time", "aria-hidden": "true" }, text);
}

function drawEnding() {
  const place = document.getElementById("ending");
  if (!place) return;
  if (!ending) return place.replaceChildren();
  const left = Math.max(1, Math.ceil(ending.inSeconds - (performance.now() - ending.at) / 1000));
  const known = place.querySelector(`[data-reason="${ending.reason}"] .ending-time`);
  if (known) known.textContent = t.ending.in(left);
  else place.replaceChildren(endingCard(ending.reason, left));
}

/**
 * @param {Ending["reason"]} reason
 * @param {number} left seconds
 */
function endingCard(reason, left) {
  const said = h("p", { class: "quiet", role: "status" });
  const button = h("button", { type: "button", class: "button",
    onclick: () => (reason === "idle" ? stay(button, said) : login()) }, t.ending.buttons[reason]);
  return h("section", { class: "ending", "aria-label": t.ending.label, "data-reason": reason, "data-testid": "ending" },
    h("div", {},
      h("p", { role: "alert" }, h("strong", { class: "ending-time", "aria-hidden": "true" }, t.ending.in(left)),
        hidden(t.ending.in(left))),
      h("p", { class: "quiet" }, t.ending.reasons[reason]), said),
    button);
}

/**
 * @param {HTMLButtonElement} button
 * @param {HTMLElement} said
 */
async function stay(button, said) {
  button.setAttribute("aria-disabled", "true");
  try {
    await keepAlive();
    showEnding(undefined);
    announce(t.ending.kept);
  } catch (error) {
    button.removeAttribute("aria-disabled");
    if (!isSessionEnd(error)) said.textContent = explain(error).title;
  }
}
