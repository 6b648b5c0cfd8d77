// @ts-check
/** Tables as CSV (RFC 4180) that spreadsheets read as they are meant: as columns, as numbers, and never as formulas. */

/** @typedef {{separator: string, point: string}} Dialect */
/** @typedef {{text: string} | {cents: number | undefined}} Cell */

/** German spreadsheets take the comma for the decimal point, and so the semicolon for the separator. */
export const DIALECTS = { de: { separator: ";", point: "," }, en: { separator: ",", point: "." } };

const BYTE_ORDER_MARK = "\uFEFF"; // without it, spreadsheets read umlauts as if they were Latin-1
/** Before what is computed: a cell begins behind the other language's separator too, where the file is opened by that one. */
const FORMULA = /(?:^|[,;\t\r\n][\s"]*)(?=[=+\-@\uFF0B\uFF0D\uFF1D\uFF20])|^(?=[\t\r\n])/g;

/**
 * @param {Cell[][]} rows
 * @param {Dialect} dialect
 * @returns {string} every row with its line end, after a byte order mark
 */
export function csvOf(rows, dialect) {
  return BYTE_ORDER_MARK + rows.map((row) => `${row.map((cell) => written(cell, dialect)).join(dialect.separator)}\r\n`).join("");
}

/**
 * @param {Cell} cell
 * @param {Dialect} dialect
 */
function written(cell, dialect) {
  if ("cents" in cell) return quoted(decimal(cell.cents, dialect.point), dialect);
  // A name that begins so would be computed: on the machine of whoever opens the file.
  return quoted(cell.text.replace(FORMULA, "$&'"), dialect);
}

/**
 * @param {number | undefined} cents
 * @param {string} point
 */
function decimal(cents, point) {
  if (cents === undefined) return "";
  const digits = String(Math.abs(cents)).padStart(3, "0");
  return `${cents < 0 ? "-" : ""}${digits.slice(0, -2)}${point}${digits.slice(-2)}`;
}

/**
 * @param {string} text
 * @param {Dialect} dialect
 */
function quoted(text, { separator }) {
  return text.includes(separator) || /["\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
