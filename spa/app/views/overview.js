// @ts-check
/** How the firm is doing: three sums, twelve months, and who is latest. */

import { barChart } from "../chart.js";
import { h } from "../dom.js";
import { day, money, monthName, roundMoney, today } from "../format.js";
import { readAllVouchers } from "../lexoffice.js";
import { BESIDE, SEEN } from "../pace.js";
import { announce, heading, loadingPart, skeleton } from "../parts.js";
import { t } from "../preferences.js";
import { REVENUE_TYPES, SETTLED_STATES, daysSince, isOverdue, lastTwelveMonths, openAmountOf, revenueByMonth, totalOf }
  from "../vouchers.js";

/** @typedef {import("../shapes.js").VoucherRow} VoucherRow */
/** @typedef {{open: VoucherRow[], settled: VoucherRow[] | undefined, capped: boolean, foreign: string[]}} Books */
/** @typedef {Awaited<ReturnType<typeof readAllVouchers>>} Rows */

/**
 * @param {import("../router.js").Visit} visit
 * @returns {import("../parts.js").View}
 */
export function overviewView({ signal, session }) {
  const node = h("div", { class: "overview" },
    heading(t.overview.title),
    h("p", { class: "lead" }, t.overview.lead(session.claims.organization ?? "")),
    loadingPart(signal, { bones: overviewBones(), load: booksReader(), show: showBooks,
      isConcerned: ({ kind }) => kind === "voucher" }));
  return { title: t.overview.title, node };
}

/**
 * Two questions to lexoffice, whatever the size of the firm: all that is open, which is told first, and what was
 * settled in twelve months.
 */
function booksReader() {
  /** @type {Rows | undefined} */
  let known;
  /**
   * @param {import("../lexoffice.js").Asked} asked
   * @param {(books: Books) => void} showPart
   * @returns {Promise<Books>}
   */
  return async (asked, showPart) => {
    const from = `${lastTwelveMonths()[0]}-01`;
    const asking = readAllVouchers({ type: REVENUE_TYPES, status: "open" }, { ...asked, urgency: SEEN });
    const settled = readAllVouchers({ type: REVENUE_TYPES, status: SETTLED_STATES, from }, { ...asked, urgency: BESIDE });
    settled.catch(() => {}); // told below, unless the first question fails before
    const open = await asking;
    if (known || open.rows.length > 0) showPart(booksOf(open, known));
    known = await settled;
    return booksOf(open, known);
  };
}

/**
 * @param {Rows} open
 * @param {Rows | undefined} settled undefined while they are not there
 * @returns {Books}
 */
function booksOf(open, settled) {
  const currencies = new Set([...open.rows, ...(settled?.rows ?? [])].map((row) => row.currency));
  return {
    open: open.rows.filter(isEuro),
    settled: settled?.rows.filter(isEuro),
    capped: open.capped || Boolean(settled?.capped),
    foreign: [...currencies].filter((currency) => currency !== "EUR"),
  };
}

/** @param {VoucherRow} row */
const isEuro = (row) => row.currency === "EUR";

/** @param {Books} books */
function showBooks(books) {
  const overdue = books.open.filter(isOverdue);
  const count = books.open.length + (books.settled?.length ?? 0);
  if (books.settled) announce(t.overview.vouchers(count));
  if (count === 0) return h("p", { class: "panel empty", "data-key": "empty", "data-testid": "empty" }, t.overview.empty);
  return [
    totals(books, overdue),
    chartPanel(books.settled && revenueByMonth([...books.open, ...books.settled])),
    latePanel(overdue),
    books.capped && h("p", { class: "quiet", "data-key": "capped" }, t.overview.capped(count)),
    books.foreign.length > 0 && h("p", { class: "quiet", "data-key": "foreign" }, t.overview.otherCurrencies(books.foreign.join(", "))),
  ];
}

/**
 * @param {Books} books
 * @param {VoucherRow[]} overdue
 */
