// @ts-check
/** What the overview tells of the books, computed: all sums in whole cents, `now` as 2026-03-31. */

import { isoDay } from "./format.js";
import { AGES, ageOf, isExpense, isOverdue, isRevenue, openCents, totalCents } from "./vouchers.js";

/** @typedef {import("./shapes.js").VoucherRow} VoucherRow */
/** @typedef {import("./vouchers.js").Age} Age */
/** @typedef {{sum: number, count: number}} Sum */
/** @typedef {{rows: VoucherRow[], since: string}} Settled `since`: the month, as 2026-03, from which on all are there */
/** @typedef {{month: string, now: number, before: number | undefined}} Month `before`: a year ago, if that is known */
/** @typedef {{months: Month[], now: number, before: number | undefined}} Revenue */
/** @typedef {{id: string | undefined, name: string, sum: number, share: number | undefined}} Customer */

const MOST_CUSTOMERS = 5;

/**
 * @param {VoucherRow[]} rows
 * @param {(row: VoucherRow) => number} amount
 * @returns {Sum}
 */
export const sumOf = (rows, amount) => ({ sum: rows.reduce((sum, row) => sum + amount(row), 0), count: rows.length });

/**
 * @param {string} now
 * @param {number} [count]
 * @returns {string[]} months with the present one at the end, as 2026-03
 */
export function lastMonths(now, count = 12) {
  const [year = 0, month = 1] = now.split("-").map(Number);
  return Array.from({ length: count }, (_, index) =>
    new Date(Date.UTC(year, month - count + index, 1)).toISOString().slice(0, 7));
}

/** @param {string} date as 2026-03-31 or 2026-03 @returns {string} a year before */
const yearBefore = (date) => `${Number(date.slice(0, 4)) - 1}${date.slice(4)}`;

/**
 * @param {VoucherRow[]} open
 * @param {string} now
 * @returns {(Sum & {age: Age})[]}
 */
export function ageing(open, now) {
  return AGES.map((age) => ({ age, ...sumOf(open.filter((row) => ageOf(row, now) === age), openCents) }));
}

/**
 * The present month has not ended: the same month a year ago counts up to the same day.
 * @param {VoucherRow[]} rows
 * @param {string} now
 * @param {string} since the month from which on all rows are there
 * @returns {Revenue}
 */
export function revenue(rows, now, since) {
  const today = yearBefore(now);
  /** @type {Map<string, number>} */
  const sums = new Map();
  for (const row of rows) {
    const day = isoDay(row.voucherDate);
    const month = day.slice(0, 7);
    if (month === today.slice(0, 7) && day > today) continue;
    sums.set(month, (sums.get(month) ?? 0) + totalCents(row));
  }
  const months = lastMonths(now).map((month) => {
    const before = yearBefore(month);
    return { month, now: sums.get(month) ?? 0, before: before < since ? undefined : sums.get(before) ?? 0 };
  });
  return {
    months,
    now: months.reduce((sum, month) => sum + month.now, 0),
    before: months.reduce((/** @type {number | undefined} */ sum, { before }) =>
      (sum === undefined || before === undefined ? undefined : sum + before), 0),
  };
}

/**
 * @param {VoucherRow[]} rows
 * @param {string} now
 * @returns {Customer[]} those that brought most in the last twelve months; `share` of all revenue, where there is any
 */
export function topCustomers(rows, now) {
  const [first = ""] = lastMonths(now);
  const recent = rows.filter((row) => isoDay(row.voucherDate).slice(0, 7) >= first);
  const total = sumOf(recent, totalCents).sum;
  /** @type {Map<string, Omit<Customer, "share">>} */
  const customers = new Map();
  for (const row of recent) {
    const key = row.contactId || row.contactName || "";
    const known = customers.get(key) ?? { id: row.contactId || undefined, name: row.contactName ?? "", sum: 0 };
    customers.set(key, { ...known, sum: known.sum + totalCents(row) });
  }
  return [...customers.values()]
    .filter(({ sum }) => sum > 0)
    .sort((a, b) => b.sum - a.sum || a.name.localeCompare(b.name))
    .slice(0, MOST_CUSTOMERS)
    .map((customer) => ({ ...customer, share: total > 0 ? customer.sum / total : undefined }));
}

/**
 * @param {VoucherRow[]} open
 * @param {Settled | undefined} settled undefined while they are not there
 * @param {string} now
 */
export function figuresOf(open, settled, now) {
  const overdue = open.filter((row) => isOverdue(row, now));
  const rows = settled && [...open, ...settled.rows];
  return {
    open: sumOf(open, openCents),
    overdue: sumOf(overdue, openCents),
    ageing: ageing(open, now),
    latest: overdue.filter((row) => row.dueDate)
      .sort((a, b) => (a.dueDate ?? "").localeCompare(b.dueDate ?? "")).slice(0, 5),
    paid: settled && sumOf(settled.rows.filter((row) => isoDay(row.voucherDate).startsWith(now.slice(0, 4))), totalCents),
    revenue: rows && revenue(rows, now, settled.since),
    customers: rows && topCustomers(rows, now),
  };
}
/** @typedef {ReturnType<typeof figuresOf>} Figures */

/**
 * @param {VoucherRow[]} rows of one contact
 * @param {string} now
 */
export function owedWith(rows, now) {
  const open = rows.filter(({ voucherType, voucherStatus }) =>
    ["open", "overdue"].includes(voucherStatus) && (isRevenue(voucherType) || isExpense(voucherType)));
  const euros = open.filter(({ currency }) => currency === "EUR");
  const revenues = euros.filter((row) => isRevenue(row.voucherType));
  const expenses = euros.filter((row) => isExpense(row.voucherType));
  const late = (/** @type {VoucherRow[]} */ some) => some.filter((row) => isOverdue(row, now));
  return {
    owed: sumOf(revenues, openCents),
    overdue: sumOf(late(revenues), openCents),
    toPay: sumOf(expenses, openCents),
    toPayLate: sumOf(late(expenses), openCents),
    foreign: [...new Set(open.map(({ currency }) => currency))].filter((currency) => currency !== "EUR"),
  };
}
