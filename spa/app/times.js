// @ts-check
/** Moments, on the reader's own clock: when something was, and how long ago. */

import { t } from "./preferences.js";

const STEPS = /** @type {[Intl.RelativeTimeFormatUnit, number][]} */ ([["day", 86_400], ["hour", 3600], ["minute", 60]]);

/** @param {string | number} at */
export function moment(at) {
  return new Intl.DateTimeFormat(t.locale, { dateStyle: "medium", timeStyle: "short" }).format(new Date(at));
}

/** @param {number} at in milliseconds @returns {string} with seconds */
export function clockTime(at) {
  return new Intl.DateTimeFormat(t.locale, { timeStyle: "medium" }).format(at);
}

/**
 * @param {string | number} at
 * @param {string} now said for less than a minute
 */
export function ago(at, now) {
  const seconds = Math.max(0, (Date.now() - new Date(at).getTime()) / 1000);
  const step = STEPS.find(([, length]) => seconds >= length);
  if (!step) return now;
  return new Intl.RelativeTimeFormat(t.locale, { numeric: "auto" }).format(-Math.floor(seconds / step[1]), step[0]);
}
