// @ts-check
/** One contact: how to reach them, their addresses and numbers, and the way to their vouchers. */

import { addressLines, kindName, nameOf, personName, rolesOf } from "../contacts.js";
import { h } from "../dom.js";
import { readContact } from "../lexoffice.js";
import { announce, backLink, facts, heading, lines, loadingPart, retitle, skeleton } from "../parts.js";
import { t } from "../preferences.js";

/** @typedef {import("../shapes.js").Contact} Contact */

/**
 * @param {import("../router.js").Visit} visit
 * @returns {import("../parts.js").View}
 */
export function contactView({ path: [id = ""], signal }) {
  const title = heading(t.contacts.title);
  const content = loadingPart(signal, {
    bones: h("div", { class: "panel" }, skeleton(8)),
    load: (asked) => readContact(id, asked),
    isConcerned: (change) => change.id === id,
    show: (contact) => {
      retitle(title, nameOf(contact), h("span", { class: "quiet" }, rolesOf(contact)), actions(contact));
      announce(nameOf(contact));
      return contactPanels(contact);
    },
  });
  return { title: t.contacts.title, node: h("div", {}, backLink("/contacts", t.contact.back), title, content) };
}

/** @param {Contact} contact */
function actions({ id }) {
  return h("div", { class: "actions" }, h("a", { class: "button", href: `/vouchers?contact=${id}` }, t.contact.vouchers));
}

/** @param {Contact} contact */
function contactPanels(contact) {
  const { company, roles, note } = contact;
  return h("div", { class: "columns" },
    panel(t.contact.reach, reach(contact)),
    panel(t.contact.addresses, addresses(contact)),
    company?.contactPersons?.length ? panel(t.contact.persons, persons(company.contactPersons)) : null,
    panel(t.contact.numbers, facts([
      [t.contact.customerNumber, roles?.customer?.number],
      [t.contact.vendorNumber, roles?.vendor?.number],
      [t.contact.taxNumber, company?.taxNumber],
      [t.contact.vatId, company?.vatRegistrationId],
    ])),
    note ? panel(t.contact.note, lines(note)) : null);
}

/**
 * @param {string} title
 * @param {HTMLElement | null} content
 */
function panel(title, content) {
  const filled = content && content.childElementCount + (content.textContent ?? "").length > 0;
  return h("section", { class: "panel", "data-key": title, "data-live": true }, h("h2", {}, title), filled ? content : h("p", { class: "quiet" }, t.contact.nothing));
}

/** @param {Contact} contact */
function reach({ emailAddresses, phoneNumbers }) {
  const mails = entries(emailAddresses).map(([kind, mail]) => /** @type {[string, HTMLElement]} */ (
    [`${t.contact.email}, ${kindName(kind)}`, mailLink(mail)]));
  const phones = entries(phoneNumbers).map(([kind, phone]) => /** @type {[string, HTMLElement]} */ (
    [`${t.contact.phone}, ${kindName(kind)}`, phoneLink(phone)]));
  return facts([...mails, ...phones]);
}

/** @param {Record<string, string[]> | undefined} lists @returns {[string, string][]} */
function entries(lists) {
  return Object.entries(lists ?? {}).flatMap(([kind, values]) =>
    values.map((value) => /** @type {[string, string]} */ ([kind, value])));
}

/** @param {string} mail */
const mailLink = (mail) => h("a", { href: `mailto:${mail}` }, mail);

/** @param {string} phone */
const phoneLink = (phone) => h("a", { href: `tel:${phone.replace(/[^+\d]/g, "")}` }, phone);

/** @param {Contact} contact */
function addresses({ addresses: all }) {
  const named = [
    ...(all?.billing ?? []).map((address) => ({ kind: t.contact.billing, address })),
    ...(all?.shipping ?? []).map((address) => ({ kind: t.contact.shipping, address })),
  ];
  return facts(named.map(({ kind, address }) => [kind, lines(addressLines(address))]));
}

/** @param {import("../shapes.js").Person[]} people */
function persons(people) {
  return h("ul", { class: "people", role: "list" }, people.map((person) => h("li", {},
    h("strong", {}, personName(person)),
    person.primary && h("span", { class: "quiet" }, ` ${t.contact.primary}`),
    person.emailAddress && h("div", {}, mailLink(person.emailAddress)),
    person.phoneNumber && h("div", {}, phoneLink(person.phoneNumber)))));
}
