// @ts-check
/** Turns what went wrong into a sentence for the person, and tells what is no fault at all. */

import { NetworkError, ProblemError } from "/auth/client.js";
import { LoadError } from "./late.js";
import { LexofficeError } from "./lexoffice.js";
import { t } from "./preferences.js";

/** @typedef {{title: string, text: string, says: string[], id: string | undefined}} Fault */

/** @typedef {typeof t.faults} Texts */
/** @typedef {{[K in keyof Texts]: Texts[K] extends string[] ? K : never}[keyof Texts]} Kind those with title and text */

/** @type {Record<string, Kind>} */
const BY_CODE = {
  session_required: "session",
  store_unavailable: "store",
  record_unreadable: "store",
  store_error: "store",
  resource_server_unreachable: "down",
  resource_server_broken: "down",
  resource_server_error: "down",
  resource_server_timeout: "slow",
  authorization_server_timeout: "signIn",
  cross_site_refused: "refused",
  csrf_header_missing: "refused",
  route_unknown: "notFound",
};

/** @type {Record<number, Kind>} */
const BY_STATUS = {
  400: "invalid",
  401: "down", // lexoffice answers so during its own outages; a session that ended is the gateway's problem document
  402: "contract",
  403: "forbidden",
  404: "notFound",
  406: "invalid",
  409: "conflict",
  429: "busy",
  500: "failed",
  502: "down",
  503: "down",
  504: "slow",
};

/**
 * @param {unknown} error
 * @returns {Fault}
 */
export function explain(error) {
  const [title = "", text = ""] = t.faults[kindOf(error)];
  return {
    title,
    text,
    says: error instanceof LexofficeError && error.status < 500 ? error.messages : [], // later ones are for programmers
    id: error instanceof ProblemError ? error.requestId : error instanceof LexofficeError ? error.traceId : undefined,
  };
}

/**
 * @param {unknown} error
 * @returns {Kind}
 */
function kindOf(error) {
  if (error instanceof NetworkError) return "offline";
  if (error instanceof LoadError) return navigator.onLine ? "view" : "offline";
  if (error instanceof LexofficeError) return BY_STATUS[error.status] ?? "other";
  if (!(error instanceof ProblemError)) return "other";
  if (error.code in BY_CODE) return BY_CODE[error.code] ?? "other";
  return error.code.startsWith("authorization_server") ? "signIn" : BY_STATUS[error.status] ?? "other";
}

/** @param {unknown} error whether it only says that the reader has gone elsewhere */
export const isAborted = (error) => error instanceof DOMException && error.name === "AbortError";

/** @param {unknown} error whether the session is gone, which the dialog tells */
export const isSessionEnd = (error) => error instanceof ProblemError && error.status === 401 && Boolean(error.loginUrl);

/** @param {unknown} error whether it goes by itself, with the connection or what was down coming back */
export const isPassing = (error) =>
  error instanceof NetworkError || error instanceof LoadError || (error instanceof ProblemError && error.status === 503);
