// @ts-check
/** Calls of the gateway: the CSRF header, problem documents as errors, who waits, and what they tell of session and reach. */

import { hold, waits } from "./resume.js";
import { active, csrf, gateway, heard, identity, known, note, send, share } from "./tabs.js";
import { callBegins } from "./waiting.js";

/** @typedef {import("./client.js").Session} Session */

/** What the gateway lacks itself, so that no call would fare better; a busy resource server (`upstream_full`) is no outage. */
const OUTAGE = /^(store_|record_|authorization_server_|client_refused|gateway_full)/;

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

/** @type {typeof import("./client.js").retryAfter} */
export function retryAfter(response) {
  const value = response.headers.get("Retry-After");
  if (value === null) return undefined;
  const seconds = /^\d+$/.test(value) ? Number(value) : (Date.parse(value) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, Math.ceil(seconds)) : undefined;
}

/** @type {Promise<Session> | undefined} */
let asking;

/** @type {typeof import("./client.js").session} */
export function session() {
  asking ??= ask().finally(() => {
    asking = undefined;
  });
  return asking;
}
/** @returns {Promise<Session>} */
async function ask() {
  const { turn } = known;
  const found = await own("/auth/session");
  // Answered while the session ended, or another began: the older answer must not count.
  return turn !== known.turn && identity(found) !== identity(known.session) ? ask() : share(found);
}
/** Asks, though an answer may be on its way: that one is older. */
export const askAnew = async () => {
  await asking?.catch(() => {});
  return session();
};
heard("message").add((/** @type {import("./tabs.js").Message} */ { type }) => type === "signed-in" && askAnew().catch(() => {}));

/** @type {typeof import("./client.js").keepAlive} */
export const keepAlive = async () => share(await own("/auth/session/refresh", "POST"));

/**
 * @param {string} path
 * @param {string} [method]
 * @returns {Promise<any>} the document that the gateway answers
 */
export async function own(path, method) {
  const response = await told(new Request(gateway + path, { method, headers: { Accept: "application/json" }, cache: "no-store" }));
  if (!response.ok) throw new ProblemError(response, {});
  return response.json();
}

/** @type {typeof import("./client.js").fetch} */
export const fetch = (input, init) => fetchAs(known.subject, input, init);

/**
 * @param {string | undefined} subject whose call it is
 * @param {RequestInfo | URL} input
 * @param {import("./client.js").CallInit} [init]
 * @returns {Promise<Response>}
 */
export async function fetchAs(subject, input, init = {}) {
  const url = typeof input === "string" && /^\/(?!\/)/.test(input) ? gateway + input : input;
  // The same arguments make the same request again; a stream, or a Request, is used up.
  const isLasting = !(input instanceof Request || init.body instanceof ReadableStream);
  const request = new Request(url, init);
  const headers = [...request.headers];
  const spare = isLasting || !waits(init) ? undefined : request.clone();
  const again = () => told(spare ?? new Request(url, init), init);
  try {
    return await told(request, init);
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    // Nothing was performed: the token was renewed under a body that the gateway could not keep.
    if (error.code === "resend_required" && isLasting) return again();
    if (error.loginUrl && waits(init)) return hold({ error, subject, again, request, headers, init });
    throw error;
  }
}

/**
 * @param {Request} request
 * @param {import("./client.js").CallInit} [init]
 */
async function told(request, init) {
  const { turn } = known;
  try {
    return await once(request, init);
  } catch (error) {
    if (error instanceof ProblemError && error.loginUrl) {
      // The call may have begun before a new sign-in: its answer alone ends nothing.
      await askAnew().catch(() => {
        if (turn === known.turn) note({ active: false, reason: error.reason ?? "none", login_url: error.loginUrl ?? "", csrf_header: csrf() });
      });
    }
    throw error;
  }
}

/**
 * @param {Request} request
 * @param {import("./client.js").CallInit} [init]
 */
async function once(request, { urgency, patience } = {}) {
  const { origin, pathname } = new URL(request.url);
  const isOwn = origin === gateway;
  // The header is a secret of nobody, but another origin would answer it with a failed preflight.
  if (isOwn) {
    for (const [name, value] of Object.entries(csrf())) request.headers.set(name, value);
    if (urgency !== undefined) request.headers.set("Priority", `u=${urgency}`); // RFC 9218
    if (patience !== undefined) request.headers.set("Prefer", `wait=${patience}`); // RFC 7240
  }
  const isCall = isOwn && pathname.startsWith("/api/");
  if (isCall) active();
  const ends = isCall ? callBegins() : undefined;
  /** @type {Response | undefined} */
  let response;
  try {
    response = await globalThis.fetch(request, isOwn ? { credentials: "include" } : undefined);
  } catch (error) {
    if (request.signal.aborted) throw error;
    if (isOwn) send({ probe: true });
    throw new NetworkError(error);
  } finally {
    ends?.(response);
  }
  if (!response.ok && /^application\/problem\+json\b/i.test(response.headers.get("Content-Type") ?? "")) {
    const problem = new ProblemError(response, await response.json().catch(() => ({})));
    if (problem.status === 503 && OUTAGE.test(problem.code)) send({ reach: { state: "outage", retryAfter: problem.retryAfter } });
    throw problem;
  }
  if (isOwn && response.ok && known.reach.state !== "online") send({ reach: { state: "online" } });
  return response;
}
