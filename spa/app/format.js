// @ts-check
/** Money, dates and numbers as the reader writes them. */

import { t } from "./preferences.js";

/** @type {Map<string, Intl.NumberFormat | Intl.DateTimeFormat>} */
const made = new Map();
const DAYS_IN_GERMANY = new Intl.DateTimeFormat("sv-SE", { timeZone: "Europe/Berlin" });

/**
 * @param {Intl.NumberFormatOptions} options
 * @returns {Intl.NumberFormat}
 */
function numbers(options) {
  return remembered("n", options, () => new Intl.NumberFormat(t.locale, options));
}

/**
 * @param {Intl.DateTimeFormatOptions} options
 * @returns {Intl.DateTimeFormat}
 */
function dates(options) {
  return remembered("d", options, () => new Intl.DateTimeFormat(t.locale, options));
}

/**
 * @template {Intl.NumberFormat | Intl.DateTimeFormat} T
 * @param {string} kind
 * @param {object} options
 * @param {() => T} make
 * @returns {T}
 */
function remembered(kind, options, make) {
  const key = kind + t.locale + JSON.stringify(options);
  if (!made.has(key)) made.set(key, make());
  return /** @type {T} */ (made.get(key));
}

/**
 * @param {number | undefined} amount
 * @param {string} [currency]
 */
export function money(amount, currency = "EUR") {
  return amount === undefined || amount === null ? "" : numbers({ style: "currency", currency }).format(amount);
}

/** @param {number} amount */
export function roundMoney(amount) {
  return numbers({ style: "currency", currency: "EUR", maximumFractionDigits: 0 }).format(amount);
}

/** @param {number} amount in euros, for the axis of a chart */
export function shortNumber(amount) {
  return numbers({ maximumFractionDigits: 0 }).format(amount);
}

/** @param {number} value */
export function quantity(value) {
  return numbers({ maximumFractionDigits: 4 }).format(value);
}

/** @param {number} value 19 for 19 % */
export function percent(value) {
  return numbers({ style: "percent", maximumFractionDigits: 2 }).format(value / 100);
}

/**
 * @param {string | undefined} iso with an offset; lexoffice's dates are days in Germany, so they are read there
 * @returns {string}
 */
export function day(iso) {
  const date = iso ? new Date(iso) : undefined;
  if (!date || Number.isNaN(date.getTime())) return "";
  return dates({ day: "2-digit", month: "2-digit", year: "numeric", timeZone: "Europe/Berlin" }).format(date);
}

/** @param {number} share 0.19 for 19 %; without sign */
export function wholePercent(share) {
  return numbers({ style: "percent", maximumFractionDigits: 0 }).format(share);
}

/** @param {number} share 0.19 for +19 %, -0.19 for -19 % */
export function signedPercent(share) {
  return numbers({ style: "percent", maximumFractionDigits: 0, signDisplay: "exceptZero" }).format(share);
}

/** @param {string} month as 2026-03 */
export function monthName(month) {
  return dates({ month: "long", year: "numeric", timeZone: "UTC" }).format(new Date(`${month}-01`));
}

/** @param {string} month as 2026-03 */
export function shortMonthYear(month) {
  return dates({ month: "short", year: "numeric", timeZone: "UTC" }).format(new Date(`${month}-01`));
}

/** @param {string} month as 2026-03 */
export function shortMonth(month) {
  return dates({ month: "short", timeZone: "UTC" }).format(new Date(`${month}-01`)).slice(0, 3);
}

/** @param {string} code as DE */
export function country(code) {
  return new Intl.DisplayNames([t.locale], { type: "region" }).of(code) ?? code;
}

/**
 * @param {string} iso
 * @returns {string} the day in Germany, as 2026-03-31
 */
export function isoDay(iso) {
  return DAYS_IN_GERMANY.format(new Date(iso));
}

/** @returns {string} today in Germany, as 2026-03-31 */
export function today() {
  return isoDay(new Date().toISOString());
}