function totals(books, overdue) {
  const year = Number(today().slice(0, 4));
  const paid = books.settled?.filter((row) => row.voucherDate.startsWith(String(year)));
  const count = (/** @type {VoucherRow[]} */ rows) => t.overview.vouchers(rows.length);
  return h("section", { class: "totals", "data-key": "totals", "aria-label": t.overview.totals },
    total("open", t.overview.open, sum(books.open, openAmountOf), count(books.open)),
    total("overdue", t.overview.overdue, sum(overdue, openAmountOf), count(overdue)),
    total("paid", t.overview.paid(year), paid && sum(paid, totalOf), t.overview.paidNote(year)));
}

/**
 * @param {VoucherRow[]} rows
 * @param {(row: VoucherRow) => number} amount
 */
const sum = (rows, amount) => rows.reduce((total, row) => total + amount(row), 0);

/**
 * @param {"open" | "overdue" | "paid"} kind
 * @param {string} name
 * @param {number | undefined} amount undefined while it is not known
 * @param {string} note
 */
function total(kind, name, amount, note) {
  return h("a", { class: `panel total total-${kind}`, href: `/vouchers?status=${kind}`,
    "data-key": kind, "data-live": true, "data-testid": `total-${kind}` },
    h("span", { class: "total-name" }, name),
    h("strong", { class: "total-amount" }, amount === undefined ? h("span", { class: "bone bone-sum" }) : money(amount)),
    h("span", { class: "quiet" }, note));
}

/** @param {Map<string, number> | undefined} sums undefined while they are not known */
function chartPanel(sums) {
  return h("section", { class: "panel panel-chart", "data-key": "chart", "aria-labelledby": "chart-heading" },
    h("h2", { id: "chart-heading" }, t.overview.chart),
    h("p", { class: "quiet" }, t.overview.chartNote),
    ...(sums ? chartAndTable(sums) : [skeleton(4)]));
}

/** @param {Map<string, number>} sums */
function chartAndTable(sums) {
  const months = [...sums];
  const [best, most] = months.reduce((left, right) => (right[1] > left[1] ? right : left));
  const all = months.reduce((total, [, value]) => total + value, 0);
  const summary = t.overview.chartSummary(roundMoney(all), monthName(best), roundMoney(most));
  return [barChart(sums, t.overview.chart, summary),
    h("details", { class: "as-table" },
      h("summary", {}, t.overview.asTable),
      h("table", { class: "plain" },
        h("thead", {}, h("tr", {},
          h("th", { scope: "col" }, t.overview.month),
          h("th", { scope: "col", class: "number" }, t.overview.revenue))),
        h("tbody", {}, months.map(([month, value]) =>
          h("tr", {}, h("th", { scope: "row" }, monthName(month)), h("td", { class: "number" }, money(value))))),
        h("tfoot", {}, h("tr", {}, h("th", { scope: "row" }, t.overview.sum), h("td", { class: "number" }, money(all))))))];
}

/** @param {VoucherRow[]} overdue */
function latePanel(overdue) {
  const latest = overdue.filter((row) => row.dueDate)
    .sort((a, b) => (a.dueDate ?? "").localeCompare(b.dueDate ?? "")).slice(0, 5);
  return h("section", { class: "panel", "data-key": "late", "aria-labelledby": "late-heading" },
    h("h2", { id: "late-heading" }, t.overview.late),
    latest.length === 0
      ? h("p", { class: "quiet" }, t.overview.lateNone)
      : h("ul", { class: "late", role: "list" }, latest.map(lateRow)),
    overdue.length > latest.length && h("p", {}, h("a", { href: "/vouchers?status=overdue" }, t.overview.all)));
}

/** @param {VoucherRow} row */
function lateRow(row) {
  return h("li", { "data-key": row.id, "data-live": true },
    h("a", { href: `/vouchers/${row.voucherType}/${row.id}` }, row.voucherNumber || t.vouchers.noNumber),
    h("span", { class: "late-name" }, row.contactName ?? ""),
    h("span", { class: "late-days", title: day(row.dueDate) }, t.overview.days(daysSince(row.dueDate ?? ""))),
    h("strong", { class: "number" }, money(openAmountOf(row), row.currency)));
}

function overviewBones() {
  return h("div", { "aria-hidden": "true" },
    h("div", { class: "totals" }, [1, 2, 3].map(() => h("div", { class: "panel total" }, skeleton(3)))),
    h("div", { class: "panel panel-chart" }, skeleton(4)),
    h("div", { class: "panel" }, skeleton(4)));
}
