// @ts-check
/** The sheet of paper that a voucher is. */

import * as texts from "../i18n/voucher.js";
import { addressLines, nameOf } from "./contacts.js";
import { h, icon } from "./dom.js";
import { receiptLinks } from "./files.js";
import { day, money, percent, quantity } from "./format.js";
import { facts, lines, typeName } from "./parts.js";
import { inLanguage, t } from "./preferences.js";
import { isType, takesReceipts } from "./vouchers.js";

/** @typedef {import("./shapes.js").Voucher} Voucher */
/** @typedef {import("./shapes.js").LineItem} LineItem */
/** @typedef {Voucher & {contact?: import("./shapes.js").Contact}} Booked */

/**
 * @param {string} type
 * @param {Booked} voucher
 * @param {HTMLElement | false} paid the place for what is still open
 * @param {import("./preview.js").Preview} preview
 * @param {AbortSignal} signal
 */
export function voucherSheet(type, voucher, paid, preview, signal) {
  const files = Array.isArray(voucher.files) ? voucher.files : [];
  return h("article", { class: "panel sheet", "data-testid": "voucher" },
    h("div", { class: "sheet-head" }, recipient(voucher), details(voucher)),
    voucher.introduction && lines(voucher.introduction, "sheet-text"),
    voucher.lineItems ? itemTable(voucher) : bookedItems(voucher),
    type === "deliverynote" ? null : h("div", { class: "sums" }, sums(voucher), paid),
    voucher.remark && lines(voucher.remark, "sheet-text"),
    files.length > 0 && receiptLinks(files, voucher.voucherNumber ?? "", preview, signal),
    takesReceipts(type) && voucher.voucherStatus !== "voided" && h("p", { class: "actions", "data-key": "add-receipt" },
      h("a", { class: "button button-quiet", href: `/receipts?booking=${type}/${voucher.id}`, "data-testid": "add-receipt" },
        icon("upload"), inLanguage(texts).addReceipt)));
}

/** @param {Booked} voucher */
function recipient({ address, contact, contactId }) {
  const text = address ? addressLines(address) : contact && [nameOf(contact), addressOf(contact)].filter(Boolean).join("\n");
  return h("section", { class: !address && contactId ? "recipient recipient-late" : "recipient" },
    h("h2", { class: "label" }, address ? t.voucher.to : t.voucher.customer),
    text ? lines(text) : !contactId && h("p", { class: "quiet" }, inLanguage(texts).collective));
}

/** @param {import("./shapes.js").Contact} contact */
function addressOf({ addresses }) {
  const [address] = addresses?.billing ?? [];
  return address ? addressLines(address) : "";
}

/** @param {Booked} voucher */
function details(voucher) {
  const contactId = voucher.address?.contactId ?? voucher.contactId;
  const name = voucher.address?.name ?? voucher.contactName ?? (voucher.contact && nameOf(voucher.contact));
  return h("section", {}, h("h2", { class: "label" }, t.voucher.details), facts([
    [t.voucher.date, day(voucher.voucherDate)],
    [t.voucher.due, day(voucher.dueDate)],
    [t.voucher.shipping, day(voucher.shippingConditions?.shippingDate)],
    [t.voucher.payment, voucher.paymentConditions?.paymentTermLabel],
    [t.voucher.customer, contactId && h("a", { href: `/contacts/${contactId}` }, name || inLanguage(texts).contact)],
    [inLanguage(texts).related, related(voucher)],
  ]));
}

/** @param {Voucher} voucher */
function related({ relatedVouchers = [] }) {
  if (relatedVouchers.length === 0) return null;
  return h("ul", { class: "related", role: "list", "data-testid": "related" }, relatedVouchers.map(({ id, voucherType, voucherNumber }) => {
    const name = `${typeName(voucherType)} ${voucherNumber ?? ""}`.trim();
    return h("li", {}, isType(voucherType) ? h("a", { href: `/vouchers/${voucherType}/${id}` }, name) : name);
  }));
}

