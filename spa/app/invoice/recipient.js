// @ts-check
/** Whom the invoice is for: a contact that is found by typing, or an address for this once. */

import { addressLines, cityOf, nameOf } from "../contacts.js";
import { h } from "../dom.js";
import { explain, isAborted } from "../faults.js";
import { country } from "../format.js";
import { readContact, readContacts } from "../lexoffice.js";
import { CLICKED } from "../pace.js";
import { lines } from "../parts.js";
import { combobox } from "./combobox.js";
import { labelled, showProblem, textBox } from "./fields.js";

/** @typedef {import("../shapes.js").Contact} Contact */
/** @typedef {import("./form.js").Form} Form */

const FEWEST_LETTERS = 3;
const TYPING_MS = 450; // lexoffice takes two calls a second
const COUNTRIES = ("DE AT CH BE BG CY CZ DK EE ES FI FR GB GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK TR UA US CA"
  + " AU JP CN IN").split(" ");

/** @param {Form} form */
export function recipientPart(form) {
  const { draft, s } = form;
  const contact = contactPart(form);
  const address = addressPart(form);
  const show = () => {
    contact.hidden = draft.recipient !== "contact";
    address.hidden = draft.recipient !== "address";
  };
  const choice = (/** @type {"contact" | "address"} */ value, /** @type {string} */ text) =>
    h("label", { class: "choice-radio" },
      h("input", { type: "radio", name: "recipient", value, checked: draft.recipient === value, onchange: () => {
        draft.recipient = value;
        show();
        form.changed();
      } }), " ", text);
  show();
  return h("section", { class: "panel", "aria-labelledby": "recipient-heading" },
    h("h2", { id: "recipient-heading" }, s.recipient.heading),
    h("fieldset", { class: "radios" }, h("legend", { class: "visually-hidden" }, s.recipient.kind),
      choice("contact", s.recipient.contact), choice("address", s.recipient.address)),
    contact, address);
}

/** @param {Form} form */
function contactPart(form) {
  const { draft, s, signal } = form;
  const shown = h("div", { class: "chosen", "data-testid": "chosen-contact" });
  const show = () => shown.replaceChildren(...(draft.contact
    ? [lines(draft.contact.address || s.recipient.noAddress, draft.contact.address ? "" : "quiet")] : []));
  const { input, beside } = combobox({
    id: "contact", value: draft.contact?.name ?? "", least: FEWEST_LETTERS, waitMs: TYPING_MS, listLabel: s.recipient.list,
    searching: s.recipient.searching, found: s.recipient.found,
    failed: (error) => `${s.recipient.failed} ${explain(error).title}.`,
    find: contactsFound(signal),
    type: () => {
      draft.contact = null;
      show();
      form.changed();
    },
    choose: ({ id, label, detail }) => {
      draft.contact = { id, name: label, address: found.get(id) ?? detail };
      show();
      form.changed();
    },
  });
  const field = labelled(s.recipient.search, input, { hint: s.recipient.searchHint, className: "field-wide", beside });
  show();
  if (form.contactId) preselect(form, form.contactId, input, field, show);
  return h("div", {}, field, shown);
}

/** @type {Map<string, string>} the addresses of contacts that were found, by id */
const found = new Map();

/** @param {AbortSignal} signal of the visit */
function contactsFound(signal) {
  /** @type {{text: string, all: Contact[]} | undefined} */
  let whole;
  return async (/** @type {string} */ text, /** @type {AbortSignal} */ current) => {
    const wanted = text.toLowerCase();
    // Whoever types on looks among what was found: lexoffice is not asked for less of the same.
    if (!whole || !wanted.includes(whole.text)) {
      const asked = { signal: AbortSignal.any([signal, current]), urgency: CLICKED };
      const page = await readContacts({ page: 0, name: text, isCustomer: true }, asked);
      whole = page.last ? { text: wanted, all: page.content } : undefined;
      return page.content.map(choiceOf);
    }
    return whole.all.filter((contact) => nameOf(contact).toLowerCase().includes(wanted)).map(choiceOf);
  };
}

/** @param {Contact} contact */
function choiceOf(contact) {
  const [billing] = contact.addresses?.billing ?? [];
  found.set(contact.id, billing ? addressLines({ ...billing, name: nameOf(contact) }) : "");
  const number = contact.roles?.customer?.number;
  return { id: contact.id, label: nameOf(contact), detail: [number, cityOf(contact)].filter(Boolean).join(" · ") };
}

/**
 * @param {Form} form
 * @param {string} id
 * @param {HTMLInputElement} input
 * @param {HTMLElement} field
 * @param {() => void} show
 */
async function preselect(form, id, input, field, show) {
  try {
    const contact = await readContact(id, { signal: form.signal });
    if (input.value || form.draft.contact) return; // the person was quicker
    const { label, detail } = choiceOf(contact);
    input.value = label;
    form.draft.contact = { id, name: label, address: found.get(id) ?? detail };
    show();
  } catch (error) {
    if (!isAborted(error)) showProblem(field, form.s.recipient.missing);
  }
}

/** @param {Form} form */
function addressPart({ draft: { address }, s, changed }) {
  /** @type {(key: keyof typeof address, label: string, className?: string, complete?: string) => HTMLElement} */
  const field = (key, label, className = "", complete = "off") =>
    labelled(label, textBox(`address-${key}`, address[key], (value) => {
      address[key] = value;
      changed();
    }, { autocomplete: complete, maxlength: 255 }), { className });
  const select = h("select", { id: "address-country", onchange: () => {
    address.countryCode = select.value;
    changed();
  } }, COUNTRIES.map((code) => h("option", { value: code, selected: code === address.countryCode }, country(code))));
  return h("div", { class: "grid", "data-testid": "one-off" },
    field("name", s.recipient.name, "field-wide"), field("supplement", s.recipient.supplement, "field-wide"),
    field("street", s.recipient.street, "field-wide"), field("zip", s.recipient.zip, "field-short"),
    field("city", s.recipient.city), labelled(s.recipient.country, select));
}
