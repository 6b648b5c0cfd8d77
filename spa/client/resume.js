// @ts-check
/** Calls that met the end of the session: they wait in the page for a new sign-in, or by a name in the tab for the next page. */

import { heard, known, on, tell } from "./tabs.js";

/** @typedef {import("./client.js").CallInit} CallInit */
/** @typedef {import("./client.js").ProblemError} ProblemError */
/**
 * @typedef {{error: ProblemError, subject: string | undefined, again: () => Promise<Response>, request: Request,
 *   headers: [string, string][], init: CallInit}} Call
 */
/** @typedef {{subject?: string, at: number, problem: Record<string, unknown>, url: string, init: CallInit}} Kept */

const PLACE = "lexgate.call.";
const LONGEST_TEXT = 262_144;
const OLDEST_MS = 3_600_000;

/** @type {Set<Call & {resolve: (response: Promise<Response>) => void, reject: (reason: unknown) => void}>} */
const held = new Set();
let isWatching = false;

/** @param {CallInit} init */
export const waits = ({ resume }) => typeof resume === "string" || (resume !== false && heard("needed").size > 0);

/**
 * @param {Call} call
 * @returns {Promise<Response>}
 */
export function hold(call) {
  if (!isWatching) watch();
  return new Promise((resolve, reject) => {
    const { signal } = call.request;
    const entry = { ...call, resolve, reject };
    held.add(entry);
    signal.addEventListener("abort", () => held.delete(entry) && reject(signal.reason));
    if (signal.aborted) giveUp(entry);
    else if (known.session?.active) release(known.session); // somebody has signed in meanwhile
    else if (held.size === 1) tell("needed", needed());
  });
}

/** @type {typeof import("./client.js").onSignInNeeded} */
export function onSignInNeeded(callback) {
  const stop = on("needed", callback);
  if (held.size > 0) callback(needed());
  return stop;
}
const needed = () => {
  const { reason = "none", loginUrl = "" } = [...held][0]?.error ?? {};
  return { reason, loginUrl, giveUp: () => held.forEach(giveUp) };
};
/** @param {Parameters<typeof held.add>[0]} call */
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
  on("session", release);
  addEventListener("pagehide", () => held.forEach(putAway));
  addEventListener("pageshow", ({ persisted }) => {
    // The page that came between may have sent it.
    for (const call of held) if (persisted && isKept(call) && !take(call.init.resume)) giveUp(call);
  });
}

/** @param {Call} call the text of its body, if it has none other */
const textOf = ({ init: { body }, request }) =>
  typeof body === "string" || body instanceof URLSearchParams ? String(body) : request.bodyUsed ? undefined : "";
/** @param {Call} call */
const isKept = (call) => typeof call.init.resume === "string" && (textOf(call)?.length ?? Infinity) <= LONGEST_TEXT;
/** Says whether leaving the page would lose a write. */
export const isLossy = () => [...held].some((call) => !isKept(call) && !/^(GET|HEAD)$/.test(call.request.method));

/** @param {Call} call */
function putAway(call) {
  if (!isKept(call)) return;
  const { subject, request: { url, method }, headers, init: { resume, urgency, patience }, error } = call;
  const problem = { ...error, login_url: error.loginUrl, instance: error.requestId };
  const init = { method, headers, body: textOf(call) || undefined, urgency, patience, resume };
  sessionStorage.setItem(PLACE + resume, JSON.stringify({ subject, at: Date.now(), problem, url, init }));
}

/**
 * @param {unknown} name
 * @returns {Kept | undefined} what was kept, and is not any more
 */
export function take(name) {
  const text = sessionStorage.getItem(PLACE + name);
  sessionStorage.removeItem(PLACE + name);
  const kept = JSON.parse(text ?? "null");
  return kept && Math.abs(Date.now() - kept.at) < OLDEST_MS ? kept : undefined;
}
