// @ts-check
/** One voucher as a sheet: address, items, totals, and its PDF. */

import { h } from "../dom.js";
import { pdfButtons } from "../files.js";
import { day, money } from "../format.js";
import { readPayments, readVoucher } from "../lexoffice.js";
import { announce, backLink, heading, loadingPart, pill, retitle, skeleton, typeName } from "../parts.js";
import { t } from "../preferences.js";
import { voucherSheet } from "../sheet.js";
import { hasPayments, hasPdf, isType, resourceOf, stateOf } from "../vouchers.js";

/** @typedef {import("../shapes.js").Voucher} Voucher */
/** @typedef {import("../shapes.js").Payments} Payments */
/** @typedef {import("../vouchers.js").Type} Type */

/**
 * @param {import("../router.js").Visit} visit
 * @returns {import("../parts.js").View}
 */
export function voucherView({ path: [type = "", id = ""], signal }) {
  const back = backLink("/vouchers", t.voucher.back);
  if (!isType(type)) {
    const title = t.voucher.unknownTitle;
    return { title, node: h("div", {}, back, heading(title), h("p", {}, t.voucher.unknownText)) };
  }
  const title = heading(typeName(type));
  const content = loadingPart(signal, {
    bones: h("div", { class: "panel sheet" }, skeleton(12)),
    load: () => readVoucher(resourceOf(type), id, signal),
    show: (voucher) => {
      const name = `${typeName(type)} ${voucher.voucherNumber ?? ""}`.trim();
      retitle(title, name, pill(stateOf(voucher)), actions(type, voucher, signal));
      announce(name);
      const paid = hasPayments(type, voucher.voucherStatus) && h("div", { class: "paid", "data-testid": "paid" });
      if (paid) showPayments(id, paid, signal);
      return voucherSheet(type, voucher, paid, signal);
    },
  });
  return { title: typeName(type), node: h("div", {}, back, title, content) };
}

/**
 * @param {Type} type
 * @param {Voucher} voucher
 * @param {AbortSignal} signal
 */
function actions(type, voucher, signal) {
  if (hasPdf(type, voucher.voucherStatus)) return pdfButtons(resourceOf(type), voucher, signal);
  return voucher.voucherStatus === "draft" && h("p", { class: "quiet actions" }, t.voucher.draft);
}

/**
 * What is still open, or when it was paid: told when it is known, and left out when it cannot be had.
 * @param {string} id
 * @param {HTMLElement} place
 * @param {AbortSignal} signal
 */
async function showPayments(id, place, signal) {
  /** @type {Payments} */
  const payments = await readPayments(id, signal).catch(() => ({}));
  const { openAmount, currency, paidDate } = payments;
  if (openAmount) {
    place.append(h("span", {}, t.voucher.openAmount), h("strong", { class: "number" }, money(openAmount, currency)));
  } else if (paidDate) {
    place.append(h("span", {}, t.voucher.paidOn(day(paidDate))));
  }
}
