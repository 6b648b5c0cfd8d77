// @ts-check
/**
 * The receipts of this visit and what becomes of each: judged, sent two at a time, told how it ended. It outlives the view,
 * so that a person can go on while files are sent, and the end of a session: what was not taken goes on after signing in.
 */

import { NetworkError, onSession, onSessionEnded, session } from "/auth/client.js";
import { explain, isAborted, isSessionEnd } from "../faults.js";
import { forgetVoucher, readError } from "../lexoffice.js";
import { BESIDE, inTurn } from "../pace.js";
import { LARGEST, fittingName, judge } from "./accepted.js";
import { isOpenEnded, secondsToPause } from "./outcome.js";
import { post } from "./post.js";
import { shrunk } from "./shrink.js";

/** @typedef {import("/auth/client.js").ActiveSession} ActiveSession */
/** @typedef {"checking" | "refused" | "shrinking" | "waiting" | "sending" | "held" | "done" | "failed" | "unknown"} State */
/** @typedef {{type: import("../vouchers.js").Type, id: string, number: string}} Booking one that is there already; its number comes late */
/**
 * @typedef {object} Receipt
 * @property {string} id
 * @property {Booking} [booking] to which it is added; else lexoffice makes a new one of it
 * @property {string} name under which it is sent
 * @property {string} [named] what it was called, if that has to change
 * @property {Blob} file what is sent
 * @property {number} [was] bytes before it was made smaller
 * @property {State} state
 * @property {import("./accepted.js").Problem} [problem] why it is refused
 * @property {boolean} [canShrink]
 * @property {boolean} [canSend] all the same
 * @property {string} digest
 * @property {string} [picture] a blob: URL
 * @property {number} sent the part that has left the browser, from 0 to 1
 * @property {boolean} isSent all of it has
 * @property {boolean} [isBegun] it may have begun to
 * @property {number} attempts
 * @property {import("../faults.js").Fault} [fault]
 * @property {boolean} [isLost] it failed for want of a connection
 * @property {string} [fileId] lexoffice's
 */

/** The app takes all that it knows off the screen then, whoever comes next. */
const GONE = new Set(["signed_out", "signed_out_elsewhere", "grant_ended", "replaced"]);
const AT_ONCE = 2;
const ATTEMPTS = 4;

/** @type {Receipt[]} */
let receipts = [];
/** @type {Set<() => void>} */
const watchers = new Set();
/** @type {Map<string, AbortController>} */
const underWay = new Map();
/** @type {string | undefined} whose they are */
let owner;
let pausedUntil = 0;
let lastId = 0;
let checking = Promise.resolve();

export const all = () => receipts;

/** @param {() => void} callback after every change @param {AbortSignal} signal */
export function watch(callback, signal) {
  watchers.add(callback);
  signal.addEventListener("abort", () => watchers.delete(callback));
}

/** @param {ActiveSession} present nobody sees or sends what somebody else has chosen */
export function openFor(present) {
  const now = identity(present);
  if (owner !== undefined && owner !== now) clear();
  owner = now;
}

/** @param {ActiveSession} session a person, and the firm whose books the receipts are for */
const identity = ({ subject, claims }) => JSON.stringify([subject, claims.organization_id]);

/** @param {{file: File, isFolder?: boolean}[]} chosen @param {Booking} [booking] */
export function add(chosen, booking) {
  for (const { file, isFolder } of chosen) {
    const receipt = { id: `receipt-${(lastId += 1)}`, name: file.name, booking, file, state: /** @type {State} */ ("checking"),
      digest: "", sent: 0, isSent: false, attempts: 0 };
    receipts.push(receipt);
    if (isFolder) change(receipt, { state: "refused", problem: "folder" });
    else checking = checking.then(() => check(receipt));
  }
  tell();
}

/** @param {Receipt} receipt */
async function check(receipt) {
  const { kind, problem, digest } = await judge(receipt.file);
  if (!receipts.includes(receipt)) return;
  const name = kind ? fittingName(receipt.name, kind) : receipt.name;
  const picture = kind?.isPicture ? URL.createObjectURL(receipt.file) : undefined;
  const isKnown = digest !== "" && receipts.some((other) => other !== receipt && other.digest === digest && other.booking?.id === receipt.booking?.id);
  change(receipt, { name, digest, picture, ...(name === receipt.name ? {} : { named: receipt.name }) });
  if (isKnown) change(receipt, { state: "refused", problem: "duplicate", canSend: receipt.file.size <= LARGEST });
  else if (problem) change(receipt, { state: "refused", problem, canShrink: problem === "size" && kind?.isPicture });
  else change(receipt, { state: "waiting" });
}

/** @param {string} id of a photo that is too large */
export async function shrink(id) {
  const receipt = found(id);
  change(receipt, { state: "shrinking" });
  const file = await shrunk(receipt.file);
  if (!receipts.includes(receipt)) return;
  if (!file) return change(receipt, { state: "refused", canShrink: false });
  const name = receipt.name.replace(/\.png$/i, ".jpg");
  return change(receipt, { state: "waiting", problem: undefined, was: receipt.file.size, file, name });
}

/** @param {string} id of one that failed, or that shall be sent all the same */
export function send(id) {
  change(found(id), { state: "waiting", problem: undefined, fault: undefined, isLost: false, attempts: 0 });
}

/** Those that failed, which were certainly not taken. */
export function sendFailed() {
  for (const { id, state } of [...receipts]) if (state === "failed") send(id);
}

function sendLost() {
  for (const { id, state, isLost } of [...receipts]) if (state === "failed" && isLost) send(id);
}

