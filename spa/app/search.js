// @ts-check
/** Finds voucher rows: page by page where lexoffice can, over all rows in memory for what it cannot search or sort. */

import { texts } from "../i18n/vouchers.js";
import { today } from "./format.js";
import { readAllVouchers, readVouchers } from "./lexoffice.js";
import { PERIODS, daysOf } from "./periods.js";
import { t } from "./preferences.js";
import { AGES, EXPENSE_TYPES, REVENUE_TYPES, SETTLED_STATES, TYPES, ageOf } from "./vouchers.js";

/** @typedef {import("./shapes.js").VoucherRow} VoucherRow */
/** @typedef {"voucherNumber" | "contactName" | "voucherDate" | "dueDate" | "totalAmount" | "openAmount"} SortField */
/** @typedef {{type: string, status: string, due: string, period: string, contact: string, q: string}} Filter */
/** @typedef {Filter & {field: SortField, down: boolean, page: number}} Search `page` from 0 */
/** @typedef {{rows: VoucherRow[], total: number, pages: number, capped: number}} Found `capped`: rows read, if not all */

export const PAGE = 25;
const API_TOTAL_STOPS_AT = 10_000;
/** @type {SortField[]} */
export const SORT_FIELDS = ["voucherDate", "voucherNumber", "contactName", "dueDate", "totalAmount", "openAmount"];
/** @type {SortField[]} */
const SORTED_BY_LEXOFFICE = ["voucherDate", "voucherNumber"];
const TYPE_GROUPS = /** @type {Record<string, string>} */ ({ revenue: REVENUE_TYPES, expenses: EXPENSE_TYPES });
const STATE_GROUPS = /** @type {Record<string, string>} */ ({ settled: SETTLED_STATES });
export const STATES = /** @type {const} */ (["open", "overdue", "settled", "paid", "paidoff", "draft", "voided", "accepted",
  "rejected", "transferred", "sepadebit", "unchecked"]);

/** What the address may say; anything else is taken for `any`. */
const KNOWN = {
  type: /** @type {readonly string[]} */ ([...Object.keys(TYPE_GROUPS), ...TYPES]),
  status: /** @type {readonly string[]} */ (STATES),
  due: /** @type {readonly string[]} */ (AGES),
  period: /** @type {readonly string[]} */ (PERIODS),
};

/**
 * @param {URLSearchParams} query of the address bar
 * @returns {Search}
 */
export function parseSearch(query) {
  const [field = "", direction = ""] = (query.get("sort") ?? "").split(",");
  const sorted = SORT_FIELDS.find((name) => name === field);
  const known = (/** @type {keyof typeof KNOWN} */ name) => KNOWN[name].find((value) => value === query.get(name)) ?? "any";
  return {
    type: known("type"),
    status: known("status"),
    due: known("due"),
    period: known("period"),
    contact: query.get("contact") ?? "",
    q: query.get("q") ?? "",
    field: sorted ?? "voucherDate",
    down: sorted ? direction.toUpperCase() === "DESC" : true,
    page: Math.max(0, Math.floor(Number(query.get("page") ?? 1)) - 1 || 0),
  };
}

/**
 * @param {Search} search
 * @returns {string} the address that shows it
 */
export function searchPath({ type, status, due, period, contact, q, field, down, page }) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries({ type, status, due, period })) if (value !== "any") query.set(name, value);
  if (contact) query.set("contact", contact);
  if (q) query.set("q", q);
  if (field !== "voucherDate" || !down) query.set("sort", `${field},${down ? "DESC" : "ASC"}`);
  if (page > 0) query.set("page", String(page + 1));
  const text = query.toString().replaceAll("%2C", ",");
  return text ? `/vouchers?${text}` : "/vouchers";
}

/**
 * @param {Search} search
 * @param {import("./lexoffice.js").Asked} asked
 * @param {(read: number, of: number) => void} progress
 * @returns {Promise<Found>}
 */
export async function findVouchers(search, asked, progress) {
  const { q, due, field, page } = search;
  if (!q && due === "any" && SORTED_BY_LEXOFFICE.includes(field)) {
    const sort = `${field},${search.down ? "DESC" : "ASC"}`;
    const found = await readVouchers({ ...queryOf(search), page, size: PAGE, sort }, asked);
    return { rows: found.content, total: found.totalElements, pages: found.totalPages, capped: 0 };
  }
  const { rows, capped } = await findAllVouchers(search, asked, progress);
  return {
    rows: rows.slice(page * PAGE, (page + 1) * PAGE),
    total: rows.length,
    pages: Math.ceil(rows.length / PAGE),
    capped,
  };
}

/**
 * @param {Search} search
 * @param {import("./lexoffice.js").Asked} asked
 * @param {(read: number, of: number) => void} progress
 * @param {number} [most] pages of 250
 * @returns {Promise<{rows: VoucherRow[], capped: number}>} all that match, whatever the page; `capped`: rows read, if not all
 */
export async function findAllVouchers(search, asked, progress, most) {
  const { rows: read, capped } = await readAllVouchers(queryOf(search), asked, progress, most);
  const { field, down } = search;
  const matches = matcher(search);
  const { compare } = new Intl.Collator(t.locale, { numeric: true });
  const rows = read.filter(matches).sort((a, b) => (down ? -1 : 1) * compareValues(a[field], b[field], compare));
  return { rows, capped: capped ? read.length : 0 };
}

/**
 * @param {Filter} filter
 * @returns {import("./lexoffice.js").VoucherQuery} what lexoffice can filter by
 */
function queryOf({ type, status, due, period, contact }) {
  const state = status === "any" && due !== "any" ? "open" : status;
  return {
    type: TYPE_GROUPS[type] ?? type,
    status: STATE_GROUPS[state] ?? state,
    contactId: contact,
    ...daysOf(period, today()),
  };
}

/**
 * @param {Filter} filter
 * @returns {(row: VoucherRow) => boolean} what it cannot
 */
function matcher({ q, due }) {
  const words = folded(q).split(/\s+/).filter(Boolean);
  const now = today();
  return (row) => {
    if (due !== "any" && !(["open", "overdue"].includes(row.voucherStatus) && ageOf(row, now) === due)) return false;
    const text = folded(`${row.voucherNumber ?? ""} ${row.contactName ?? ""}`);
    return words.every((word) => text.includes(word));
  };
}

/** @param {number} total */
export const totalText = (total) => (total >= API_TOTAL_STOPS_AT ? texts().atLeast(total) : texts().found(total));

/**
 * @param {string | number | undefined} a
 * @param {string | number | undefined} b
 * @param {(a: string, b: string) => number} compare
 */
function compareValues(a, b, compare) {
  if (typeof a === "number" || typeof b === "number") return Number(a ?? 0) - Number(b ?? 0);
  return compare(a ?? "", b ?? "");
}

/** @param {string} text without case and accents, so that "Muller" finds "Müller" */
const folded = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
