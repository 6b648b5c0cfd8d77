// @ts-check
/** Stretches of time by a name that stays right: last month is another one next month. */

export const PERIODS = /** @type {const} */ (["this-month", "last-month", "this-quarter", "last-quarter", "this-year", "last-year"]);

/** In months. */
const LENGTHS = /** @type {Record<string, number>} */ ({ month: 1, quarter: 3, year: 12 });

/**
 * @param {string} period
 * @param {string} now as 2026-03-31
 * @returns {{from?: string, to?: string}} its first and last day; neither for what is no period
 */
export function daysOf(period, now) {
  const [which, unit = ""] = period.split("-");
  const length = LENGTHS[unit];
  if (length === undefined) return {};
  const [year = 0, month = 1] = now.split("-").map(Number);
  const first = Math.floor((month - 1) / length) * length - (which === "last" ? length : 0);
  return { from: isoDate(year, first, 1), to: isoDate(year, first + length, 0) };
}

/** @param {number} year @param {number} month from 0, may be beyond the year @param {number} day 0: the last of the month before */
const isoDate = (year, month, day) => new Date(Date.UTC(year, month, day)).toISOString().slice(0, 10);
