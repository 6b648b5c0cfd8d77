// @ts-check
/** What is known of vouchers: which resource a type lives in, what counts as revenue, what is overdue. */

import { isoDay, today } from "./format.js";

/** @typedef {import("./shapes.js").VoucherRow} VoucherRow */
/** @typedef {keyof typeof RESOURCES} Type */

const RESOURCES = {
  invoice: "invoices",
  downpaymentinvoice: "down-payment-invoices",
  creditnote: "credit-notes",
  quotation: "quotations",
  orderconfirmation: "order-confirmations",
  deliverynote: "delivery-notes",
  salesinvoice: "vouchers",
  salescreditnote: "vouchers",
  purchaseinvoice: "vouchers",
  purchasecreditnote: "vouchers",
};

const WITH_PDF = new Set(["invoices", "credit-notes", "quotations", "order-confirmations", "delivery-notes"]);
const WITH_PAYMENTS = new Set(["invoice", "creditnote", "downpaymentinvoice", "salesinvoice", "salescreditnote",
  "purchaseinvoice", "purchasecreditnote"]);
const REVENUE = ["invoice", "downpaymentinvoice", "salesinvoice", "creditnote", "salescreditnote"];
const LOWERING = new Set(["creditnote", "salescreditnote"]);

export const TYPES = /** @type {Type[]} */ (Object.keys(RESOURCES));
export const REVENUE_TYPES = REVENUE.join(",");
export const SETTLED_STATES = "paid,paidoff,transferred,sepadebit";

/**
 * @param {string} type
 * @returns {type is Type}
 */
export const isType = (type) => Object.hasOwn(RESOURCES, type);

/** @param {Type} type */
export const resourceOf = (type) => RESOURCES[type];

/**
 * @param {Type} type
 * @param {string} status
 */
export const hasPdf = (type, status) => WITH_PDF.has(RESOURCES[type]) && status !== "draft";

/**
 * @param {Type} type
 * @param {string} status
 */
export const hasPayments = (type, status) => WITH_PAYMENTS.has(type) && !["draft", "voided", "unchecked"].includes(status);

/** @param {{voucherStatus: string, dueDate?: string}} voucher */
export function isOverdue({ voucherStatus, dueDate }) {
  if (voucherStatus === "overdue") return true;
  return voucherStatus === "open" && dueDate !== undefined && isoDay(dueDate) < today();
}

/** @param {{voucherStatus: string, dueDate?: string}} voucher what is shown: an open voucher past its day is overdue */
export const stateOf = (voucher) => (isOverdue(voucher) ? "overdue" : voucher.voucherStatus);

/** @param {VoucherRow} row */
export const openAmountOf = (row) => sign(row) * (row.openAmount ?? 0);

/** @param {VoucherRow} row */
export const totalOf = (row) => sign(row) * row.totalAmount;

/** @param {VoucherRow} row */
const sign = (row) => (LOWERING.has(row.voucherType) && row.totalAmount > 0 ? -1 : 1);

/** @param {string} due as in a voucher; whole days since */
export function daysSince(due) {
  return Math.round((Date.parse(today()) - Date.parse(isoDay(due))) / 86_400_000);
}

/** @returns {string[]} the last twelve months with the present one at the end, as 2026-03 */
export function lastTwelveMonths() {
  const [year = 0, month = 1] = today().split("-").map(Number);
  return Array.from({ length: 12 }, (_, index) =>
    new Date(Date.UTC(year, month - 12 + index, 1)).toISOString().slice(0, 7));
}

/**
 * @param {VoucherRow[]} rows
 * @returns {Map<string, number>} revenue by month, every one of the last twelve
 */
export function revenueByMonth(rows) {
  const sums = new Map(lastTwelveMonths().map((month) => [month, 0]));
  for (const row of rows) {
    const month = isoDay(row.voucherDate).slice(0, 7);
    const sum = sums.get(month);
    if (sum !== undefined) sums.set(month, sum + totalOf(row));
  }
  return sums;
}
