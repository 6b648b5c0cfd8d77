// @ts-check
/** What is known of contacts: names, roles, addresses, in words. */

import { country } from "./format.js";
import { t } from "./preferences.js";

/** @typedef {import("./shapes.js").Contact} Contact */
/** @typedef {import("./shapes.js").Person} Person */
/** @typedef {import("./shapes.js").Address} Address */

/** @param {Contact} contact */
export const nameOf = ({ company, person }) => company?.name || (person && personName(person)) || t.contacts.unnamed;

/** @param {Person} person */
export const personName = ({ salutation, firstName, lastName }) => [salutation, firstName, lastName].filter(Boolean).join(" ");

/** @param {Contact} contact */
export function rolesOf({ roles }) {
  return [roles?.customer && t.contacts.customer, roles?.vendor && t.contacts.vendor].filter(Boolean).join(", ");
}

/** @param {Contact} contact */
export const cityOf = ({ addresses }) => addresses?.billing?.[0]?.city ?? addresses?.shipping?.[0]?.city ?? "";

/** @param {Contact} contact */
export const mailOf = ({ emailAddresses }) => Object.values(emailAddresses ?? {}).flat()[0] ?? "";

/**
 * @param {Address} address
 * @returns {string} with line breaks
 */
export function addressLines({ name, supplement, street, zip, city, countryCode }) {
  const place = [zip, city].filter(Boolean).join(" ");
  const abroad = countryCode && countryCode !== "DE" ? country(countryCode) : "";
  return [name, supplement, street, place, abroad].filter(Boolean).join("\n");
}
