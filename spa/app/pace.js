// @ts-check
/** Sends the calls, what is on the screen first, and tells for how long they wait for lexoffice. */

import { ProblemError, fetch, onWaiting as onLate, retryAfter } from "/auth/client.js";

/** @typedef {{seconds: number, since: number}} Wait `seconds` it will take about, `since` when it goes on; 0 in both: it is over */

// A browser has six connections for one host: the stream of events takes one, and one is for the session's own calls.
const AT_ONCE = 4;
const LESSER_AT_ONCE = 2;
/** Urgency (RFC 9218), 0 the first: what was clicked, what is seen, what a sum of it needs, what nobody waits for. */
export const CLICKED = 0, SEEN = 1, BESIDE = 3, REST = 5;
const PATIENCE_SECONDS = 25;
const ATTEMPTS = 4;
const LONGEST_PAUSE = 20;
const SECONDS_PER_CALL = 0.5; // lexoffice's limit, until the gateway's queue tells better

/** @type {{urgency: number, go: () => void}[]} */
const queue = [];
let underWay = 0;

/** @type {Set<(wait: Wait) => void>} */
const watchers = new Set();
let late = { calls: 0, secondsPerCall: /** @type {number | undefined} */ (undefined) };
let pausedUntil = 0;
let lateSince = 0;

/** @param {(wait: Wait) => void} callback told when calls are late, again as it goes on, and once when it is over */
export function onWaiting(callback) {
  watchers.add(callback);
}

/**
 * @param {string} path
 * @param {RequestInit & {signal: AbortSignal, urgency?: number}} init of a safe method, since the call may be sent again
 * @returns {Promise<Response>} any answer but 429 and 503, unless these do not end
 */
export async function pacedFetch(path, { urgency = SEEN, ...init }) {
  for (let attempt = 1; ; attempt += 1) {
    const outcome = await inTurn(urgency, init.signal, () =>
      fetch(path, { ...init, urgency, patience: PATIENCE_SECONDS }).catch((error) => error));
    const pause = attempt < ATTEMPTS ? secondsToPause(outcome, attempt) : undefined;
    if (pause === undefined) {
      if (outcome instanceof Response) return outcome;
      throw outcome;
    }
    await paused(pause, init.signal);
  }
}

/**
 * @template T
 * @param {number} urgency
 * @param {AbortSignal} signal
 * @param {() => Promise<T>} call
 * @returns {Promise<T>}
 */
export async function inTurn(urgency, signal, call) {
  signal.throwIfAborted();
  await new Promise((resolve, reject) => {
    const place = { urgency, go: () => resolve(signal.removeEventListener("abort", leave)) };
    const leave = () => {
      queue.splice(queue.indexOf(place), 1);
      reject(signal.reason);
    };
    signal.addEventListener("abort", leave, { once: true });
    const behind = queue.findIndex((other) => other.urgency > urgency);
    queue.splice(behind < 0 ? queue.length : behind, 0, place);
    next();
  });
  try {
    return await call();
  } finally {
    underWay -= 1;
    next();
  }
}

function next() {
  for (;;) {
    const [first] = queue;
    if (!first || underWay >= (first.urgency > BESIDE ? LESSER_AT_ONCE : AT_ONCE)) return;
    underWay += 1;
    queue.shift();
    first.go();
  }
}

/**
 * @param {unknown} outcome
 * @param {number} attempt from 1
 * @returns {number | undefined} seconds, or undefined when the outcome stands
 */
function secondsToPause(outcome, attempt) {
  if (!(outcome instanceof Response || outcome instanceof ProblemError)) return undefined;
  if (outcome.status !== 429 && outcome.status !== 503) return undefined;
  const asked = outcome instanceof Response ? retryAfter(outcome) : outcome.retryAfter;
  const pause = asked ?? 2 ** (attempt - 1);
  return pause <= LONGEST_PAUSE ? Math.max(pause, 0.5) : undefined;
}

/**
 * @param {number} seconds
 * @param {AbortSignal} signal
 */
async function paused(seconds, signal) {
  pausedUntil = Math.max(pausedUntil, performance.now() + seconds * 1000);
  lateSince ||= performance.now();
  tell();
  try {
    await sleep(seconds, signal);
  } finally {
    if (performance.now() + 20 >= pausedUntil || signal.aborted) pausedUntil = 0;
    tell();
  }
}

onLate((waiting) => {
  late = waiting;
  if (late.calls > 0) lateSince ||= performance.now();
  tell();
});

function tell() {
  const isOver = late.calls === 0 && pausedUntil === 0;
  const calls = late.calls + queue.length;
  const pause = Math.max(0, pausedUntil - performance.now()) / 1000;
  const seconds = pause + calls * (late.secondsPerCall ?? SECONDS_PER_CALL);
  const wait = isOver ? { seconds: 0, since: 0 } : { seconds, since: lateSince };
  if (isOver) lateSince = 0;
  for (const watcher of watchers) watcher(wait);
}

/**
 * @param {number} seconds
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
function sleep(seconds, signal) {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, seconds * 1000);
    signal.addEventListener("abort", stop, { once: true });
  });
}