/** @param {string} id taken off the list; what is under way is broken off, as long as it has not all been sent */
export function remove(id) {
  const receipt = found(id);
  underWay.get(id)?.abort();
  if (receipt.picture) URL.revokeObjectURL(receipt.picture);
  receipts = receipts.filter((other) => other !== receipt);
  tell();
}

export function removeDone() {
  for (const { id, state } of [...receipts]) if (state === "done") remove(id);
}

function clear() {
  for (const { id } of [...receipts]) remove(id);
}

/** @param {string} id */
function found(id) {
  const receipt = receipts.find((one) => one.id === id);
  if (!receipt) throw new Error(`no receipt ${id}`);
  return receipt;
}

/** @param {Receipt} receipt @param {Partial<Receipt>} news */
function change(receipt, news) {
  Object.assign(receipt, news);
  tell();
}

function tell() {
  pump();
  guard();
  for (const watcher of [...watchers]) watcher();
}

function pump() {
  if (performance.now() < pausedUntil) return;
  for (const receipt of receipts) {
    if (underWay.size >= AT_ONCE) return;
    if (receipt.state === "waiting") upload(receipt);
  }
}

/** @param {Receipt} receipt */
async function upload(receipt) {
  const leaving = new AbortController();
  underWay.set(receipt.id, leaving);
  Object.assign(receipt, { state: "sending", sent: 0, isSent: false, isBegun: false, attempts: receipt.attempts + 1 });
  try {
    const answer = await inTurn(BESIDE, leaving.signal, () => posted(receipt, leaving.signal));
    if (!answer) return change(receipt, { state: "held" });
    if (!answer.ok) throw await readError(answer);
    const { id } = await answer.json().catch(() => ({})); // taken it is, whatever is said of it
    if (receipt.booking) forgetVoucher(receipt.booking.id);
    change(receipt, { state: "done", fileId: id });
  } catch (error) {
    if (!isAborted(error)) ended(receipt, error);
  } finally {
    underWay.delete(receipt.id);
    tell();
  }
}

/**
 * @param {Receipt} receipt
 * @param {AbortSignal} signal
 * @returns {Promise<Response | undefined>} undefined when there is no session: nothing was sent
 */
async function posted(receipt, signal) {
  const present = await session(); // before five megabytes go out in vain, or in somebody else's name
  if (!present.active) return undefined;
  if (identity(present) !== owner) return void clear();
  const form = new FormData();
  form.append("file", receipt.file, receipt.name);
  form.append("type", "voucher");
  const { booking } = receipt;
  receipt.isBegun = true;
  return post(booking ? `/api/v1/vouchers/${encodeURIComponent(booking.id)}/files` : "/api/v1/files", form, { csrfHeader: present.csrf_header, urgency: BESIDE, signal,
    progress: (sent) => Math.floor(sent * 100) > Math.floor(receipt.sent * 100) && change(receipt, { sent }), sent: () => change(receipt, { isSent: true }) });
}

/** @param {Receipt} receipt @param {unknown} error */
function ended(receipt, error) {
  const pause = receipt.attempts < ATTEMPTS ? secondsToPause(error) : undefined;
  if (isSessionEnd(error)) {
    change(receipt, { state: "held" });
    goOnIfBack(receipt);
  } else if (pause !== undefined) {
    pausedUntil = Math.max(pausedUntil, performance.now() + pause * 1000);
    change(receipt, { state: "waiting" });
    setTimeout(tell, pause * 1000 + 1);
  } else {
    // Firefox tells how far it is some 50 ms late: of what it has told nothing all may have left.
    const isSent = receipt.isSent || Boolean(receipt.isBegun && receipt.sent === 0);
    change(receipt, { state: isOpenEnded(error, isSent) ? "unknown" : "failed", fault: explain(error),
      isLost: error instanceof NetworkError });
    if (receipt.state === "failed" && receipt.isLost) goOnIfReached(receipt);
  }
}

/** By asking, whoever shows that a session has ended hears of it; a sign-in during the upload was told already. @param {Receipt} receipt */
async function goOnIfBack(receipt) {
  const present = await session().catch(() => undefined);
  if (!present?.active || identity(present) !== owner) return;
  if (receipt.state === "held" && receipt.attempts < ATTEMPTS) change(receipt, { state: "waiting" });
}

/**
 * Of a connection that was lost before anything was sent: it may be there again already, which nobody tells. And a gateway
 * that refuses a large file may be heard no more, while the file is still being sent.
 * @param {Receipt} receipt
 */
async function goOnIfReached(receipt) {
  const present = await session().catch(() => undefined);
  if (!present || receipt.state !== "failed") return;
  if (!present.active) change(receipt, { state: "held" });
  else if (!receipt.isBegun && receipt.attempts < ATTEMPTS) change(receipt, { state: "waiting", fault: undefined, isLost: false });
}

const UNFINISHED = new Set(["checking", "shrinking", "waiting", "sending", "held"]);

export const isUnfinished = () => receipts.some(({ state }) => UNFINISHED.has(state));

/** @param {Event} event files that were not sent are lost with the page; but if the app empties it, they have to be */
const ask = (event) => document.body.hasChildNodes() && event.preventDefault();

function guard() {
  if (isUnfinished()) addEventListener("beforeunload", ask);
  else removeEventListener("beforeunload", ask);
}

onSession((present) => {
  if (!present.active) return;
  if (owner !== undefined && identity(present) !== owner) return clear();
  for (const receipt of receipts) if (receipt.state === "held") Object.assign(receipt, { state: "waiting", attempts: 0 });
  tell();
});

onSessionEnded(({ reason }) => GONE.has(reason) && clear());
addEventListener("lexgate:reached", sendLost);
