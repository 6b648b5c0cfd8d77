// @ts-check
/** Keeps the calls within lexoffice's limit of 2 a second and a burst of 5, and waits calmly where it is met. */

import { ProblemError, fetch, retryAfter } from "/auth/client.js";

const BURST = 4; // one less than lexoffice grants: a second tab may be open
const PER_SECOND = 2;
const ATTEMPTS = 4;
const LONGEST_WAIT = 20;

let tokens = BURST;
let counted = performance.now();
/** @type {Promise<void>} */
let turn = Promise.resolve();

/** @type {Set<(seconds: number) => void>} */
const watchers = new Set();

/** @param {(seconds: number) => void} callback told how long a call has to wait because lexoffice asked it to; 0 at its end */
export function onWaiting(callback) {
  watchers.add(callback);
}

/**
 * @param {string} path
 * @param {RequestInit & {signal: AbortSignal}} init of a safe method, since the call may be sent again
 * @returns {Promise<Response>} any answer but 429 and 503, unless these do not end
 */
export async function pacedFetch(path, init) {
  for (let attempt = 1; ; attempt += 1) {
    await ownTurn(init.signal);
    const outcome = await fetch(path, init).catch((error) => error);
    const wait = attempt < ATTEMPTS ? secondsToWait(outcome, attempt) : undefined;
    if (wait === undefined) {
      if (outcome instanceof Response) return outcome;
      throw outcome;
    }
    await told(wait, init.signal);
  }
}

/** @param {AbortSignal} signal */
async function ownTurn(signal) {
  const mine = turn.then(() => token(signal));
  turn = mine.catch(() => {});
  await mine;
}

/** @param {AbortSignal} signal */
async function token(signal) {
  signal.throwIfAborted();
  const now = performance.now();
  tokens = Math.min(BURST, tokens + ((now - counted) / 1000) * PER_SECOND);
  counted = now;
  tokens -= 1;
  if (tokens < 0) await pause(-tokens / PER_SECOND, signal);
}

/**
 * @param {unknown} outcome
 * @param {number} attempt from 1
 * @returns {number | undefined} seconds, or undefined when the outcome stands
 */
function secondsToWait(outcome, attempt) {
  if (!(outcome instanceof Response || outcome instanceof ProblemError)) return undefined;
  if (outcome.status !== 429 && outcome.status !== 503) return undefined;
  const asked = outcome instanceof Response ? retryAfter(outcome) : outcome.retryAfter;
  const wait = asked ?? 2 ** (attempt - 1);
  return wait <= LONGEST_WAIT ? Math.max(wait, 0.5) : undefined;
}

/**
 * @param {number} seconds
 * @param {AbortSignal} signal
 */
async function told(seconds, signal) {
  for (const watcher of watchers) watcher(Math.ceil(seconds));
  try {
    await pause(seconds, signal);
  } finally {
    for (const watcher of watchers) watcher(0);
  }
}

/**
 * @param {number} seconds
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
function pause(seconds, signal) {
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
