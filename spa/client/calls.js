// @ts-check
/** Calls of the gateway: the CSRF header, problem documents as errors, who waits, and what they tell of session and reach. */

import { hold, waits } from "./resume.js";
import { active, csrf, gateway, heard, identity, known, send, share } from "./tabs.js";
import { callBegins } from "./waiting.js";

/** @typedef {import("./client.js").Session} Session */

export class ProblemError extends Error {
  /** @type {"ProblemError"} */
  name = "ProblemError";

  /**
   * @param {Response} response
   * @param {Record<string, any>} problem
   */
  constructor(response, problem) {
    const { code = "unknown", title = "", detail = "", reason, login_url: loginUrl, instance: requestId } = problem;
    super(detail || title || `HTTP ${response.status}`);
    this.status = response.status;
    this.code = String(code);
    this.title = String(title);
    this.detail = String(detail);
    /** @type {import("./client.js").InactiveReason | undefined} */
    this.reason = reason;
    /** @type {string | undefined} */
    this.loginUrl = loginUrl;
    this.retryAfter = retryAfter(response);
    /** @type {string | undefined} */
    this.requestId = requestId;
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
  const value = response.headers.get("Retry-After") ?? "";
  const seconds = /^\d+$/.test(value) ? Number(value) : (Date.parse(value) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, Math.ceil(seconds)) : undefined;
}

/** @type {Promise<Session> | undefined} */
let asking;

/** @type {typeof import("./client.js").session} */
export const session = () => (asking ??= ask().finally(() => (asking = undefined)));
/** @returns {Promise<Session>} */
async function ask() {
  const before = identity(known.session);
  const found = await own("/auth/session");
  // Answered while the session ended, or another began: the older answer must not count.
  return [before, identity(found)].includes(identity(known.session)) ? share(found) : ask();
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
  const response = await told(new Request(gateway + path, { method }));
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
  try {
    return await once(request, init);
  } catch (error) {
    // The call may have begun before a new sign-in: its answer alone ends nothing.
    if (error instanceof ProblemError && error.loginUrl) await askAnew().catch(() => {});
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
    // What the gateway lacks itself no other call would find; but `upstream_full` and `resend_required` are this call's alone.
    if (problem.status === 503 && !/^(up|resend)/.test(problem.code)) send({ reach: { state: "outage", retryAfter: problem.retryAfter } });
    throw problem;
  }
  if (isOwn && response.ok && known.reach.state !== "online") send({ reach: { state: "online" } });
  return response;
}
