// @ts-check
/** What lexoffice found wrong, put to the fields of the form where it names one of them. */

import { meantItems } from "./draft.js";

/** @typedef {import("./draft.js").Draft} Draft */
/** @typedef {{field: string, code: string, message: string}} Issue as lexoffice tells it */

/** @type {[RegExp, string][]} */
const FIELDS = [
  [/^address\.contactId\b/, "contact"],
  [/^address\.(name|supplement|street|zip|city)\b/, "address-$1"],
  [/^address\.countryCode\b/, "address-country"],
  [/^address\b/, "contact"],
  [/^voucherDate\b/, "voucher-date"],
  [/^paymentConditions\b/, "term-days"],
  [/^dueDate\b/, "term-days"],
  [/^shippingConditions\.shippingEndDate\b/, "shipping-end-date"],
  [/^shippingConditions\.shippingType\b/, "shipping-type"],
  [/^shippingConditions\b/, "shipping-date"],
  [/^taxConditions\b/, "tax-type"],
  [/^(title|introduction|remark)\b/, "$1"],
  [/^(lineItems|totalPrice|taxAmounts)\b(?!\[)/, "items"],
];
/** @type {[RegExp, string][]} */
const OF_ITEM = [
  [/\btaxRate/, "rate"],
  [/\b(unitPrice|netAmount|grossAmount|lineItemAmount)\b/, "price"],
  [/\bquantity\b/, "quantity"],
  [/\bunitName\b/, "unit"],
  [/\bdiscount/, "discount"],
  [/\bdescription\b/, "description"],
];

/**
 * @param {Issue[]} issues
 * @param {Draft} draft the one that was sent
 * @returns {{placed: {field: string, issue: Issue}[], others: Issue[]}} `field` as the control's id
 */
export function placed(issues, draft) {
  const all = issues.map((issue) => ({ field: fieldOf(issue.field, draft), issue }));
  return {
    placed: all.flatMap(({ field, issue }) => (field === undefined ? [] : [{ field, issue }])),
    others: all.flatMap(({ field, issue }) => (field === undefined ? [issue] : [])),
  };
}

/**
 * @param {string} source as address.name or lineItems[2].unitPrice.netAmount
 * @param {Draft} draft
 * @returns {string | undefined}
 */
function fieldOf(source, draft) {
  const line = /^lineItems\[(\d+)\](.*)$/.exec(source);
  if (line) {
    const item = meantItems(draft)[Number(line[1])];
    const [, name = "name"] = OF_ITEM.find(([pattern]) => pattern.test(line[2] ?? "")) ?? [];
    return item && `item-${item.key}-${name}`;
  }
  for (const [pattern, id] of FIELDS) {
    const match = pattern.exec(source);
    if (match) return shown(id.replace("$1", match[1] ?? ""), draft);
  }
  return undefined;
}

/**
 * @param {string} field
 * @param {Draft} draft
 * @returns {string} the field that is on the screen: an address of a contact is not typed here
 */
function shown(field, { recipient }) {
  if (recipient === "contact") return field.startsWith("address-") ? "contact" : field;
  return field === "contact" ? "address-name" : field;
}
