// @ts-check
/** Every voucher, to be filtered, searched, sorted, leafed through and taken along. */

import { texts } from "../../i18n/vouchers.js";
import { csvButton } from "../csv-export.js";
import { h, icon } from "../dom.js";
import { filterBar } from "../filter-bar.js";
import { describe, filterForm } from "../filter-form.js";
import { emptyState, heading, pager } from "../parts.js";
import { t } from "../preferences.js";
import { resultList } from "../results.js";
import { findVouchers, parseSearch, searchPath, totalText } from "../search.js";
import { voucherTable } from "../voucher-table.js";

/** @typedef {import("../search.js").Search} Search */
/** @typedef {(change: Partial<Search>, push?: boolean) => void} Change */

/**
 * @param {import("../router.js").Visit} visit
 * @returns {import("../parts.js").View}
 */
export function vouchersView({ query, signal, session }) {
  let search = parseSearch(query);
  /** @type {Change} */
  const change = (next, push = false) => {
    search = { ...search, page: 0, ...next };
    history[push ? "pushState" : "replaceState"](null, "", searchPath(search));
    form.show(search);
    bar.update();
    list.reload();
  };
  const form = filterForm(signal, search, change);
  const bar = filterBar(signal, session.subject, () => ({
    path: searchPath({ ...search, page: 0 }),
    describe: () => describe(search),
    apply: (path) => change(parseSearch(new URLSearchParams(path.split("?")[1])), true),
  }));
  const list = resultList(signal,
    (asked) => findVouchers(search, asked, (read, of) => asked.isFresh || list.note(texts().reading(read, of))),
    (found) => showFound(found, search, change),
    ({ kind }) => kind === "voucher");
  return { title: t.vouchers.title,
    node: h("div", {}, heading(t.vouchers.title, csvButton(signal, () => search)), bar.node, form.node, list.node) };
}

/**
 * @param {import("../search.js").Found} found
 * @param {Search} search
 * @param {Change} change
 */
function showFound({ rows, total, pages, capped }, search, change) {
  const chip = search.contact && contactChip(rows[0]?.contactName, change);
  const note = capped > 0 && h("p", { class: "quiet", "data-key": "capped" }, texts().capped(capped));
  const sort = (/** @type {Search["field"]} */ name) =>
    change({ field: name, down: search.field === name ? !search.down : name !== "contactName" });
  const page = pages > 1 ? ` · ${t.paging.page(search.page + 1, pages)}` : "";
  if (rows.length === 0) return { summary: totalText(0), content: [chip, note, nothing(search)] };
  return {
    summary: totalText(total) + page,
    content: [chip, note,
      voucherTable(rows, { sorted: search, sort }),
      pager({ page: search.page, pages, go: (to) => change({ page: to }, true) })],
  };
}

/** @param {Search} search */
function nothing(search) {
  const own = texts();
  return searchPath({ ...search, field: "voucherDate", down: true }) === "/vouchers"
    ? emptyState(own.none, own.noneText, icon("paper"), h("a", { class: "button", href: "/invoices/new" }, t.overview.first))
    : emptyState(own.empty, own.emptyText, icon("search"), h("a", { class: "button", href: "/vouchers" }, own.reset));
}

/**
 * @param {string | undefined} name
 * @param {Change} change
 */
function contactChip(name, change) {
  const own = texts();
  return h("p", { class: "chip", "data-key": "chip" }, `${own.ofContact} `, h("strong", {}, name ?? "…"),
    h("button", { type: "button", class: "chip-close", "aria-label": own.clearContact, title: own.clearContact,
      onclick: () => change({ contact: "" }) }, icon("close")));
}
