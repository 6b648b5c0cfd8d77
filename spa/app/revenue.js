// @ts-check
/** Revenue by month, beside the same months of the year before: what changed in words, a chart, and a table. */

import { barChart, yearMark } from "./chart.js";
import { h } from "./dom.js";
import { lastMonths } from "./figures.js";
import { money, monthName, roundMoney, shortMonthYear, signedPercent, today, wholePercent } from "./format.js";
import { skeleton } from "./parts.js";
import { t } from "./preferences.js";

/** @typedef {import("./figures.js").Revenue} Revenue */
/** @typedef {import("./figures.js").Month} Month */

/** @param {Revenue | undefined} revenue undefined while it is not known */
export function revenuePanel(revenue) {
  const months = lastMonths(today());
  const ends = /** @type {[string, string]} */ ([months[0], months[11]]);
  const before = /** @type {[string, string]} */ (ends.map(yearBefore));
  return h("section", { class: "panel panel-chart", "data-key": "chart", "aria-labelledby": "chart-heading" },
    h("h2", { id: "chart-heading" }, t.overview.chart),
    h("p", { class: "quiet" }, t.overview.chartNote),
    h("ul", { class: "legend", role: "list" },
      h("li", {}, yearMark("before"), span(before)),
      h("li", {}, yearMark("now"), span(ends))),
    revenue
      ? [h("p", { class: "change", "data-testid": "change" }, changeOfYear(revenue)), chart(revenue), table(revenue)]
      : [h("p", { class: "change" }, "\u00a0"), h("div", { class: "chart" }, skeleton(4)), h("p", { class: "as-table" }, "\u00a0")]);
}

/** @param {string} month as 2026-03 */
const yearBefore = (month) => `${Number(month.slice(0, 4)) - 1}${month.slice(4)}`;

/** @param {[string, string]} months the first and the last */
const span = (months) => months.map(shortMonthYear).join(" – ");

/** @param {Revenue} revenue */
function changeOfYear({ now, before }) {
  if (before === undefined) return t.overview.changeUnknown(roundMoney(now / 100));
  if (before <= 0) return t.overview.changeNothing(roundMoney(now / 100));
  const percent = wholePercent(Math.abs(now / before - 1));
  const direction = percent === wholePercent(0) ? "same" : now > before ? "more" : "less";
  return t.overview.change[direction](roundMoney(now / 100), percent, roundMoney(before / 100));
}

/** @param {Pick<Month, "now" | "before">} month @returns {string} as +12 %, or why there is no such figure */
function changeOf({ now, before }) {
  if (before === undefined) return t.overview.notRead;
  if (before > 0) return signedPercent(now / before - 1);
  return now === before ? "–" : t.overview.noComparison;
}

/** @param {Revenue} revenue */
function chart(revenue) {
  const [best] = [...revenue.months].sort((a, b) => b.now - a.now);
  const summary = best ? t.overview.best(monthName(best.month), roundMoney(best.now / 100)) : "";
  return barChart(revenue.months, `${t.overview.chart}. ${changeOfYear(revenue)} ${summary}`, (month) => {
    const before = month.before === undefined ? "" : `; ${monthName(yearBefore(month.month))}: ${money(month.before / 100)} (${changeOf(month)})`;
    return `${monthName(month.month)}: ${money(month.now / 100)}${before}`;
  });
}

/** @param {Revenue} revenue */
function table(revenue) {
  const cell = (/** @type {string} */ text) => h("td", { role: "cell", class: "number" }, text);
  const cells = (/** @type {Pick<Month, "now" | "before">} */ row) => [cell(money(row.now / 100)),
    cell(row.before === undefined ? t.overview.notRead : money(row.before / 100)), cell(changeOf(row))];
  const head = [t.overview.month, t.overview.revenue, t.overview.yearBefore, t.overview.changeHead];
  return h("details", { class: "as-table" },
    h("summary", {}, t.overview.asTable),
    h("table", { class: "plain months", role: "table", "data-testid": "months" },
      h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, head.map((name, index) =>
        h("th", { role: "columnheader", scope: "col", class: index > 0 ? "number" : undefined }, name)))),
      h("tbody", { role: "rowgroup" }, revenue.months.map((month) => h("tr", { role: "row" },
        h("th", { role: "rowheader", scope: "row" }, monthName(month.month)), cells(month)))),
      h("tfoot", { role: "rowgroup" }, h("tr", { role: "row" },
        h("th", { role: "rowheader", scope: "row" }, t.overview.sum), cells(revenue)))),
    h("p", { class: "quiet small" }, t.overview.toDate));
}
