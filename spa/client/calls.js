// @ts-check
/** Calls of the gateway: the CSRF header, problem documents as errors, who waits, and what they tell of session and reach. */

import { hold, take, waits } from "./resume.js";
import { csrf, end, gateway, heard, outline, who, known, send } from "./tabs.js";
import { callBegins } from "./waiting.js";

/** @typedef {import("./client.js").Session} Session */

/** @typedef {import("./client.js").ProblemError} Problem */

const LONGEST_MS = 30_000;
export const ProblemError = /** @type {typeof import("./client.js").ProblemError} */ (/** @type {unknown} */ (
  class extends Error {
    name = "ProblemError";

    /**
     * @param {Response} response
     * @param {Record<string, any>} problem
     */
    constructor(response, { code = "unknown", title = "", detail = "", reason, login_url: loginUrl, instance: requestId }) {
      const { status } = response;
      super(detail || title || `HTTP ${status}`);
      Object.assign(this, { status, code: String(code), title, detail, reason, loginUrl, retryAfter: retryAfter(response), requestId });
    }
  }
));

export class NetworkError extends Error {
  /** @type {"NetworkError"} */
  name = "NetworkError";

  /** @param {unknown} cause */
  constructor(cause) {
    super("No answer", { cause });
  }
}

/** @type {typeof import("./client.js").retryAfter} */
export function retryAfter(response) {
  const value = response.headers.get("Retry-After") ?? "";
  const seconds = Number(value) || (Date.parse(value) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, Math.ceil(seconds)) : undefined;
}

/** @type {Promise<Session> | undefined} */
let asking;

/** @type {typeof import("./client.js").session} */
export const session = () => (asking ??= ask().finally(() => (asking = undefined)));
/** @param {string} [path] @param {string} [method] @returns {Promise<Session>} */
async function ask(path = "/auth/session", method) {
  const before = who(known.session), { back } = known;
  const found = await own(path, method);
  // Answered while the session ended, or another began, or before the page was left: the older answer must not count.
  if (back !== known.back || ![before, who(found)].includes(who(known.session))) return ask();
  send({ session: found });
  return found;
}
/** Asks, though an answer may be on its way: that one is older. */
export const askAnew = async () => {
  await asking?.catch(() => {});
  return session();
};
heard("message").add((/** @type {import("./tabs.js").Message} */ { type, keeper, session: told }) => {
  // A keeper remembers: of a page that comes from a sign-in, or a sign-out, it may know the session before.
  const ask = type === "signed-in" ? askAnew : keeper && told && outline(told) !== outline(known.session) && session;
  if (ask) ask().catch(({ status }) => status !== 503 && send({ probe: true })); // of an outage the keeper knows
});

/** @type {typeof import("./client.js").keepAlive} */
export const keepAlive = () => ask("/auth/session/refresh", "POST");

/**
 * @param {string} path
 * @param {string} [method]
 * @returns {Promise<any>} the document that the gateway answers
 */
export async function own(path, method) {
  try {
    // What hangs, a connection that nobody ends, would keep all others waiting.
    const response = await tried(new Request(gateway + path, { method, signal: AbortSignal.timeout?.(LONGEST_MS) }));
    if (!response.ok) throw new ProblemError(response, {});
    return await response.json();
  } catch (error) {
    throw /** @type {any} */ (error)?.name === "TimeoutError" ? new NetworkError(error) : error;
  }
}

/**
 * @param {RequestInfo | URL} input
 * @param {import("./client.js").CallInit} [init]
 * @param {string} [subject] whose call it is
 * @returns {Promise<Response>}
 */
export async function fetch(input, init = {}, subject = known.subject) {
  const url = /^\/\w/.test(String(input)) ? gateway + input : input;
  // The same arguments make the same request again; a stream, or a Request, is used up.
  const isLasting = !(input instanceof Request || init.body instanceof ReadableStream);
  const request = new Request(url, init);
  if (typeof init.resume === "string") take(init.resume); // of those that were kept by a name the newest counts
  const headers = [...request.headers];
  const spare = !isLasting && waits(init) && request.clone();
  const again = () => tried(spare || new Request(url, init), init);
  return tried(request, init).catch((error) => {
    // Nothing was performed: the token was renewed under a body that the gateway could not keep.
    if (error?.code === "resend_required" && isLasting) return again();
    if (error?.loginUrl && waits(init)) return hold({ error, subject, again, request, headers, init });
    throw error;
  });
}

/**
 * @param {Request} request
 * @param {import("./client.js").CallInit} [init]
 */
const tried = (request, init) =>
  once(request, init).catch(async (error) => {
    // The call may have begun before a new sign-in: its answer ends nothing, unless there is no better one.
    if (error?.loginUrl) await askAnew().catch(() => end(error.reason));
    throw error;
  });

/**
 * @param {Request} request
 * @param {import("./client.js").CallInit} [init]
 */
async function once(request, { urgency, patience } = {}) {
  const { origin, pathname } = new URL(request.url);
  // The header is a secret of nobody, but another origin would answer it with a failed preflight.
  if (origin !== gateway) return globalThis.fetch(request);
  for (const [name, value] of Object.entries(csrf())) request.headers.set(name, value);
  if (urgency !== undefined) request.headers.set("Priority", "u=" + urgency); // RFC 9218
  if (patience !== undefined) request.headers.set("Prefer", "wait=" + patience); // RFC 7240
  const ends = pathname.startsWith("/api/") && callBegins();
  /** @type {Response | undefined} */
  let response;
  try {
    response = await globalThis.fetch(request, { credentials: "include" });
  } catch (error) {
    if (request.signal.aborted) throw error;
    send({ probe: true });
    throw new NetworkError(error);
  } finally {
    if (ends) ends(response);
  }
  if (!response.ok && response.headers.get("Content-Type")?.startsWith("application/problem")) {
    const document = (await response.clone().json().catch(() => {})) ?? {};
    // The resource server may tell its own in the same way: that is an answer.
    if (pathname.startsWith("/auth/") || /^urn:request:/.test(document.instance)) {
      const problem = new ProblemError(response, document);
      // What the gateway lacks itself no other call would find; but `upstream_full` and `resend_required` are this call's alone.
      if (problem.status === 503 && !/^(up|resend)/.test(problem.code)) send({ reach: { state: "outage", retryAfter: problem.retryAfter } });
      throw problem;
    }
  }
  if (response.ok && known.reach.state !== "online") send({ reach: { state: "online" } });
  return response;
}
