// @ts-check
/** One contact: what is owed, how to reach them, their addresses and numbers, and their newest vouchers. */

import { de, en } from "../../i18n/contact.js";
import { contactVouchers } from "../contact-vouchers.js";
import { addressLines, nameOf, personName, rolesOf } from "../contacts.js";
import { h } from "../dom.js";
import { readContact } from "../lexoffice.js";
import { announce, backLink, facts, heading, lines, loadingPart, retitle, skeleton } from "../parts.js";
import { inLanguage, t } from "../preferences.js";

/** @typedef {import("../shapes.js").Contact} Contact */

/**
 * @param {import("../router.js").Visit} visit
 * @returns {import("../parts.js").View}
 */
export function contactView({ path: [id = ""], signal }) {
  const title = heading(t.contacts.title);
  const vouchers = contactVouchers(id, signal);
  const content = loadingPart(signal, {
    bones: h("div", { class: "panel" }, skeleton(8)),
    load: (asked) => readContact(id, asked),
    isConcerned: (change) => change.id === id,
    show: (contact) => {
      retitle(title, nameOf(contact), h("span", { class: "quiet" }, rolesOf(contact)), actions(contact));
      announce(nameOf(contact));
      return [vouchers.sums(contact), contactPanels(contact), vouchers.node];
    },
  });
  return { title: t.contacts.title, node: h("div", { class: "contact" }, backLink("/contacts", t.contacts.all), title, content) };
}

/** @param {Contact} contact */
function actions({ id, roles }) {
  const own = inLanguage({ de, en });
  return h("div", { class: "actions" },
    roles?.customer && h("a", { class: "button", href: `/invoices/new?contact=${id}`, "data-testid": "new-invoice" }, own.newInvoice),
    h("a", { class: "button button-quiet", href: `/vouchers?contact=${id}` }, own.allVouchers));
}

/** @param {Contact} contact */
function contactPanels(contact) {
  const own = inLanguage({ de, en });
  const { company, roles, note } = contact;
  return h("div", { class: "columns", "data-key": "panels" },
    panel(own.reach, reach(contact)),
    panel(own.addresses, addresses(contact)),
    company?.contactPersons?.length ? panel(own.persons, persons(company.contactPersons)) : null,
    panel(own.numbers, facts([
      [own.customerNumber, roles?.customer?.number],
      [own.vendorNumber, roles?.vendor?.number],
      [own.taxNumber, company?.taxNumber],
      [own.vatId, company?.vatRegistrationId],
    ])),
    note ? panel(own.note, lines(note)) : null);
}

/**
 * @param {string} title
 * @param {HTMLElement | null} content
 */
function panel(title, content) {
  const filled = content && content.childElementCount + (content.textContent ?? "").length > 0;
  return h("section", { class: "panel", "data-key": title, "data-live": true }, h("h2", {}, title),
    filled ? content : h("p", { class: "quiet" }, inLanguage({ de, en }).nothing));
}

/** @param {Contact} contact */
function reach({ emailAddresses, phoneNumbers }) {
  const own = inLanguage({ de, en });
  const mails = entries(emailAddresses).map(([kind, mail]) => /** @type {[string, HTMLElement]} */ (
    [`${own.email}, ${kindName(kind)}`, mailLink(mail)]));
  const phones = entries(phoneNumbers).map(([kind, phone]) => /** @type {[string, HTMLElement]} */ (
    [`${own.phone}, ${kindName(kind)}`, phoneLink(phone)]));
  return facts([...mails, ...phones]);
}

/** @param {string} kind as business, office, mobile */
function kindName(kind) {
  /** @type {Record<string, string>} */
  const names = inLanguage({ de, en }).kinds;
  return names[kind] ?? kind;
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
  const own = inLanguage({ de, en });
  const named = [
    ...(all?.billing ?? []).map((address) => ({ kind: own.billing, address })),
    ...(all?.shipping ?? []).map((address) => ({ kind: own.shipping, address })),
  ];
  return facts(named.map(({ kind, address }) => [kind, lines(addressLines(address))]));
}

/** @param {import("../shapes.js").Person[]} people */
function persons(people) {
  return h("ul", { class: "people", role: "list" }, people.map((person) => h("li", {},
    h("strong", {}, personName(person)),
    person.primary && h("span", { class: "quiet" }, ` ${inLanguage({ de, en }).primary}`),
    person.emailAddress && h("div", {}, mailLink(person.emailAddress)),
    person.phoneNumber && h("div", {}, phoneLink(person.phoneNumber)))));
}
