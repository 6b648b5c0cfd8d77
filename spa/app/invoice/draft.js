// @ts-check
/** An invoice that is being written: every field as it was typed, so that nothing of it is lost. */

import { lineAmount, DISCOUNT_PLACES, PRICE_PLACES, QUANTITY_PLACES, totalsOf } from "./amounts.js";
import { isDay, plusDays } from "./days.js";
import { formatDecimal, parseDecimal, withoutUnit } from "./numbers.js";

/** @typedef {import("./amounts.js").TaxType} TaxType */
/** @typedef {import("./numbers.js").Language} Language */
/** @typedef {"service" | "serviceperiod" | "delivery" | "deliveryperiod" | "none"} ShippingType */
/** @typedef {{id: string, name: string, address: string}} ChosenContact `address` in lines, for the eye alone */

/**
 * @typedef {object} Item
 * @property {string} key of this line in this draft
 * @property {"custom" | "text" | "material" | "service"} kind the latter two are articles of lexoffice, by `articleId`
 * @property {string} [articleId]
 * @property {string} name
 * @property {string} description
 * @property {string} quantity
 * @property {string} unit
 * @property {string} price
 * @property {string} rate
 * @property {string} discount
 */

/**
 * @typedef {object} Draft
 * @property {Language} language in which its numbers are written
 * @property {"contact" | "address"} recipient
 * @property {ChosenContact | null} contact
 * @property {{name: string, supplement: string, street: string, zip: string, city: string, countryCode: string}} address
 * @property {string} voucherDate
 * @property {string} termDays
 * @property {string} termLabel what the organization writes for so many days, else ""
 * @property {ShippingType} shippingType
 * @property {string} shippingDate
 * @property {string} shippingEndDate
 * @property {TaxType} taxType
 * @property {string} title
 * @property {string} introduction
 * @property {string} remark
 * @property {Item[]} items
 */

export const RATES = ["19", "7", "0"];
export const LONGEST_TERM = 1000;
const STANDARD_TERM = "14";

/**
 * @param {string} today
 * @param {Language} language
 * @returns {Draft}
 */
export function newDraft(today, language) {
  return {
    language, recipient: "contact", contact: null,
    address: { name: "", supplement: "", street: "", zip: "", city: "", countryCode: "DE" },
    voucherDate: today, termDays: STANDARD_TERM, termLabel: "",
    shippingType: "service", shippingDate: today, shippingEndDate: today,
    taxType: "net", title: "", introduction: "", remark: "", items: [newItem()],
  };
}

/**
 * @param {Item["kind"]} [kind]
 * @returns {Item}
 */
export function newItem(kind = "custom") {
  const key = crypto.randomUUID().slice(0, 8);
  return { key, kind, name: "", description: "", quantity: "1", unit: "", price: "", rate: "19", discount: "" };
}

/** @param {Item} item nobody has touched it: it is not meant to be sent */
export const isBlank = ({ name, description, price }) => !(name.trim() || description.trim() || price.trim());

/** @param {Draft} draft @returns {Item[]} those that are meant */
export function meantItems({ items }) {
  const meant = items.filter((item) => !isBlank(item));
  return meant.length > 0 ? meant : items;
}

/**
 * @param {Item} item
 * @param {Language} language
 * @returns {{quantity: bigint | undefined, price: bigint | undefined, discount: bigint | undefined}} what can be read of it
 */
export function readItem({ quantity, price, discount }, language) {
  return {
    quantity: parseDecimal(quantity, language, QUANTITY_PLACES),
    price: parseDecimal(withoutUnit(price), language, PRICE_PLACES),
    discount: discount.trim() ? parseDecimal(withoutUnit(discount), language, DISCOUNT_PLACES) : 0n,
  };
}

/**
 * @param {Item} item
 * @param {Language} language
 * @returns {bigint | undefined} cents, or undefined while something is missing; a text costs nothing
 */
export function amountOf(item, language) {
  if (item.kind === "text") return undefined;
  const { quantity, price, discount } = readItem(item, language);
  return quantity === undefined || price === undefined || discount === undefined ? undefined
    : lineAmount(quantity, price, discount);
}

/** @param {Draft} draft @returns {import("./amounts.js").Totals} of the lines that can be read */
export function totalsOfDraft({ items, language, taxType }) {
  return totalsOf(items.flatMap((item) => {
    const amount = amountOf(item, language);
    return amount === undefined ? [] : [{ amount, rate: Number(item.rate) }];
  }), taxType);
}

/** @param {Draft} draft @returns {string} or "" while it cannot be told */
export const dueDay = ({ voucherDate, termDays }) =>
  isDay(voucherDate) && /^\d{1,4}$/.test(termDays.trim()) ? plusDays(voucherDate, Number(termDays)) : "";

/** @param {Draft} draft @returns {string} whom it is for, as far as known */
export const recipientName = ({ recipient, contact, address }) =>
  (recipient === "contact" ? contact?.name ?? "" : address.name.trim());

/**
 * @param {Draft} draft
 * @param {Language} language
 * @returns {Draft} the same with its numbers written in another language; what is no number in the one is none in the other
 */
export function translated(draft, language) {
  if (draft.language === language) return draft;
  const again = (/** @type {string} */ text, /** @type {number} */ places, /** @type {number} */ least) => {
    const value = parseDecimal(withoutUnit(text), draft.language, places);
    if (value !== undefined) return formatDecimal(value, language, places, least);
    // 0,125 has a digit too many for a German price, and must not be 125 in English: its marks change too, so that it stays wrong.
    return text.replace(/[.,]/g, (mark) => (mark === "," ? "." : ","));
  };
  const items = draft.items.map((item) => ({ ...item,
    quantity: again(item.quantity, QUANTITY_PLACES, 0),
    price: again(item.price, PRICE_PLACES, PRICE_PLACES),
    discount: again(item.discount, DISCOUNT_PLACES, 0) }));
  return { ...draft, language, items };
}
