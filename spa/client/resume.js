// @ts-check
/** Calls that met the end of the session: they wait in the page for a new sign-in, or by a name in the tab for the next page. */

import { heard, known, tell, telling } from "./tabs.js";

/** @typedef {import("./client.js").CallInit} CallInit */
/**
 * @typedef {{error: import("./client.js").ProblemError, subject: string | undefined, again: () => Promise<Response>,
 *   request: Request, headers: [string, string][], init: CallInit}} Call
 */
/** @typedef {Call & {kept: string | undefined, resolve: (response: Promise<Response>) => void, reject: (reason: unknown) => void}} Held */
/** @typedef {{subject?: string, at: number, error: object, url: string, init: CallInit}} Kept */

const PLACE = "lexgate.call.";
const LONGEST_TEXT = 262_144;
const OLDEST_MS = 3_600_000;

/** @type {Set<Held>} */
const held = new Set();
let isWatching = false;

/** @param {CallInit} init */
export const waits = ({ resume }) => typeof resume === "string" || (resume !== false && heard("needed").size > 0);

/** @param {Call} call @returns {Promise<Response>} */
export function hold(call) {
  if (!isWatching) watch();
  return new Promise((resolve, reject) => {
    const { signal } = call.request;
    const entry = { ...call, kept: record(call), resolve, reject };
    held.add(entry);
    signal.addEventListener("abort", () => held.delete(entry) && reject(signal.reason));
    if (signal.aborted) giveUp(entry);
    else if (known.session?.active) release(known.session); // somebody has signed in meanwhile
    else if (held.size === 1) tell("needed", needed());
  });
}

const needed = () => {
  const [first] = held;
  return first && { reason: first.error.reason, loginUrl: first.error.loginUrl, giveUp: () => held.forEach(giveUp) };
};
/** @type {typeof import("./client.js").onSignInNeeded} */
export const onSignInNeeded = telling("needed", needed);
/** @param {Held} call */
const giveUp = (call) => held.delete(call) && call.reject(call.error);

/** @param {import("./client.js").Session} session */
function release(session) {
  if (!session.active) return;
  for (const call of held) {
    // What somebody else began must not be done in this person's name.
    if ((call.subject ?? session.subject) !== session.subject) giveUp(call);
    else if (held.delete(call)) call.resolve(call.again());
  }
}

function watch() {
  isWatching = true;
  telling("session")(release);
  addEventListener("pagehide", () => {
    for (const { kept, init } of held) if (kept) try {
      sessionStorage.setItem(PLACE + init.resume, kept);
    } catch {
      // No storage, or no room: the call goes with the page.
    }
  });
  addEventListener("pageshow", ({ persisted }) => {
    // The page that came between may have sent it.
    for (const call of held) if (persisted && call.kept && !take(call.init.resume)) giveUp(call);
  });
}
/** @param {Call} call @returns {string | undefined} what the next page needs of it, if it can be had there */
function record({ subject, error, request, headers, init: { body, resume, urgency, patience } }) {
  const isText = typeof body === "string" || body instanceof URLSearchParams;
  const text = isText ? String(body) : undefined;
  if (typeof resume !== "string" || (!isText && request.bodyUsed) || (text?.length ?? 0) > LONGEST_TEXT) return undefined;
  const init = { method: request.method, headers, body: text, urgency, patience, resume };
  return JSON.stringify({ subject, at: Date.now(), error, url: request.url, init });
}
/** Says whether leaving the page would lose a write. */
export const isLossy = () => [...held].some(({ kept, request }) => !kept && !/GET|HEAD/.test(request.method));

/** @param {unknown} name @returns {Kept | undefined} what was kept, and is not any more */
export function take(name) {
  try {
    const kept = JSON.parse(sessionStorage.getItem(PLACE + name) ?? "");
    sessionStorage.removeItem(PLACE + name);
    return Math.abs(Date.now() - kept.at) < OLDEST_MS ? kept : undefined;
  } catch {
    return undefined;
  }
}