/** @param {Voucher} voucher */
function itemTable({ lineItems = [], taxConditions, totalPrice }) {
  const isGross = taxConditions?.taxType === "gross";
  const kind = isGross ? t.voucher.gross : t.voucher.net;
  const head = (/** @type {string} */ name, className = "number") =>
    h("th", { role: "columnheader", scope: "col", class: className }, name);
  return h("table", { class: "items", role: "table" },
    h("caption", { class: "visually-hidden" }, t.voucher.items),
    h("thead", { role: "rowgroup" }, h("tr", { role: "row" },
      head(t.voucher.item, ""), head(t.voucher.quantity),
      head(`${t.voucher.price} (${kind})`), head(`${t.voucher.total} (${kind})`))),
    h("tbody", { role: "rowgroup" }, lineItems.map((item) => itemRow(item, isGross, totalPrice?.currency))));
}

/**
 * @param {LineItem} item
 * @param {boolean} isGross
 * @param {string | undefined} currency
 */
function itemRow(item, isGross, currency) {
  const { unitPrice, discountPercentage } = item;
  const price = unitPrice && (isGross ? unitPrice.grossAmount : unitPrice.netAmount);
  const amount = item.quantity === undefined ? "" : `${quantity(item.quantity)} ${item.unitName ?? ""}`.trim();
  return h("tr", { role: "row" },
    h("td", { role: "cell", class: "item-name" }, h("strong", {}, item.name),
      item.description && lines(item.description, "quiet"),
      Boolean(discountPercentage) && h("p", { class: "quiet" }, t.voucher.discount(percent(discountPercentage ?? 0)))),
    h("td", { role: "cell", class: "item-quantity number" }, amount),
    h("td", { role: "cell", class: "item-price number" }, money(price, unitPrice?.currency)),
    h("td", { role: "cell", class: "item-total number" }, money(item.lineItemAmount, unitPrice?.currency ?? currency)));
}

/** @param {Voucher} voucher */
function bookedItems({ voucherItems = [] }) {
  return h("table", { class: "items", role: "table" },
    h("caption", { class: "visually-hidden" }, t.voucher.items),
    h("thead", { role: "rowgroup" }, h("tr", { role: "row" },
      h("th", { role: "columnheader", scope: "col" }, t.voucher.item),
      h("th", { role: "columnheader", scope: "col", class: "number" }, t.voucher.taxTotal),
      h("th", { role: "columnheader", scope: "col", class: "number" }, t.voucher.total))),
    h("tbody", { role: "rowgroup" }, voucherItems.map((item, index) => h("tr", { role: "row" },
      h("td", { role: "cell", class: "item-name" },
        `${t.voucher.item} ${index + 1}, ${t.voucher.tax(percent(item.taxRatePercent))}`),
      h("td", { role: "cell", class: "item-price number" }, money(item.taxAmount)),
      h("td", { role: "cell", class: "item-total number" }, money(item.amount))))));
}

/** @param {Voucher} voucher */
function sums({ totalPrice, taxAmounts, totalGrossAmount, totalTaxAmount }) {
  const currency = totalPrice?.currency;
  const gross = totalPrice?.totalGrossAmount ?? totalGrossAmount;
  const tax = totalPrice?.totalTaxAmount ?? totalTaxAmount;
  const net = totalPrice?.totalNetAmount ?? (gross ?? 0) - (tax ?? 0);
  /** @type {[string, string][]} */
  const taxes = taxAmounts?.length
    ? taxAmounts.map((part) => [t.voucher.tax(percent(part.taxRatePercentage)), money(part.taxAmount, currency)])
    : [[t.voucher.taxTotal, money(tax, currency)]];
  return h("dl", { class: "sum-list" },
    [/** @type {[string, string]} */ ([t.voucher.sumNet, money(net, currency)]), ...taxes].map(([name, value]) =>
      h("div", {}, h("dt", {}, name), h("dd", { class: "number" }, value))),
    h("div", { class: "sum-total" }, h("dt", {}, t.voucher.sumGross),
      h("dd", { class: "number", "data-testid": "voucher-total" }, money(gross, currency))));
}
