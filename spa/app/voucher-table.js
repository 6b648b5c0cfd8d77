// @ts-check
/** Vouchers as a table, or as cards where it is narrow; roles are spelt out, since CSS `display` would drop them. */

import { texts } from "../i18n/vouchers.js";
import { h } from "./dom.js";
import { day, money } from "./format.js";
import { pill, typeName } from "./parts.js";
import { t } from "./preferences.js";
import { isOverdue, stateOf } from "./vouchers.js";

const LONG_NUMBER = 20;

/** @typedef {import("./search.js").SortField} SortField */
/** @typedef {import("./shapes.js").VoucherRow} VoucherRow */

/** @typedef {{name: string, field?: SortField, area: string}} Column */
/** @typedef {{sorted: {field: SortField, down: boolean}, sort: (field: SortField) => void}} Sorting */

/** @returns {Column[]} */
export function columns() {
  const own = texts();
  return [
    { name: own.number, field: "voucherNumber", area: "number-cell" },
    { name: own.type, area: "type-cell" },
    { name: own.contact, field: "contactName", area: "contact-cell" },
    { name: own.date, field: "voucherDate", area: "date-cell" },
    { name: own.dueDate, field: "dueDate", area: "due-cell" },
    { name: own.amount, field: "totalAmount", area: "amount-cell number" },
    { name: own.open, field: "openAmount", area: "open-cell number" },
    { name: own.status, area: "status-cell" },
  ];
}

/**
 * @param {VoucherRow[]} rows
 * @param {Sorting} [sorting] left out where the order is fixed, and the contact is the same in all rows
 */
export function voucherTable(rows, sorting) {
  const shown = columns().filter(({ field }) => sorting || field !== "contactName");
  return h("table", { class: "cards", role: "table", "data-key": "table", "data-testid": "vouchers" },
    h("caption", { class: "visually-hidden" }, texts().table),
    h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, shown.map((column) => headCell(column, sorting)))),
    h("tbody", { role: "rowgroup" }, rows.map((row) => voucherRow(row, sorting !== undefined))));
}

/**
 * @param {Column} column
 * @param {Sorting} [sorting]
 */
function headCell({ name, field, area }, sorting) {
  const props = { role: "columnheader", scope: "col", class: area };
  if (!field || !sorting) return h("th", props, name);
  const { sorted, sort } = sorting;
  const direction = sorted.field !== field ? undefined : sorted.down ? "descending" : "ascending";
  const button = h("button", { type: "button", class: `sort ${direction ?? ""}`, "data-keep": `sort-${field}`,
    onclick: () => sort(field) }, name);
  return h("th", { ...props, "aria-sort": direction }, button, h("span", { class: "head-text" }, name));
}

/**
 * @param {VoucherRow} row
 * @param {boolean} withContact
 */
function voucherRow(row, withContact) {
  const own = texts();
  const cell = (/** @type {string} */ area, /** @type {import("./dom.js").Child[]} */ ...children) =>
    h("td", { role: "cell", class: area }, ...children);
  const open = row.openAmount ? money(row.openAmount, row.currency) : "";
  return h("tr", { role: "row", class: row.voucherStatus === "voided" ? "voided" : undefined, "data-key": row.id, "data-live": true },
    cell((row.voucherNumber ?? "").length > LONG_NUMBER ? "number-cell long" : "number-cell",
      h("a", { href: `/vouchers/${row.voucherType}/${row.id}` }, row.voucherNumber || t.vouchers.noNumber),
      row.archived && h("span", { class: "quiet small" }, ` ${own.archived}`)),
    cell("type-cell", typeName(row.voucherType)),
    withContact && cell("contact-cell", row.contactName ?? ""),
    cell("date-cell", day(row.voucherDate)),
    cell(isOverdue(row) ? "due-cell late-days" : "due-cell", row.dueDate && labelled(own.dueDate, day(row.dueDate))),
    cell("amount-cell number", money(row.totalAmount, row.currency)),
    cell(`open-cell number${row.openAmount === row.totalAmount ? " all-open" : ""}`, open && labelled(own.open, open)),
    cell("status-cell", pill(stateOf(row))));
}

/**
 * @param {string} label for the cards, where no column head says it; hidden in a table
 * @param {string} text
 */
function labelled(label, text) {
  return h("span", {}, h("span", { class: "card-label", "aria-hidden": "true" }, `${label} `), text);
}

