// @ts-check
/** The controls by which vouchers are filtered and sorted. */

import { texts } from "../i18n/vouchers.js";
import { h } from "./dom.js";
import { field, searchBox, select } from "./parts.js";
import { PERIODS } from "./periods.js";
import { t } from "./preferences.js";
import { SORT_FIELDS, STATES, parseSearch } from "./search.js";
import { columns } from "./voucher-table.js";
import { AGES, TYPES } from "./vouchers.js";

/** @typedef {import("./search.js").Search} Search */
/** @typedef {[string, string][]} Options value and text */

/**
 * @param {AbortSignal} signal of the visit
 * @param {Search} search
 * @param {(change: Partial<Search>) => void} change
 * @returns {{node: HTMLElement, show: (search: Search) => void}} `show`: brings the controls to what is shown
 */
export function filterForm(signal, search, change) {
  const own = texts();
  const controls = {
    type: select("type", options().type, search.type, (type) => change({ type })),
    status: select("status", options().status, search.status, (status) => change({ status })),
    due: select("due", options().due, search.due, (due) => change({ due })),
    period: select("period", options().period, search.period, (period) => change({ period })),
  };
  const words = searchBox("search", search.q, (q) => change({ q }));
  const sort = select("sort", sortOptions(), sortValue(search), (value) => change(parseSort(value)));
  const summary = h("summary", {}, own.more);
  const more = h("details", { class: "more-filters" }, summary, h("div", {},
    field(own.type, controls.type),
    field(own.status, controls.status),
    field(own.due, controls.due),
    field(own.period, controls.period),
    field(own.sort, sort)));
  openWhereWide(more, signal);
  const node = h("form", { class: "filters", role: "search", "aria-label": own.filters,
    onsubmit: (/** @type {Event} */ event) => event.preventDefault() },
  field(own.search, words, own.searchHint),
  more);
  const show = (/** @type {Search} */ shown) => {
    const chosen = Object.keys(controls).filter((name) => shown[/** @type {keyof typeof controls} */ (name)] !== "any");
    summary.textContent = own.more + own.chosen(chosen.length);
    for (const [name, control] of Object.entries(controls)) control.value = shown[/** @type {keyof typeof controls} */ (name)];
    sort.value = sortValue(shown);
    if (document.activeElement !== words) words.value = shown.q;
  };
  show(search);
  return { node, show };
}

/**
 * @param {HTMLDetailsElement} details where it is narrow, they are opened by who wants them
 * @param {AbortSignal} signal
 */
function openWhereWide(details, signal) {
  const wide = matchMedia("(min-width: 48.01rem)");
  details.open = wide.matches;
  wide.addEventListener("change", () => (details.open = wide.matches), { signal });
}

/** @returns {{type: Options, status: Options, due: Options, period: Options}} */
function options() {
  const own = texts();
  const named = { open: own.openStatus, settled: own.settledStatus };
  return {
    type: [["any", own.anyType], ["revenue", own.typeGroups.revenue], ["expenses", own.typeGroups.expenses],
      ...TYPES.map((type) => /** @type {[string, string]} */ ([type, t.types[type]]))],
    status: [["any", own.anyStatus], ...STATES.map((state) => /** @type {[string, string]} */ (
      [state, state === "open" || state === "settled" ? named[state] : t.states[state]]))],
    due: [["any", own.anyDue], ...AGES.map((age) => /** @type {[string, string]} */ ([age, t.overview.ages[age]]))],
    period: [["any", own.anyPeriod], ...PERIODS.map((period) => /** @type {[string, string]} */ ([period, own.periods[period]]))],
  };
}

/** @param {Search} search @returns {string} the filters in words, to name them by */
export function describe({ type, status, due, period, q }) {
  const all = options();
  const chosen = { type, status, due, period };
  const words = Object.entries(chosen).filter(([, value]) => value !== "any").map(([name, value]) =>
    all[/** @type {keyof typeof all} */ (name)].find(([one]) => one === value)?.[1] ?? value);
  return [...words, q].filter(Boolean).join(", ");
}

/** @param {Search} search */
const sortValue = ({ field: name, down }) => `${name},${down ? "DESC" : "ASC"}`;

/** @param {string} value */
function parseSort(value) {
  const { field: name, down } = parseSearch(new URLSearchParams({ sort: value }));
  return { field: name, down };
}

/** @returns {Options} */
function sortOptions() {
  const own = texts();
  const names = new Map(columns().map((column) => [column.field, column.name]));
  return SORT_FIELDS.flatMap((name) => [true, false].map((down) => /** @type {[string, string]} */ ([
    sortValue(/** @type {Search} */ ({ field: name, down })),
    `${names.get(name)}, ${down ? own.descending : own.ascending}`])));
}
