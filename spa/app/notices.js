// @ts-check
/** What is told at the foot of the window: that lexoffice is waited for and how long, and that the session ends soon. */

import { keepAlive, login } from "/auth/client.js";
import { clearOfFocus } from "./clear-of-focus.js";
import { h, icon } from "./dom.js";
import { explain, isSessionEnd } from "./faults.js";
import { onWaiting } from "./pace.js";
import { announce } from "./parts.js";
import { t } from "./preferences.js";
import { clockTime } from "./times.js";
import { showUrgentTitle } from "./title.js";

/** @typedef {{inSeconds: number, reason: "idle" | "expired"}} Ending */

const SHORTEST_MS = 500;
const MESSAGE_MS = 8000;
const SOON_SECONDS = 2;
const SAME_MS = 2500;
const NEAR_SECONDS = 10; // said once more then; of a shorter countdown, in its last third

/** @type {import("./pace.js").Wait & {at: number} | undefined} */
let wait;
/** @type {Ending & {at: number, isSaid: boolean, isSaidNear: boolean} | undefined} */
let ending;
let message = { text: "", stays: false };
/** @type {ReturnType<typeof setInterval> | undefined} */
let ticking;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let hiding;

/** The place of all notices, filled again when the shell is built anew. */
export function notices() {
  const place = h("div", { id: "notices", class: "notices" },
    h("div", { id: "toasts", class: "toasts" }),
    h("div", { id: "ending" }),
    h("div", { id: "notice", class: "notice", role: "status", "data-testid": "notice" }));
  queueMicrotask(draw);
  clearOfFocus(place);
  new ResizeObserver(() => document.documentElement.style.setProperty("--notices", `${place.offsetHeight}px`)).observe(place);
  return place;
}

/**
 * @param {string} text shown for a while
 * @param {{stays?: boolean}} [how] until it is closed
 */
export function showMessage(text, { stays = false } = {}) {
  const mine = { text, stays };
  message = mine;
  draw();
  if (stays) return;
  setTimeout(() => {
    if (message === mine) message = { text: "", stays: false };
    draw();
  }, MESSAGE_MS);
}

/** @param {Ending | undefined} next undefined: no end is near any more */
export function showEnding(next) {
  if (!next && ending) showUrgentTitle("");
  const now = performance.now();
  // The keeper tells it anew to whoever asks, and so to all: that is no reason to speak again.
  const isKnown = next && ending?.reason === next.reason && Math.abs(endOf(ending) - endOf({ ...next, at: now })) < SAME_MS;
  ending = next && { isSaid: false, isSaidNear: false, ...(isKnown && ending), ...next, at: now };
  draw();
}

/** @param {Ending & {at: number}} ending */
const endOf = ({ at, inSeconds }) => at + inSeconds * 1000;

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
  const isHeld = document.querySelector("dialog.ended") !== null; // the calls wait for the person, not for lexoffice
  const isWait = wait !== undefined && !isHeld && !message.stays;
  const said = isWait ? t.waiting.text : message.text;
  const [text, beside] = place.children;
  if (!said) return place.replaceChildren();
  if (text?.textContent === said && isWait) return beside?.replaceWith(howLong());
  if (text?.textContent === said) return undefined;
  return place.replaceChildren(h("span", {}, said), isWait ? howLong() : message.stays ? closing() : h("span"));
}

function closing() {
  return h("button", { type: "button", class: "close", "aria-label": t.close, onclick: () => {
    message = { text: "", stays: false };
    draw();
    document.getElementById("content")?.focus({ preventScroll: true });
  } }, icon("close"));
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
  sayEnding(ending, left);
}

/**
 * Twice alone, in the words of the page's announcer, which waits until the person is not spoken to otherwise.
 * @param {NonNullable<typeof ending>} now
 * @param {number} left seconds
 */
function sayEnding(now, left) {
  // A clock's time, for the timers of a hidden tab come late; and not the count, which would be wrong then.
  if (!now.isSaid) showUrgentTitle(t.ending.title(clockTime(Date.now() + left * 1000)));
  const isNear = left <= Math.min(NEAR_SECONDS, now.inSeconds / 3);
  if (now.isSaid && (!isNear || now.isSaidNear)) return;
  announce(`${t.ending.in(left)} ${t.ending.buttons[now.reason]}?`);
  now.isSaid = true;
  now.isSaidNear = isNear;
}

/**
 * @param {Ending["reason"]} reason
 * @param {number} left seconds
 */
function endingCard(reason, left) {
  const said = h("p", { class: "quiet", role: "status" });
  const button = h("button", { type: "button", class: "button", onclick: () => stay(reason, button, said) },
    t.ending.buttons[reason]);
  return h("section", { class: "ending", "aria-label": t.ending.label, "data-reason": reason, "data-testid": "ending" },
    h("div", {},
      h("p", {}, h("strong", { class: "ending-time" }, t.ending.in(left))),
      h("p", { class: "quiet" }, t.ending.reasons[reason]), said),
    button);
}

/**
 * @param {Ending["reason"]} reason
 * @param {HTMLButtonElement} button
 * @param {HTMLElement} said
 */
async function stay(reason, button, said) {
  button.setAttribute("aria-disabled", "true");
  try {
    if (reason === "idle") await keepAlive();
    else await signIn(button, said);
    const hadFocus = button === document.activeElement;
    showEnding(undefined);
    announce(t.ending.kept);
    if (hadFocus) document.getElementById("content")?.focus({ preventScroll: true });
  } catch (error) {
    button.removeAttribute("aria-disabled");
    if (!isSessionEnd(error)) said.textContent = explain(error).title;
  }
}

/** @param {HTMLButtonElement} button @param {HTMLElement} said */
function signIn(button, said) {
  said.textContent = t.ending.waiting;
  button.removeAttribute("aria-disabled"); // whoever closed the window can have it again
  return login({ popup: true });
}
