// @ts-check
/** What is wrong with a draft, told before anything is sent. */

import { isDay } from "./days.js";
import { LONGEST_TERM, isBlank, meantItems, readItem, totalsOfDraft } from "./draft.js";

/** @typedef {import("./draft.js").Draft} Draft */
/** @typedef {import("./draft.js").Item} Item */
/**
 * @typedef {"contact" | "name" | "zip" | "day" | "endDay" | "term" | "noItems" | "negative" | "itemName" | "quantity" | "price"
 *   | "discount" | "amount"} Code
 */
/** @typedef {{field: string, code: Code}} Problem `field` as the control's id */

const MOST_QUANTITY = 10n ** 9n * 10_000n;
const MOST_CENTS = 10n ** 11n;
const WHOLE = 10_000n;

/**
 * @param {Draft} draft
 * @returns {Problem[]} in the order in which the form shows them
 */
export function problemsOf(draft) {
  return [...recipientProblems(draft), ...dateProblems(draft), ...itemProblems(draft)];
}

/** @param {Draft} draft @returns {Problem[]} */
function recipientProblems({ recipient, contact, address }) {
  if (recipient === "contact") return contact ? [] : [{ field: "contact", code: "contact" }];
  const zip = address.zip.trim();
  return chosen([
    [!address.name.trim(), "address-name", "name"],
    [zip !== "" && address.countryCode === "DE" && !/^\d{5}$/.test(zip), "address-zip", "zip"],
  ]);
}

/** @param {Draft} draft @returns {Problem[]} */
function dateProblems({ voucherDate, termDays, shippingType, shippingDate, shippingEndDate }) {
  const days = termDays.trim();
  const isPeriod = shippingType.endsWith("period");
  return chosen([
    [!isDay(voucherDate), "voucher-date", "day"],
    [!/^\d{1,4}$/.test(days) || Number(days) > LONGEST_TERM, "term-days", "term"],
    [shippingType !== "none" && !isDay(shippingDate), "shipping-date", "day"],
    [isPeriod && !isDay(shippingEndDate), "shipping-end-date", "day"],
    [isPeriod && isDay(shippingDate) && isDay(shippingEndDate) && shippingEndDate < shippingDate, "shipping-end-date", "endDay"],
  ]);
}

/** @param {Draft} draft @returns {Problem[]} */
function itemProblems(draft) {
  const items = meantItems(draft);
  const wrong = items.flatMap((item) => problemsOfItem(item, draft.language));
  if (wrong.length > 0) return wrong;
  return chosen([
    [!items.some((item) => item.kind !== "text" && !isBlank(item)), "items", "noItems"],
    [totalsOfDraft(draft).gross < 0n, "items", "negative"],
  ]);
}

/**
 * @param {Item} item
 * @param {import("./numbers.js").Language} language
 * @returns {Problem[]}
 */
function problemsOfItem(item, language) {
  const field = (/** @type {string} */ name) => `item-${item.key}-${name}`;
  const named = chosen([[!item.name.trim(), field("name"), "itemName"]]);
  return item.kind === "text" ? named : [...named, ...numberProblems(item, language)];
}

/**
 * @param {Item} item
 * @param {import("./numbers.js").Language} language
 * @returns {Problem[]} what is no number, or one that cannot be
 */
export function numberProblems(item, language) {
  const field = (/** @type {string} */ name) => `item-${item.key}-${name}`;
  const { quantity, price, discount } = readItem(item, language);
  const isTooMuch = price !== undefined && (price > MOST_CENTS || price < -MOST_CENTS);
  return chosen([
    [quantity === undefined || quantity <= 0n || quantity > MOST_QUANTITY, field("quantity"), "quantity"],
    [price === undefined, field("price"), "price"],
    [isTooMuch, field("price"), "amount"],
    [discount === undefined || discount < 0n || discount > WHOLE, field("discount"), "discount"],
  ]);
}

/** @param {[boolean, string, Code][]} checks @returns {Problem[]} */
const chosen = (checks) => checks.filter(([isWrong]) => isWrong).map(([, field, code]) => ({ field, code }));
