// @ts-check
/** The invoice as lexoffice's API wants it, of a draft without problems. */

import { DISCOUNT_PLACES, PRICE_PLACES, QUANTITY_PLACES } from "./amounts.js";
import { wireDay } from "./days.js";
import { meantItems, readItem } from "./draft.js";
import { toNumber } from "./numbers.js";

/** @typedef {import("./draft.js").Draft} Draft */
/** @typedef {import("./draft.js").Item} Item */

/**
 * @param {Draft} draft
 * @returns {Record<string, unknown>} JSON
 */
export function orderOf(draft) {
  return {
    archived: false,
    voucherDate: wireDay(draft.voucherDate),
    address: addressOf(draft),
    lineItems: meantItems(draft).map((item) => lineOf(item, draft)),
    totalPrice: { currency: "EUR" },
    taxConditions: { taxType: draft.taxType }, // the reason for no tax is the one that lexoffice knows of the organization
    paymentConditions: { paymentTermLabel: termLabel(draft), paymentTermDuration: Number(draft.termDays) },
    shippingConditions: shippingOf(draft),
    ...given({ title: draft.title, introduction: draft.introduction, remark: draft.remark }),
  };
}

/** @param {Draft} draft */
function addressOf({ recipient, contact, address }) {
  if (recipient === "contact" && contact) return { contactId: contact.id };
  return given(address);
}

/** @param {Draft} draft */
function shippingOf({ shippingType, shippingDate, shippingEndDate }) {
  if (shippingType === "none") return { shippingType };
  const start = { shippingType, shippingDate: wireDay(shippingDate) };
  return shippingType.endsWith("period") ? { ...start, shippingEndDate: wireDay(shippingEndDate) } : start;
}

/** @param {Draft} draft @returns {string} in German, as the invoice is */
function termLabel({ termDays, termLabel: own }) {
  const days = Number(termDays);
  if (own) return own;
  return days === 0 ? "Zahlbar sofort ohne Abzug" : `Zahlbar innerhalb von ${days === 1 ? "einem Tag" : `${days} Tagen`} ohne Abzug`;
}

/**
 * @param {Item} item
 * @param {Draft} draft
 */
function lineOf(item, { language, taxType }) {
  const words = given({ name: item.name, description: item.description });
  if (item.kind === "text") return { type: "text", ...words };
  const { quantity = 0n, price = 0n, discount = 0n } = readItem(item, language);
  const isGross = taxType === "gross";
  return {
    ...(item.articleId && item.kind !== "custom" ? { id: item.articleId } : {}),
    type: item.kind,
    ...words,
    quantity: toNumber(quantity, QUANTITY_PLACES),
    ...given({ unitName: item.unit || "Stück" }),
    unitPrice: {
      currency: "EUR",
      [isGross ? "grossAmount" : "netAmount"]: toNumber(price, PRICE_PLACES),
      taxRatePercentage: taxType === "vatfree" ? 0 : Number(item.rate),
    },
    discountPercentage: toNumber(discount, DISCOUNT_PLACES),
  };
}

/** @param {Record<string, string>} texts @returns {Record<string, string>} those that say something, without space around */
const given = (texts) => Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, text.trim()]).filter(([, text]) => text));
