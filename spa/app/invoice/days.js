// @ts-check
/** Days as a date input has them (2026-03-31), and as lexoffice wants them. */

const DAY_MS = 86_400_000;

/** @param {string} text */
export function isDay(text) {
  const date = new Date(`${text}T00:00:00Z`);
  return /^20\d{2}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

/**
 * @param {string} day
 * @param {number} days
 */
export const plusDays = (day, days) => new Date(Date.parse(`${day}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);

/**
 * @param {string} from
 * @param {string} to
 */
export const daysBetween = (from, to) => Math.round((Date.parse(to) - Date.parse(from)) / DAY_MS);

/**
 * @param {string} day
 * @returns {string} its first moment in Germany, as 2026-03-31T00:00:00.000+02:00
 */
export function wireDay(day) {
  // At midnight in winter time it is the same day in summer time, and the clocks are changed later at night.
  const moment = new Date(`${day}T00:00:00+01:00`);
  const parts = new Intl.DateTimeFormat("en", { timeZone: "Europe/Berlin", timeZoneName: "longOffset" }).formatToParts(moment);
  const zone = parts.find(({ type }) => type === "timeZoneName")?.value ?? "GMT+01:00";
  return `${day}T00:00:00.000${zone.slice("GMT".length)}`;
}
