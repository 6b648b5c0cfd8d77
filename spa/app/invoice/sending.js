// @ts-check
/** Sends an invoice once. lexoffice knows no idempotency keys: what may have been performed is for a person to look after. */

import { ProblemError, fetch, retryAfter } from "/auth/client.js";
import { readError } from "../lexoffice.js";

/**
 * @typedef {{kind: "made", id: string | undefined} | {kind: "refused" | "doubt", error: unknown}} Outcome `refused`: nothing was
 *   made; `doubt`: nobody can tell
 */

const NAME = "invoice";
const ATTEMPTS = 4;
const LONGEST_PAUSE = 20;
const PATIENCE_SECONDS = 25;
const FIRST_SERVER_ERROR = 500;
const TOO_MANY = 429;
/** Codes of the gateway's 5xx answers that say: it was not sent on. */
const NOT_SENT = /^(store_|record_|clock_|authorization_|token_|metadata_|identity_|invalid_grant|client_refused|gateway_full|upstream_full|resend_required|resource_server_unreachable)/;

/**
 * @param {Record<string, unknown>} order
 * @param {boolean} isFinal
 * @returns {Promise<Outcome>}
 */
export const sendInvoice = (order, isFinal) => concluded(() => post(order, isFinal), () => post(order, isFinal));

/**
 * @param {Promise<Response>} resumed the call that this tab kept when it left to sign in
 * @param {Record<string, unknown> | undefined} order the same again, for an answer that says that it was not performed
 * @param {boolean} isFinal
 * @returns {Promise<Outcome>}
 */
export const resumeInvoice = (resumed, order, isFinal) => concluded(() => resumed, order && (() => post(order, isFinal)));

/**
 * @param {Record<string, unknown>} order
 * @param {boolean} isFinal
 */
function post(order, isFinal) {
  return fetch(`/api/v1/invoices${isFinal ? "?finalize=true" : ""}`, {
    method: "POST", body: JSON.stringify(order), headers: { "Content-Type": "application/json", Accept: "application/json" },
    urgency: 0, patience: PATIENCE_SECONDS, resume: NAME });
}

/**
 * @param {() => Promise<Response>} call
 * @param {(() => Promise<Response>)} [again] after a 429, which was not performed
 * @returns {Promise<Outcome>}
 */
async function concluded(call, again) {
  let next = call;
  for (let attempt = 1; ; attempt += 1) {
    const outcome = await next().catch((error) => error);
    const pause = attempt < ATTEMPTS ? secondsToPause(outcome, attempt) : undefined;
    if (pause === undefined || !again) return judged(outcome);
    next = again;
    await new Promise((resolve) => setTimeout(resolve, pause * 1000));
  }
}

/**
 * @param {unknown} outcome
 * @param {number} attempt
 * @returns {number | undefined}
 */
function secondsToPause(outcome, attempt) {
  if (!(outcome instanceof Response || outcome instanceof ProblemError) || outcome.status !== TOO_MANY) return undefined;
  const asked = outcome instanceof Response ? retryAfter(outcome) : outcome.retryAfter;
  const pause = asked ?? 2 ** (attempt - 1);
  return pause <= LONGEST_PAUSE ? Math.max(pause, 0.5) : undefined;
}

/**
 * @param {unknown} outcome
 * @returns {Promise<Outcome>}
 */
async function judged(outcome) {
  if (outcome instanceof Response) {
    if (outcome.ok) return { kind: "made", id: await idIn(outcome) };
    return { kind: outcome.status < FIRST_SERVER_ERROR ? "refused" : "doubt", error: await readError(outcome) };
  }
  const isRefused = outcome instanceof ProblemError
    ? outcome.status < FIRST_SERVER_ERROR || NOT_SENT.test(outcome.code)
    : outcome instanceof DOMException && outcome.name === "AbortError";
  return { kind: isRefused ? "refused" : "doubt", error: outcome };
}

/** @param {Response} answer @returns {Promise<string | undefined>} it was made, even if its number was lost on the way */
async function idIn(answer) {
  const body = await answer.json().catch(() => ({}));
  return typeof body?.id === "string" ? body.id : undefined;
}
