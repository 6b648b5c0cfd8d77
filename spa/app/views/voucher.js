// @ts-check
/** One voucher as a sheet: address, items, totals, and its PDF. */

import { h, icon } from "../dom.js";
import { paperOf, pdfButtons } from "../files.js";
import { day, money } from "../format.js";
import { isAborted } from "../faults.js";
import { readContact, readPayments, readVoucher } from "../lexoffice.js";
import { BESIDE } from "../pace.js";
import { announce, backLink, heading, loadingPart, pill, retitle, skeleton, typeName } from "../parts.js";
import { t } from "../preferences.js";
import { previewPart } from "../preview.js";
import { voucherSheet } from "../sheet.js";
import { hasPayments, hasPdf, isType, resourceOf, stateOf } from "../vouchers.js";

/** @typedef {import("../shapes.js").Voucher} Voucher */
/** @typedef {import("../shapes.js").Payments} Payments */
/** @typedef {{payments?: Payments, contact?: import("../shapes.js").Contact}} Beside told when it is known */
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
  const title = heading(typeName(type), ...roomFor(type));
  title.querySelector("h1")?.append(h("span", { class: "unseen", "aria-hidden": "true" }, hasPdf(type, "open") ? " RE0000" : " RE-0000-0000"));
  const preview = previewPart(signal);
  /** @type {Beside} */
  let known = {};
  const content = loadingPart(signal, {
    bones: h("div", { class: "panel sheet sheet-bones" }, skeleton(12)),
    load: async (asked, showPart) => {
      const voucher = await readVoucher(resourceOf(type), id, asked);
      showPart({ voucher, ...known });
      known = await readBeside(type, voucher, asked);
      return { voucher, ...known };
    },
    show: ({ voucher, payments, contact }) => {
      const name = `${typeName(type)} ${voucher.voucherNumber ?? ""}`.trim();
      retitle(title, name, pill(stateOf(voucher)), actions(type, voucher, preview, signal));
      announce(name);
      const paid = hasPayments(type, voucher.voucherStatus) && paidPart(payments);
      return voucherSheet(type, { ...voucher, contact }, paid, preview, signal);
    },
    isConcerned: (change) => change.id === id,
  });
  return { title: typeName(type), node: h("div", {}, back, title, content, preview.place) };
}

/**
 * @param {Type} type
 * @param {Voucher} voucher
 * @param {import("../preview.js").Preview} preview
 * @param {AbortSignal} signal
 */
function actions(type, voucher, preview, signal) {
  if (hasPdf(type, voucher.voucherStatus)) return pdfButtons(paperOf(resourceOf(type), voucher, signal), preview);
  return voucher.voucherStatus === "draft" && h("p", { class: "quiet actions", "data-key": "draft" }, t.voucher.draft);
}

/**
 * What comes into the heading, unseen, so that nothing moves when it is there.
 * @param {Type} type
 */
function roomFor(type) {
  const unseen = (/** @type {string} */ className, /** @type {string[]} */ ...texts) =>
    h("div", { class: `unseen ${className}`, "aria-hidden": "true" }, texts.map((text) => h("span", { class: "button" }, icon("paper"), text)));
  return [h("span", { class: "pill unseen", "aria-hidden": "true" }, t.states.overdue),
    hasPdf(type, "open") && unseen("actions", t.voucher.openPdf, t.voucher.download)];
}

/**
 * What was paid, and of a booking also whose it is, for that has only the id of a contact.
 * @param {Type} type
 * @param {Voucher} voucher
 * @param {import("../lexoffice.js").Asked} asked
 * @returns {Promise<Beside>}
 */
async function readBeside(type, { id, voucherStatus, address, contactId }, asked) {
  const [payments, contact] = await Promise.all([
    hasPayments(type, voucherStatus) ? readPayments(id, { ...asked, urgency: BESIDE }).catch(unlessAborted) : undefined,
    !address && contactId ? readContact(contactId, { signal: asked.signal, urgency: BESIDE }).catch(unlessAborted) : undefined,
  ]);
  return { payments, contact };
}

/** @param {unknown} error what was paid is left out when it cannot be had */
function unlessAborted(error) {
  if (isAborted(error)) throw error;
  return undefined;
}

/** @param {Payments | undefined} payments what is still open, or when it was paid: told when it is known */
function paidPart({ openAmount, currency, paidDate } = {}) {
  return h("div", { class: "paid", "data-key": "paid", "data-live": true, "data-testid": "paid" },
    openAmount ? [h("span", {}, t.voucher.openAmount), h("strong", { class: "number" }, money(openAmount, currency))]
      : paidDate ? h("span", {}, t.voucher.paidOn(day(paidDate))) : null);
}
