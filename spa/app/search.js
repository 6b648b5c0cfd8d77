// @ts-check
/** Finds voucher rows: page by page where lexoffice can, over all rows in memory for what it cannot search or sort. */

import { readAllVouchers, readVouchers } from "./lexoffice.js";
import { t } from "./preferences.js";

/** @typedef {import("./shapes.js").VoucherRow} VoucherRow */
/** @typedef {"voucherNumber" | "contactName" | "voucherDate" | "dueDate" | "totalAmount" | "openAmount"} SortField */
/** @typedef {{type: string, status: string, contact: string, q: string}} Filter */
/** @typedef {Filter & {field: SortField, down: boolean, page: number}} Search `page` from 0 */
/** @typedef {{rows: VoucherRow[], total: number, pages: number, capped: number}} Found `capped`: rows read, if not all */

export const PAGE = 25;
const API_TOTAL_STOPS_AT = 10_000;
/** @type {SortField[]} */
export const SORT_FIELDS = ["voucherDate", "voucherNumber", "contactName", "dueDate", "totalAmount", "openAmount"];
/** @type {SortField[]} */
const SORTED_BY_LEXOFFICE = ["voucherDate", "voucherNumber"];

/**
 * @param {URLSearchParams} query of the address bar
 * @returns {Search}
 */
export function parseSearch(query) {
  const [field = "", direction = ""] = (query.get("sort") ?? "").split(",");
  const known = SORT_FIELDS.find((name) => name === field);
  return {
    type: query.get("type") ?? "any",
    status: query.get("status") ?? "any",
    contact: query.get("contact") ?? "",
    q: query.get("q") ?? "",
    field: known ?? "voucherDate",
    down: known ? direction.toUpperCase() === "DESC" : true,
    page: Math.max(0, Math.floor(Number(query.get("page") ?? 1)) - 1 || 0),
  };
}

/**
 * @param {Search} search
 * @returns {string} the address that shows it
 */
export function searchPath({ type, status, contact, q, field, down, page }) {
  const query = new URLSearchParams();
  if (type !== "any") query.set("type", type);
  if (status !== "any") query.set("status", status);
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
  const { type, status, contact, page } = search;
  const query = { type, status, contactId: contact };
  if (search.q || !SORTED_BY_LEXOFFICE.includes(search.field)) {
    const { rows, capped } = await readAllVouchers(query, asked, progress);
    return pageOf(rows, search, capped ? rows.length : 0);
  }
  const sort = `${search.field},${search.down ? "DESC" : "ASC"}`;
  const found = await readVouchers({ ...query, page, size: PAGE, sort }, asked);
  return { rows: found.content, total: found.totalElements, pages: found.totalPages, capped: 0 };
}

/** @param {number} total */
export const totalText = (total) => (total >= API_TOTAL_STOPS_AT ? t.vouchers.atLeast(total) : t.vouchers.found(total));

/**
 * @param {VoucherRow[]} all
 * @param {Search} search
 * @param {number} capped
 * @returns {Found}
 */
function pageOf(all, { q, field, down, page }, capped) {
  const words = folded(q).split(/\s+/).filter(Boolean);
  const rows = all.filter((row) => {
    const text = folded(`${row.voucherNumber ?? ""} ${row.contactName ?? ""}`);
    return words.every((word) => text.includes(word));
  });
  const { compare } = new Intl.Collator(t.locale, { numeric: true });
  rows.sort((a, b) => (down ? -1 : 1) * compareValues(a[field], b[field], compare));
  return {
    rows: rows.slice(page * PAGE, (page + 1) * PAGE),
    total: rows.length,
    pages: Math.ceil(rows.length / PAGE),
    capped,
  };
}

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
