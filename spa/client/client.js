// @ts-check
/** The browser's side of the gateway: session, sign-in, sign-out, events, and calls with the CSRF header. */

import { eventsOf } from "./stream.js";
import { callBegins, onWaiting } from "./waiting.js";

export { onWaiting };

/** @typedef {import("./client.js").Session} Session */
/** @typedef {import("./client.js").SessionEnd} SessionEnd */

const SESSION_URL = "/auth/session";
const LOGIN_URL = "/auth/login";
const LOGOUT_URL = "/auth/logout";
const REFRESH_URL = "/auth/session/refresh";
const API = "/api/";
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** @type {Record<string, string>} */
let csrfHeader = { "X-CSRF": "1" };
let wasActive = false;
/** @type {string | undefined} */
let subject;
/** @type {Promise<Session> | undefined} */
let asking;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
/** @type {Set<(end: SessionEnd) => void>} */
const listeners = new Set();

export class ProblemError extends Error {
  /** @type {"ProblemError"} */
  name = "ProblemError";

  /**
   * @param {Response} response
   * @param {Record<string, any>} problem
   */
  constructor(response, problem) {
    super(problem.detail || problem.title || `HTTP ${response.status}`);
    this.status = response.status;
    this.code = String(problem.code ?? "unknown");
    this.title = String(problem.title ?? "");
    this.detail = String(problem.detail ?? "");
    /** @type {import("./client.js").InactiveReason | undefined} */
    this.reason = problem.reason;
    /** @type {string | undefined} */
    this.loginUrl = problem.login_url;
    this.retryAfter = retryAfter(response);
    /** @type {string | undefined} */
    this.requestId = problem.instance;
  }
}

export class NetworkError extends Error {
  /** @type {"NetworkError"} */
  name = "NetworkError";

  /** @param {unknown} cause */
  constructor(cause) {
    super("No answer came", { cause });
  }
}

/** @type {typeof import("./client.js").session} */
export function session() {
  asking ??= askForSession().finally(() => {
    asking = undefined;
  });
  return asking;
}

/** @returns {Promise<Session>} */
async function askForSession() {
  const response = await fetch(SESSION_URL, { headers: { Accept: "application/json" }, cache: "no-store" });
  if (!response.ok) throw new ProblemError(response, {});
  return noted(await response.json());
}

/**
 * @param {Session} found
 * @returns {Session}
 */
function noted(found) {
  csrfHeader = found.csrf_header;
  if (found.active) {
    wasActive = true;
    subject = found.subject;
    askAgainIn(Math.min(found.session.ends_in_seconds, found.session.idle_in_seconds) + 1);
  } else {
    endSession({ reason: found.reason, loginUrl: found.login_url });
  }
  return found;
}

/** @type {typeof import("./client.js").keepAlive} */
export async function keepAlive() {
  const response = await fetch(REFRESH_URL, { method: "POST" });
  if (!response.ok) throw new ProblemError(response, {});
  return noted(await response.json());
}

/** @param {number} seconds until the session ends, if nobody uses it in another tab or call */
function askAgainIn(seconds) {
  clearTimeout(timer);
  timer = setTimeout(() => session().catch(() => askAgainIn(30)), Math.min(seconds * 1000, LONGEST_TIMER_MS));
}

/** @param {SessionEnd} end */
function endSession(end) {
  clearTimeout(timer);
  if (!wasActive) return;
  wasActive = false;
  for (const callback of [...listeners]) callback(end);
}

/** @type {typeof import("./client.js").login} */
export function login({ returnTo = location.pathname + location.search } = {}) {
  location.assign(`${LOGIN_URL}?${new URLSearchParams({ return_to: returnTo })}`);
}

/** @type {typeof import("./client.js").logout} */
export async function logout() {
  clearTimeout(timer);
  const expected = wasActive;
  wasActive = false; // a 401 here is what was asked for, not news
  try {
    const response = await fetch(LOGOUT_URL, { method: "POST" });
    if (!response.ok) throw new ProblemError(response, {});
    const { logout_url: logoutUrl } = await response.json();
    location.assign(logoutUrl ?? "/");
  } catch (error) {
    if (!(error instanceof ProblemError && error.status === 401)) {
      wasActive = expected;
      throw error;
    }
    location.assign("/");
  }
}

/** @type {typeof import("./client.js").fetch} */
export async function fetch(input, init) {
  try {
    return await fetchOnce(input, init);
  } catch (error) {
    // Nothing was performed: the token was renewed under a body that the gateway could not keep.
    if (!(error instanceof ProblemError && error.code === "resend_required" && isRepeatable(input, init))) {
      throw error;
    }
    return fetchOnce(input, init);
  }
}

/** @type {typeof import("./client.js").fetch} */
async function fetchOnce(input, init) {
  const request = new Request(input, init);
  const { origin, pathname } = new URL(request.url);
  // The header is a secret of nobody, but another origin would answer it with a failed preflight.
  if (origin === location.origin) {
    for (const [name, value] of Object.entries({ ...csrfHeader, ...wishes(init) })) request.headers.set(name, value);
  }
  const isCall = origin === location.origin && pathname.startsWith(API);
  const ends = isCall ? callBegins() : undefined;
  /** @type {Response | undefined} */
  let response;
  try {
    response = await send(request);
  } finally {
    ends?.(response);
  }
  if (!response.ok && isProblem(response)) throw await readProblem(response);
  return response;
}

/**
 * @param {import("./client.js").CallInit} [init]
 * @returns {Record<string, string>} the fields (RFC 9218, RFC 7240) that tell the gateway's queue
 */
function wishes({ urgency, patience } = {}) {
  return {
    ...(urgency === undefined ? {} : { Priority: `u=${urgency}` }),
    ...(patience === undefined ? {} : { Prefer: `wait=${patience}` }),
  };
}

/**
 * Says whether the same arguments make the same request again: a stream, or a Request, is used up.
 * @param {RequestInfo | URL} input
 * @param {RequestInit} [init]
 */
function isRepeatable(input, init) {
  return !(input instanceof Request) && !(init?.body instanceof ReadableStream);
}

/** @param {Request} request */
async function send(request) {
  try {
    return await globalThis.fetch(request);
  } catch (error) {
    if (request.signal.aborted) throw error;
    throw new NetworkError(error);
  }
}

/** @param {Response} response */
function isProblem(response) {
  return /^application\/problem\+json\b/i.test(response.headers.get("Content-Type") ?? "");
}

/** @param {Response} response */
async function readProblem(response) {
  const problem = new ProblemError(response, await response.json().catch(() => ({})));
  if (problem.status === 401 && problem.loginUrl) {
    endSession({ reason: problem.reason ?? "none", loginUrl: problem.loginUrl });
  }
  return problem;
}

/** @type {typeof import("./client.js").retryAfter} */
export function retryAfter(response) {
  const value = response.headers.get("Retry-After");
  if (value === null) return undefined;
  const seconds = /^\d+$/.test(value) ? Number(value) : (Date.parse(value) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, Math.ceil(seconds)) : undefined;
}

/** @type {typeof import("./client.js").onSessionEnded} */
export function onSessionEnded(callback) {
  listeners.add(callback);
  return () => listeners.delete(callback);
}

/** @type {typeof import("./client.js").events} */
export const events = eventsOf({
  session,
  subjectNow: () => subject,
  began: () => {
    wasActive = true; // a page that never asked for its session is told of its end as well
  },
  ended: endSession,
});
