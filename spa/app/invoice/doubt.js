// @ts-check
/** When nobody can tell whether the invoice was made: nothing is sent again, but it can be looked for. */

import { h, icon } from "../dom.js";
import { isAborted } from "../faults.js";
import { isoDay, money } from "../format.js";
import { readVouchers } from "../lexoffice.js";
import { CLICKED } from "../pace.js";
import { pill, typeName } from "../parts.js";
import { toNumber } from "./numbers.js";
import { PRICE_PLACES } from "./amounts.js";

/** @typedef {import("./form.js").Texts} Texts */
/** @typedef {import("../shapes.js").VoucherRow} VoucherRow */

/**
 * @param {Texts} s
 * @param {{voucherDate: string, total: bigint, isError: boolean}} invoice
 * @param {AbortSignal} signal
 * @param {(wasMade: boolean) => void} settle
 * @returns {HTMLElement}
 */
export function doubtPanel(s, invoice, signal, settle) {
  const total = toNumber(invoice.total, PRICE_PLACES);
  const result = h("div", { role: "status", "data-testid": "doubt-result" });
  const look = h("button", { type: "button", class: "button", "data-testid": "doubt-look", onclick: async () => {
    result.replaceChildren(h("p", {}, s.doubt.looking));
    try {
      result.replaceChildren(...shown(s, await sameSum(invoice.voucherDate, total, signal), settle));
    } catch (error) {
      if (!isAborted(error)) result.replaceChildren(h("p", {}, s.doubt.failed));
    }
  } }, icon("search"), s.doubt.look(money(total)));
  const isNot = h("button", { type: "button", class: "button button-quiet", "data-testid": "doubt-go-on",
    onclick: () => settle(false) }, s.doubt.isNot);
  return h("div", { class: "fault told doubt", role: "alert", tabindex: -1, "data-testid": "doubt" }, icon("alert"),
    h("div", {}, h("h2", {}, s.doubt.heading), h("p", {}, invoice.isError ? s.doubt.error : s.doubt.lost), h("p", {}, s.doubt.text), result,
      h("div", { class: "actions" }, look, isNot)));
}

/**
 * @param {string} voucherDate
 * @param {number} total
 * @param {AbortSignal} signal
 * @returns {Promise<VoucherRow[]>} the newest first
 */
async function sameSum(voucherDate, total, signal) {
  const page = await readVouchers({ type: "invoice", from: voucherDate, page: 0, size: 250, sort: "createdDate,DESC" },
    { signal, urgency: CLICKED, isFresh: true });
  return page.content.filter((row) => isoDay(row.voucherDate) === voucherDate && row.totalAmount === total);
}

/**
 * @param {Texts} s
 * @param {VoucherRow[]} rows
 * @param {(wasMade: boolean) => void} settle
 */
function shown(s, rows, settle) {
  if (rows.length === 0) return [h("p", {}, s.doubt.none)];
  return [h("p", {}, s.doubt.found), h("ul", { class: "doubt-found" }, rows.map((row) =>
    h("li", {}, h("span", {}, `${row.voucherNumber || s.doubt.draft} · ${row.contactName ?? ""} · ${money(row.totalAmount)} `,
      pill(row.voucherStatus)), h("div", { class: "actions" },
      h("a", { href: `/vouchers/${row.voucherType}/${row.id}`, target: "_blank", rel: "noopener" },
        s.doubt.open(row.voucherNumber || typeName(row.voucherType))),
      h("button", { type: "button", class: "button button-quiet", "data-testid": "doubt-is-it", onclick: () => settle(true) },
        s.doubt.isIt)))))];
}
