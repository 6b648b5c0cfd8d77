// @ts-check
/** The button that brings all rows of the present filter, however many pages they are, into a file for a spreadsheet. */

import { texts } from "../i18n/vouchers.js";
import { DIALECTS, csvOf } from "./csv.js";
import { h, icon } from "./dom.js";
import { explain, isAborted, isSessionEnd } from "./faults.js";
import { isoDay, today } from "./format.js";
import { BESIDE } from "./pace.js";
import { typeName } from "./parts.js";
import { language, t } from "./preferences.js";
import { findAllVouchers } from "./search.js";
import { cents, stateOf } from "./vouchers.js";

const MOST_PAGES = 40; // lexoffice tells of no more than 10,000 rows, which is 20 seconds at its rate
const KEPT_MS = 60_000;

/**
 * @param {AbortSignal} signal of the visit
 * @param {() => import("./search.js").Search} search
 */
export function csvButton(signal, search) {
  const { csv, reading } = texts();
  const said = h("p", { class: "said", role: "status", "data-testid": "csv-said" });
  /** @type {AbortController | undefined} */
  let running;
  const button = h("button", { type: "button", class: "button button-quiet", "data-testid": "csv",
    onclick: () => (running ? running.abort() : run()) }, label());
  const run = async () => {
    running = new AbortController();
    button.replaceChildren(csv.cancel);
    said.textContent = t.loading;
    try {
      const { rows, capped } = await findAllVouchers(search(),
        { signal: AbortSignal.any([signal, running.signal]), urgency: BESIDE },
        (read, of) => (said.textContent = reading(read, of)), MOST_PAGES);
      if (rows.length > 0) keepFile(fileOf(rows), `${csv.file}-${today()}.csv`);
      said.textContent = rows.length === 0 ? csv.none : capped ? csv.capped(capped) : csv.done(rows.length);
    } catch (error) {
      said.textContent = isAborted(error) ? csv.cancelled : isSessionEnd(error) ? "" : explain(error).title;
    } finally {
      running = undefined;
      button.replaceChildren(...label());
    }
  };
  return h("div", { class: "actions" }, said, button);
}

/** Narrow screens show its middle alone. */
function label() {
  const [before, middle, behind] = texts().csv.button;
  return [icon("download"), h("span", {}, h("span", { class: "wide-only" }, before), middle, h("span", { class: "wide-only" }, behind))];
}

/** @param {import("./shapes.js").VoucherRow[]} rows */
function fileOf(rows) {
  const head = texts().csv.head.map((text) => ({ text }));
  const lines = rows.map((row) => [
    { text: typeName(row.voucherType) },
    { text: row.voucherNumber ?? "" },
    { text: dateOf(row.voucherDate) },
    { text: dateOf(row.dueDate) },
    { text: row.contactName ?? "" },
    { cents: cents(row.totalAmount) },
    { cents: row.openAmount === undefined || row.openAmount === null ? undefined : cents(row.openAmount) },
    { text: row.currency },
    { text: stateName(stateOf(row)) },
  ]);
  return new Blob([csvOf([head, ...lines], DIALECTS[language])], { type: "text/csv;charset=utf-8" });
}

/** @param {string} state */
const stateName = (state) => (state in t.states ? t.states[/** @type {keyof typeof t.states} */ (state)] : state);

/** @param {string | undefined} iso @returns {string} 31.03.2026, or for the English 2026-03-31 */
function dateOf(iso) {
  if (!iso) return "";
  return language === "de" ? isoDay(iso).split("-").reverse().join(".") : isoDay(iso);
}

/**
 * @param {Blob} file
 * @param {string} name
 */
function keepFile(file, name) {
  const url = URL.createObjectURL(file);
  h("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), KEPT_MS);
}
