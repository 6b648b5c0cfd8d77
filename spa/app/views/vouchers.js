// @ts-check
/** Every voucher, to be filtered, searched, sorted and leafed through. */

import { h, icon } from "../dom.js";
import { emptyState, field, heading, pager, searchBox, select } from "../parts.js";
import { t } from "../preferences.js";
import { resultList } from "../results.js";
import { SORT_FIELDS, findVouchers, parseSearch, searchPath, totalText } from "../search.js";
import { columns, voucherTable } from "../voucher-table.js";
import { TYPES } from "../vouchers.js";

/** @typedef {import("../search.js").Search} Search */
/** @typedef {(change: Partial<Search>, push?: boolean) => void} Change */

const STATES = /** @type {(keyof typeof t.states)[]} */ (["open", "overdue", "paid", "paidoff", "draft", "voided", "accepted",
  "rejected", "transferred", "sepadebit", "unchecked"]);

/**
 * @param {import("../router.js").Visit} visit
 * @returns {import("../parts.js").View}
 */
export function vouchersView({ query, signal }) {
  let search = parseSearch(query);
  /** @type {Change} */
  const change = (next, push = false) => {
    search = { ...search, page: 0, ...next };
    history[push ? "pushState" : "replaceState"](null, "", searchPath(search));
    sortSelect.value = sortValue(search);
    list.reload();
  };
  const sortSelect = select("sort", sortOptions(), sortValue(search), (value) => change(parseSort(value)));
  const form = filterForm(search, change, sortSelect);
  const list = resultList(signal,
    (asked) => findVouchers(search, asked, (read, of) => asked.isFresh || list.note(t.vouchers.reading(read, of))),
    (found) => showFound(found, search, change),
    ({ kind }) => kind === "voucher");
  return { title: t.vouchers.title, node: h("div", {}, heading(t.vouchers.title), form, list.node) };
}

/**
 * @param {Search} search
 * @param {Change} change
 * @param {HTMLElement} sortSelect
 */
function filterForm(search, change, sortSelect) {
  /** @type {[string, string][]} */
  const types = [["any", t.vouchers.anyType], ...TYPES.map((type) => /** @type {[string, string]} */ ([type, t.types[type]]))];
  /** @type {[string, string][]} */
  const states = [["any", t.vouchers.anyStatus], ...STATES.map((state) =>
    /** @type {[string, string]} */ ([state, state === "open" ? t.vouchers.openStatus : t.states[state]]))];
  return h("form", { class: "filters", role: "search", "aria-label": t.vouchers.filters,
    onsubmit: (/** @type {Event} */ event) => event.preventDefault() },
  field(t.vouchers.search, searchBox("search", search.q, (q) => change({ q })), t.vouchers.searchHint),
  field(t.vouchers.type, select("type", types, search.type, (type) => change({ type }))),
  field(t.vouchers.status, select("status", states, search.status, (status) => change({ status }))),
  field(t.vouchers.sort, sortSelect));
}

/**
 * @param {import("../search.js").Found} found
 * @param {Search} search
 * @param {Change} change
 */
function showFound({ rows, total, pages, capped }, search, change) {
  const chip = search.contact && contactChip(rows[0]?.contactName, change);
  const note = capped > 0 && h("p", { class: "quiet", "data-key": "capped" }, t.vouchers.capped(capped));
  const sort = (/** @type {Search["field"]} */ name) =>
    change({ field: name, down: search.field === name ? !search.down : name !== "contactName" });
  const page = pages > 1 ? ` · ${t.paging.page(search.page + 1, pages)}` : "";
  if (rows.length === 0) return { summary: totalText(0), content: [chip, note, nothing(search)] };
  return {
    summary: totalText(total) + page,
    content: [chip, note,
      voucherTable(rows, search, sort),
      pager({ page: search.page, pages, go: (to) => change({ page: to }, true) })],
  };
}

/** @param {Search} search */
function nothing(search) {
  const narrowed = search.q || search.type !== "any" || search.status !== "any" || search.contact || search.page > 0;
  return narrowed
    ? emptyState(t.vouchers.empty, t.vouchers.emptyText, icon("search"),
      h("a", { class: "button", href: "/vouchers" }, t.vouchers.reset))
    : emptyState(t.vouchers.none, t.vouchers.noneText, icon("paper"));
}

/**
 * @param {string | undefined} name
 * @param {Change} change
 */
function contactChip(name, change) {
  return h("p", { class: "chip", "data-key": "chip" }, `${t.vouchers.ofContact} `, h("strong", {}, name ?? "…"),
    h("button", { type: "button", class: "chip-close", "aria-label": t.vouchers.clearContact, title: t.vouchers.clearContact,
      onclick: () => change({ contact: "" }) }, icon("close")));
}

/** @param {Search} search */
const sortValue = ({ field: name, down }) => `${name},${down ? "DESC" : "ASC"}`;

/** @param {string} value */
function parseSort(value) {
  const { field: name, down } = parseSearch(new URLSearchParams({ sort: value }));
  return { field: name, down };
}

/** @returns {[string, string][]} */
function sortOptions() {
  const names = new Map(columns().map((column) => [column.field, column.name]));
  return SORT_FIELDS.flatMap((name) => [true, false].map((down) => /** @type {[string, string]} */ ([
    sortValue(/** @type {Search} */ ({ field: name, down })),
    `${names.get(name)}, ${down ? t.vouchers.descending : t.vouchers.ascending}`])));
}
