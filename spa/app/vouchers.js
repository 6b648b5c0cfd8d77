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
const EXPENSES = ["purchaseinvoice", "purchasecreditnote"];
const LOWERING = new Set(["creditnote", "salescreditnote", "purchasecreditnote"]);

export const TYPES = /** @type {Type[]} */ (Object.keys(RESOURCES));
export const REVENUE_TYPES = REVENUE.join(",");
export const EXPENSE_TYPES = EXPENSES.join(",");
export const SETTLED_STATES = "paid,paidoff,transferred,sepadebit";

/**
 * @param {string} type
 * @returns {type is Type}
 */
export const isType = (type) => Object.hasOwn(RESOURCES, type);

/** @param {Type} type */
export const resourceOf = (type) => RESOURCES[type];

/**
 * @param {string} type of a booking, which is where somebody else's papers belong
 * @returns {type is Type}
 */
export const takesReceipts = (type) => isType(type) && RESOURCES[type] === "vouchers";

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

/** @param {string} type */
export const isRevenue = (type) => REVENUE.includes(type);

/** @param {string} type */
export const isExpense = (type) => EXPENSES.includes(type);

/**
 * @param {{voucherStatus: string, dueDate?: string}} voucher
 * @param {string} [now] as 2026-03-31
 */
export function isOverdue({ voucherStatus, dueDate }, now = today()) {
  if (voucherStatus === "overdue") return true;
  return voucherStatus === "open" && Boolean(dueDate) && isoDay(dueDate ?? "") < now;
}

/** @param {{voucherStatus: string, dueDate?: string}} voucher what is shown: an open voucher past its day is overdue */
export const stateOf = (voucher) => (isOverdue(voucher) ? "overdue" : voucher.voucherStatus);

/** How long vouchers have been overdue, in days. */
export const AGES = /** @type {const} */ (["later", "1-30", "31-60", "61-90", "91"]);
/** @typedef {typeof AGES[number]} Age */

/**
 * @param {{voucherStatus: string, dueDate?: string}} voucher that is open
 * @param {string} [now] as 2026-03-31
 * @returns {Age}
 */
export function ageOf(voucher, now = today()) {
  if (!isOverdue(voucher, now)) return "later";
  const days = voucher.dueDate ? daysSince(voucher.dueDate, now) : 1;
  return days <= 30 ? "1-30" : days <= 60 ? "31-60" : days <= 90 ? "61-90" : "91";
}

/**
 * @param {string} due as in a voucher
 * @param {string} [now] as 2026-03-31
 * @returns {number} whole days since
 */
export function daysSince(due, now = today()) {
  return Math.round((Date.parse(now) - Date.parse(isoDay(due))) / 86_400_000);
}

/** @param {number} amount of lexoffice's, which is exact to the cent; sums of such numbers are not */
export const cents = (amount) => Math.round(amount * 100);

/** @param {VoucherRow} row */
export const openCents = (row) => sign(row) * cents(row.openAmount ?? 0);

/** @param {VoucherRow} row */
export const totalCents = (row) => sign(row) * cents(row.totalAmount);

/** @param {VoucherRow} row */
const sign = (row) => (LOWERING.has(row.voucherType) && row.totalAmount > 0 ? -1 : 1);
