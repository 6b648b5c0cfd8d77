// @ts-check
/** Sizes of files, as the limit is told: a megabyte is 1024 times 1024 bytes. */

import { t } from "../preferences.js";

const KILO = 1024;
const MEGA = 1024 * 1024;

/** @param {number} bytes */
export const fileSize = (bytes) =>
  bytes < MEGA ? unit(Math.ceil(bytes / KILO), "kilobyte", 0) : unit(bytes / MEGA, "megabyte", 1);

/** @param {number} bytes of a file that is too large, which must not read as if it were not */
export const atLeast = (bytes) => unit(Math.ceil((bytes / MEGA) * 10) / 10, "megabyte", 1);

/** @param {number} value @param {string} name @param {number} digits */
const unit = (value, name, digits) =>
  new Intl.NumberFormat(t.locale, { style: "unit", unit: name, maximumFractionDigits: digits }).format(value);
