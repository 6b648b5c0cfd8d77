// @ts-check
/** Vouchers as a table, or as cards where it is narrow; roles are spelt out, since CSS `display` would drop them. */

import { h } from "./dom.js";
import { day, money } from "./format.js";
import { pill, typeName } from "./parts.js";
import { t } from "./preferences.js";
import { isOverdue, stateOf } from "./vouchers.js";

/** @typedef {import("./search.js").SortField} SortField */
/** @typedef {import("./shapes.js").VoucherRow} VoucherRow */

/** @returns {{name: string, field?: SortField, area: string}[]} */
export function columns() {
  return [
    { name: t.vouchers.number, field: "voucherNumber", area: "number-cell" },
    { name: t.vouchers.type, area: "type-cell" },
    { name: t.vouchers.contact, field: "contactName", area: "contact-cell" },
    { name: t.vouchers.date, field: "voucherDate", area: "date-cell" },
    { name: t.vouchers.due, field: "dueDate", area: "due-cell" },
    { name: t.vouchers.amount, field: "totalAmount", area: "amount-cell number" },
    { name: t.vouchers.open, field: "openAmount", area: "open-cell number" },
    { name: t.vouchers.status, area: "status-cell" },
  ];
}

/**
 * @param {VoucherRow[]} rows
 * @param {{field: SortField, down: boolean}} sorted
 * @param {(field: SortField) => void} sort
 */
export function voucherTable(rows, sorted, sort) {
  return h("table", { class: "cards", role: "table", "data-key": "table", "data-testid": "vouchers" },
    h("caption", { class: "visually-hidden" }, t.vouchers.table),
    h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, columns().map((column) => headCell(column, sorted, sort)))),
    h("tbody", { role: "rowgroup" }, rows.map(voucherRow)));
}

/**
 * @param {{name: string, field?: SortField, area: string}} column
 * @param {{field: SortField, down: boolean}} sorted
 * @param {(field: SortField) => void} sort
 */
function headCell({ name, field, area }, sorted, sort) {
  const props = { role: "columnheader", scope: "col", class: area };
  if (!field) return h("th", props, name);
  const direction = sorted.field !== field ? undefined : sorted.down ? "descending" : "ascending";
  const button = h("button", { type: "button", class: `sort ${direction ?? ""}`, "data-keep": `sort-${field}`,
    onclick: () => sort(field) }, name);
  return h("th", { ...props, "aria-sort": direction }, button, h("span", { class: "head-text" }, name));
}

/** @param {VoucherRow} row */
function voucherRow(row) {
  const cell = (/** @type {string} */ area, /** @type {import("./dom.js").Child[]} */ ...children) =>
    h("td", { role: "cell", class: area }, ...children);
  const open = row.openAmount ? money(row.openAmount, row.currency) : "";
  return h("tr", { role: "row", class: row.voucherStatus === "voided" ? "voided" : undefined, "data-key": row.id, "data-live": true },
    cell("number-cell",
      h("a", { href: `/vouchers/${row.voucherType}/${row.id}` }, row.voucherNumber || t.vouchers.noNumber),
      row.archived && h("span", { class: "quiet small" }, ` ${t.vouchers.archived}`)),
    cell("type-cell", typeName(row.voucherType)),
    cell("contact-cell", row.contactName ?? ""),
    cell("date-cell", day(row.voucherDate)),
    cell(isOverdue(row) ? "due-cell late-days" : "due-cell", row.dueDate && labelled(t.vouchers.due, day(row.dueDate))),
    cell("amount-cell number", money(row.totalAmount, row.currency)),
    cell(`open-cell number${row.openAmount === row.totalAmount ? " all-open" : ""}`, open && labelled(t.vouchers.open, open)),
    cell("status-cell", pill(stateOf(row))));
}

/**
 * @param {string} label for the cards, where no column head says it; hidden in a table
 * @param {string} text
 */
function labelled(label, text) {
  return h("span", {}, h("span", { class: "card-label", "aria-hidden": "true" }, `${label} `), text);
}

