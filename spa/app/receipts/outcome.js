// @ts-check
/** What a failed upload means: whether lexoffice may have the file all the same, and when trying again makes sense. */

import { NetworkError, ProblemError } from "/auth/client.js";
import { LexofficeError } from "../lexoffice.js";

/** The gateway sent the call, and no answer came. */
const OPEN_ENDED = new Set(["resource_server_timeout", "resource_server_broken", "internal_error"]);
/** Of whoever stands between: it was passed on, and no sound answer came back (RFC 9110 §15.6.3, §15.6.5). */
const OF_THE_WAY = new Set([502, 504]);
const LONGEST_PAUSE = 30;
const PAUSE = 2;

/**
 * @param {unknown} error
 * @param {boolean} isSent whether all of the file had left the browser
 * @returns {boolean} whether nobody knows if lexoffice has it
 */
export function isOpenEnded(error, isSent) {
  if (error instanceof NetworkError) return isSent;
  if (error instanceof ProblemError) return OPEN_ENDED.has(error.code);
  return error instanceof LexofficeError ? OF_THE_WAY.has(error.status) : isSent;
}

/**
 * @param {unknown} error
 * @returns {number | undefined} seconds after which to try again what was certainly not performed; undefined if that is not so
 */
export function secondsToPause(error) {
  if (error instanceof LexofficeError) return error.status === 429 ? PAUSE : undefined;
  if (!(error instanceof ProblemError) || (error.status !== 429 && error.status !== 503)) return undefined;
  if (error.code === "resend_required") return 0;
  const pause = error.retryAfter ?? PAUSE;
  return pause <= LONGEST_PAUSE ? pause : undefined;
}
