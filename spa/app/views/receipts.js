// @ts-check
/** Receipts on their way to lexoffice. */

import * as texts from "../../i18n/receipts.js";
import { h } from "../dom.js";
import { readVoucher } from "../lexoffice.js";
import { showMessage } from "../notices.js";
import { BESIDE } from "../pace.js";
import { announce, backLink, heading } from "../parts.js";
import { patch } from "../patch.js";
import { inLanguage } from "../preferences.js";
import { intake } from "../receipts/intake.js";
import * as queue from "../receipts/queue.js";
import { bookingName, receiptRow } from "../receipts/rows.js";
import { resourceOf, takesReceipts } from "../vouchers.js";

/** @typedef {import("../receipts/queue.js").Receipt} Receipt */
/** @typedef {typeof texts.de} Texts */

/**
 * @param {import("../router.js").Visit} visit
 * @returns {import("../parts.js").View}
 */
export function receiptsView({ signal, session, query }) {
  const s = inLanguage(texts);
  const booking = bookingOf(query);
  queue.openFor(session);
  const list = h("div", { class: "receipts-part" });
  const draw = () => patch(list, content(s, signal));
  const tellNews = teller(s);
  let isDue = false;
  queue.watch(() => {
    if (isDue) return;
    isDue = true;
    queueMicrotask(() => { // several changes of one moment are drawn once
      isDue = false;
      if (signal.aborted) return;
      draw();
      tellNews();
    });
  }, signal);
  signal.addEventListener("abort", () => tellElsewhere(s));
  draw();
  const take = (/** @type {import("../receipts/intake.js").Chosen[]} */ chosen) => queue.add(chosen, booking);
  return { title: s.title, node: h("div", {}, booking && backLink(`/vouchers/${booking.type}/${booking.id}`, s.back),
    heading(s.title), h("p", { class: "lead" }, booking ? s.leadOfBooking : s.lead),
    booking && bookingLine(booking, signal), intake(signal, s, take), list) };
}

/** @param {URLSearchParams} query @returns {queue.Booking | undefined} to which the files are to be added */
function bookingOf(query) {
  const [, type, id] = /^(\w+)\/([0-9a-f-]{36})$/.exec(query.get("booking") ?? "") ?? [];
  return type && id && takesReceipts(type) ? { type, id, number: "" } : undefined;
}

/** @param {queue.Booking} booking @param {AbortSignal} signal */
function bookingLine(booking, signal) {
  const name = h("strong", { "data-testid": "booking" }, bookingName(booking));
  readVoucher(resourceOf(booking.type), booking.id, { signal, urgency: BESIDE }).then(({ voucherNumber = "" }) => {
    booking.number = voucherNumber;
    name.textContent = bookingName(booking);
  }, () => {}); // without its number it goes as well
  return h("p", {}, name);
}

/**
 * @param {Texts} s
 * @param {AbortSignal} signal
 * @returns {Node[]}
 */
function content(s, signal) {
  const receipts = queue.all();
  if (receipts.length === 0) return [];
  const sendable = receipts.filter(({ state }) => state !== "refused");
  const done = receipts.filter(({ state }) => state === "done").length;
  const failed = receipts.filter(({ state }) => state === "failed").length;
  const act = (/** @type {import("../receipts/rows.js").Action} */ action, /** @type {string} */ id) => follow(action, id);
  return [h("section", { "data-key": "list", "aria-labelledby": "receipts-heading" },
    h("div", { class: "receipts-head" },
      h("h2", { id: "receipts-heading", tabindex: -1 }, s.list),
      h("p", { class: "quiet", "data-testid": "receipts-summary" }, sendable.length > 0 && s.summary(done, sendable.length)),
      h("div", { class: "actions" },
        failed > 1 && h("button", { type: "button", class: "button button-quiet", "data-key": "again-all", onclick: queue.sendFailed }, s.againAll),
        done > 0 && h("button", { type: "button", class: "button button-quiet", "data-key": "remove-done", onclick: removeDone }, s.removeDone))),
    h("ul", { class: "receipts", role: "list" }, receipts.map((receipt) => receiptRow(receipt, { s, signal, act }))))];
}

/** @param {import("../receipts/rows.js").Action} action @param {string} id */
function follow(action, id) {
  const receipt = queue.all().find((one) => one.id === id);
  if (!receipt || (action === "remove" && receipt.state === "sending" && receipt.isSent)) return;
  if (action === "shrink") queue.shrink(id);
  else if (action === "send") queue.send(id);
  else queue.remove(id);
  queueMicrotask(keepFocus);
}

function removeDone() {
  queue.removeDone();
  queueMicrotask(keepFocus);
}

/** The button that was pressed may be gone with its row. */
function keepFocus() {
  if (document.activeElement && document.activeElement !== document.body) return;
  const place = document.getElementById("receipts-heading") ?? document.getElementById("choose-files");
  place?.focus();
}

/** Whoever has gone on to another view hears of the end there. @param {Texts} s */
function tellElsewhere(s) {
  if (!queue.isUnfinished()) return;
  const told = new AbortController();
  queue.watch(() => {
    if (queue.isUnfinished()) return;
    told.abort();
    const sent = queue.all().filter(({ state }) => state !== "refused");
    const done = sent.filter(({ state }) => state === "done");
    const isBack = document.getElementById("choose-files") !== null;
    if (!isBack && sent.length > 0) showMessage(s.elsewhere(done.length, sent.length));
  }, told.signal);
}

/**
 * Reads out how each ended, once.
 * @param {Texts} s
 */
function teller(s) {
  /** @type {Map<string, string>} */
  const known = new Map(queue.all().map(({ id, state }) => [id, state]));
  return () => {
    const news = queue.all().filter(({ id, state }) => state !== known.get(id));
    for (const { id, state } of news) known.set(id, state);
    const said = news.flatMap(({ state, name }) => (state in s.told ? [s.told[/** @type {keyof Texts["told"]} */ (state)](name)] : []));
    if (said.length > 0) announce(said.join(" "));
  };
}
