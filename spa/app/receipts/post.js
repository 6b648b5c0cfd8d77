// @ts-check
/** Sends a file with its progress, which the platform's `fetch` does not tell; errors are those of the client's. */

import { NetworkError, ProblemError } from "/auth/client.js";

const PATIENCE_SECONDS = 25;
const WITHOUT_BODY = new Set([204, 205, 304]);

/**
 * @typedef {object} Post
 * @property {Record<string, string>} csrfHeader
 * @property {number} urgency
 * @property {AbortSignal} signal
 * @property {(sent: number) => void} progress told the part that has left the browser, from 0 to 1
 * @property {() => void} sent told when all has left it: from now on nobody can be sure that it was not taken
 */

/**
 * @param {string} path
 * @param {FormData} form
 * @param {Post} post
 * @returns {Promise<Response>} any answer that is no problem document of the gateway's
 * @throws ProblemError, NetworkError, and AbortError when the signal says so
 */
export async function post(path, form, { csrfHeader, urgency, signal, progress, sent }) {
  signal.throwIfAborted();
  const call = new XMLHttpRequest();
  call.open("POST", path);
  call.responseType = "arraybuffer";
  const fields = { ...csrfHeader, Accept: "application/json", Priority: `u=${urgency}`, Prefer: `wait=${PATIENCE_SECONDS}` };
  for (const [name, value] of Object.entries(fields)) call.setRequestHeader(name, value);
  call.upload.onprogress = ({ loaded, total }) => {
    progress(total > 0 ? loaded / total : 0);
    if (loaded === total) sent(); // Firefox tells the end only when the answer begins
  };
  call.upload.onload = sent;
  const stop = () => call.abort();
  signal.addEventListener("abort", stop);
  try {
    await ended(call, form);
  } finally {
    signal.removeEventListener("abort", stop);
  }
  signal.throwIfAborted();
  if (call.status === 0) throw new NetworkError(new Error("the connection was lost"));
  return answered(responseOf(call));
}

/**
 * @param {XMLHttpRequest} call
 * @param {FormData} form
 */
function ended(call, form) {
  return new Promise((resolve) => {
    call.onloadend = resolve;
    call.send(form);
  });
}

/** @param {XMLHttpRequest} call */
function responseOf(call) {
  const headers = new Headers();
  for (const line of call.getAllResponseHeaders().trim().split("\r\n")) {
    const colon = line.indexOf(":");
    if (colon > 0) headers.append(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  return new Response(WITHOUT_BODY.has(call.status) ? null : call.response, { status: call.status, headers });
}

/** @param {Response} response */
async function answered(response) {
  const isProblem = /^application\/problem\+json\b/i.test(response.headers.get("Content-Type") ?? "");
  const problem = !response.ok && isProblem && await response.clone().json().catch(() => undefined);
  // By the same as the client: one of the resource server's says nothing of what the gateway passed on.
  if (/^urn:request:/.test(problem?.instance)) throw new ProblemError(response, problem);
  return response;
}
