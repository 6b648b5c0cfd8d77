// @ts-check
/** One receipt of this visit: what it is, how it fares, and what can be done. */

import { h, icon } from "../dom.js";
import { fileLink } from "../files.js";
import { filePath, readFile } from "../lexoffice.js";
import { typeName } from "../parts.js";
import { t } from "../preferences.js";
import { LARGEST } from "./accepted.js";
import { atLeast, fileSize } from "./sizes.js";

/** @typedef {import("./queue.js").Receipt} Receipt */
/** @typedef {typeof import("../../i18n/receipts.js").de} Texts */
/** @typedef {"send" | "shrink" | "remove"} Action */
/**
 * @typedef {object} Row
 * @property {Texts} s
 * @property {AbortSignal} signal of the visit
 * @property {(action: Action, id: string) => void} act
 */

/** @type {Partial<Record<import("./queue.js").State, "alert" | "check">>} */
const SIGNS = { refused: "alert", failed: "alert", unknown: "alert", done: "check" };

/**
 * @param {Receipt} receipt
 * @param {Row} row
 */
export function receiptRow(receipt, row) {
  const { id, state, name, named, was, file, booking } = receipt;
  const { s } = row;
  const sign = SIGNS[state];
  return h("li", { class: `receipt receipt-${state}`, "data-key": id, "data-state": state, "data-testid": "receipt" },
    picture(receipt),
    h("div", { class: "receipt-text" },
      h("p", { class: "receipt-name" }, h("strong", {}, name), " ",
        h("span", { class: "quiet" }, size(receipt))),
      booking && h("p", { class: "quiet small", "data-key": "booking" }, s.addedTo,
        h("a", { href: `/vouchers/${booking.type}/${booking.id}` }, bookingName(booking))),
      named !== undefined && h("p", { class: "quiet small", "data-key": "named" }, s.renamed(named)),
      was !== undefined && h("p", { class: "quiet small", "data-key": "was" }, s.shrunk(fileSize(was), fileSize(file.size))),
      progress(receipt, s),
      h("p", { class: "receipt-said", "data-key": `said-${state}` }, sign && icon(sign), h("span", {}, said(receipt, s)))),
    h("div", { class: "actions" }, actions(receipt, row)), closeButton(receipt, row));
}

/** @param {import("./queue.js").Booking} booking */
export const bookingName = ({ type, number }) => `${typeName(type)} ${number}`.trim();

/** @param {Receipt} receipt */
const size = ({ file }) => (file.size > LARGEST ? atLeast(file.size) : fileSize(file.size));

/** @param {Receipt} receipt */
function picture({ picture: source, name }) {
  return h("div", { class: "receipt-picture", "data-key": source ? "picture" : "ending", "aria-hidden": "true" },
    source ? h("img", { src: source, alt: "", decoding: "async" }) : h("span", {}, name.split(".").pop()?.slice(0, 4).toUpperCase() ?? ""));
}

/** @param {Receipt} receipt @param {Texts} s */
function progress({ state, sent, name }, s) {
  return state === "sending" && h("progress", { max: 100, value: Math.floor(sent * 100), "data-key": "progress",
    "aria-label": s.progress(name) }, `${Math.floor(sent * 100)} %`);
}

/** @param {Receipt} receipt @param {Texts} s */
function said({ state, problem, sent, isSent, fault, file, canShrink }, s) {
  switch (state) {
    case "refused":
      if (problem === "size") return `${s.problems.size(atLeast(file.size))} ${canShrink ? s.canShrink : ""}`.trim();
      return problem ? s.problems[problem] : s.cannotShrink;
    case "sending":
      return isSent ? s.states.taking : s.states.sending(Math.floor(sent * 100));
    case "failed":
      return [`${fault?.title}. ${s.notTaken}`, ...(fault?.says ?? []).map((text) => `${t.faults.says} ${text}`)].join(" ");
    case "unknown":
      return s.unknown;
    default:
      return s.states[state];
  }
}

/** @param {Receipt} receipt @param {Row} row */
function actions({ id, name, state, canShrink, canSend, fileId }, { s, signal, act }) {
  const button = (/** @type {Action} */ action, /** @type {string} */ text, isQuiet = false) =>
    h("button", { type: "button", class: isQuiet ? "button button-quiet" : "button", "data-key": action,
      "aria-label": `${text}: ${name}`, onclick: () => act(action, id) }, text);
  const again = state === "failed" || state === "unknown" || (state === "refused" && canSend);
  return [
    state === "refused" && canShrink && button("shrink", s.shrink),
    again && button("send", state === "failed" ? s.again : s.anyway, state !== "failed"),
    state === "done" && fileId !== undefined && openLink(fileId, name, s, signal),
  ];
}

/** What has left the browser as a whole cannot be called back. @param {Receipt} receipt @param {Row} row */
function closeButton({ id, name, state, isSent }, { s, act }) {
  const text = state === "sending" || state === "waiting" || state === "held" ? s.cancel : s.remove;
  return h("button", { type: "button", class: "receipt-close", "data-key": "remove", "aria-label": `${text}: ${name}`, title: text,
    "aria-disabled": state === "sending" && isSent ? "true" : undefined, onclick: () => act("remove", id) }, icon("close"));
}

/**
 * @param {string} fileId
 * @param {string} name
 * @param {Texts} s
 * @param {AbortSignal} signal
 */
function openLink(fileId, name, s, signal) {
  const said = h("span", { class: "said", role: "status" });
  const path = filePath(fileId);
  const link = fileLink({ path, name, text: s.open, said, read: () => readFile(path, signal) }, "receipt-open");
  return h("span", { class: "receipt-open", "data-key": "open", "data-whole": fileId }, link, said);
}
