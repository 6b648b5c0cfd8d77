// @ts-check
/** Calls that met the end of the session: they wait in the page for a new sign-in, or by a name in the tab for the next page. */

import { heard, known, tell, on, whose } from "./tabs.js";

/** @typedef {import("./client.js").CallInit} CallInit */
/**
 * @typedef {{error: import("./client.js").ProblemError, subject: string | undefined, again: () => Promise<Response>,
 *   request: Request, headers: [string, string][], init: CallInit}} Call
 */
/** @typedef {Call & {kept: string | false, resolve: (response: Promise<Response>) => void, reject: (reason: unknown) => void}} Held */
/** @typedef {{subject?: string, at: number, error: object, url: string, init: CallInit}} Kept */

const PLACE = "lexgate.call.";
const LONGEST_TEXT = 262_144;
const OLDEST_MS = 3_600_000;

/** @type {Set<Held>} */
const held = new Set();
/** @param {CallInit} init */
export const waits = ({ resume }) => typeof resume === "string" || (resume !== false && heard("needed").size > 0);

/** @param {Call} call @returns {Promise<Response>} */
export function hold(call) {
  return new Promise((resolve, reject) => {
    const { signal } = call.request;
    const entry = { ...call, kept: record(call), resolve, reject };
    held.add(entry);
    const leave = () => held.delete(entry) && reject(signal.reason);
    signal.addEventListener("abort", leave);
    if (signal.aborted) leave();
    else if (known.session?.active) release(known.session); // somebody has signed in meanwhile
    else if (held.size === 1) tell("needed", needed());
  });
}

const needed = () => {
  const [first] = held;
  return first && { ...first.error, giveUp: () => held.forEach(giveUp) };
};
/** @type {typeof import("./client.js").onSignInNeeded} */
export const onSignInNeeded = on("needed", needed);
/** @param {Held} call */
const giveUp = (call) => held.delete(call) && call.reject(call.error);

/** @param {import("./client.js").Session} session */
function release(session) {
  if (!session.active) return;
  for (const call of held) {
    // What somebody else began must not be done in this person's name.
    if ((call.subject ?? whose(session)) !== whose(session)) giveUp(call);
    else if (held.delete(call)) call.resolve(call.again());
  }
}

heard("session").add(release);
globalThis.addEventListener?.("pagehide", () => {
  for (const call of held) if (call.kept) {
    put(call.init.resume, call.kept);
    giveUp(call); // a page that is shown once more must not send it as well
  }
});
/** When, and which one. */
export const stamp = () => Date.now() + Math.random();
/** @param {Call} call @returns {string | false} what the next page needs of it, if it can be had there */
function record({ subject, error, request, headers, init: { body, resume, urgency, patience } }) {
  const { url, method, bodyUsed } = request;
  const isText = !bodyUsed || typeof body === "string" || body instanceof URLSearchParams;
  const init = { method, headers, body: bodyUsed ? String(body) : undefined, urgency, patience, resume };
  return typeof resume === "string" && isText && String(body).length <= LONGEST_TEXT
    && JSON.stringify({ subject, at: stamp(), error, url, init });
}
/** Says whether leaving the page would lose a write. */
export const isLossy = () => [...held].some(({ kept, request }) => !kept && !/GET|HEAD/.test(request.method));

// Where there is no storage, or no room in it, nothing is kept.
/** @param {unknown} name @param {string} text */
export function put(name, text) {
  try {
    sessionStorage.setItem(PLACE + name, text);
  } catch {}
}
/** @param {number} at */
const isFresh = (at) => Math.abs(Date.now() - at) < OLDEST_MS;
/** @param {unknown} name @param {Kept} kept */
const markOf = (name, { at }) => PLACE + at + " " + name;
/** @param {unknown} name @returns {Kept | undefined} what was kept, and is not any more */
export function take(name) {
  let kept;
  try {
    kept = JSON.parse(sessionStorage.getItem(PLACE + name) || "");
    sessionStorage.removeItem(PLACE + name);
    if (!isFresh(kept.at) || localStorage.getItem(markOf(name, kept))) kept = undefined;
  } catch {}
  return kept;
}
/**
 * A tab that is duplicated takes along what was kept: only the first to claim it may send it. The lock decides between two at
 * once, and goes with its page; the mark stays.
 * @param {unknown} name @param {Kept} kept @returns {Promise<unknown>}
 */
export const claim = (name, kept) => new Promise((resolve, reject) => {
  const mark = markOf(name, kept);
  const locked = async (/** @type {unknown} */ lock) => {
    resolve(lock && !localStorage.getItem(mark));
    for (const key of Object.keys(localStorage)) {
      if (key.startsWith(PLACE) && !isFresh(parseFloat(key.slice(PLACE.length)))) localStorage.removeItem(key);
    }
    localStorage.setItem(mark, "1");
    return new Promise(() => {});
  };
  (navigator.locks?.request(mark, { ifAvailable: true }, locked) ?? locked(true)).catch(reject);
});
