// @ts-check
/** Numbers as people write them: read strictly by one language and exactly, as a whole number of their last decimal place. */

/** @typedef {"de" | "en"} Language */

const MARKS = { de: { group: ".", point: "," }, en: { group: ",", point: "." } };
const LONGEST = 15;

/**
 * @param {string} text as 1.234,56 in German and 1,234.56 in English; marks of thousands stand right or not at all
 * @param {Language} language
 * @param {number} places decimal ones that there may be
 * @returns {bigint | undefined} 123456n for 1.234,56 with two places; undefined for what is no number, or has more of them
 */
export function parseDecimal(text, language, places) {
  const { group, point } = MARKS[language];
  const match = new RegExp(`^([-−]?)(\\d{1,3}(?:\\${group}\\d{3})+|\\d+)(?:\\${point}(\\d{1,${places}}))?$`).exec(text.trim());
  if (!match) return undefined;
  const [, sign, whole = "", fraction = ""] = match;
  const digits = whole.replaceAll(group, "") + fraction.padEnd(places, "0");
  if (digits.length > LONGEST) return undefined;
  return sign ? -BigInt(digits) : BigInt(digits);
}

/**
 * @param {bigint} value in its last decimal place
 * @param {Language} language
 * @param {number} places
 * @param {number} [least] decimal places that are always written
 * @returns {string} what `parseDecimal` reads as the same value
 */
export function formatDecimal(value, language, places, least = places) {
  const { group, point } = MARKS[language];
  const digits = String(value < 0n ? -value : value).padStart(places + 1, "0");
  const whole = digits.slice(0, digits.length - places).replace(/\B(?=(?:\d{3})+$)/g, group);
  const all = digits.slice(digits.length - places);
  const fraction = all.slice(0, least) + all.slice(least).replace(/0+$/, "");
  return `${value < 0n ? "-" : ""}${whole}${fraction && point + fraction}`;
}

/** @param {string} text without the sign that a copied amount often brings along */
export const withoutUnit = (text) => text.replace(/\s*(?:€|EUR|%)\s*$/i, "");

/**
 * @param {bigint} value
 * @param {number} places
 * @returns {number} for JSON: 1234.56 for 123456n with two places, to the digit
 */
export const toNumber = (value, places) => Number(value) / 10 ** places;
