// @ts-check
/** The form as a whole: its parts, and the sums that follow from them. */

import { h } from "../dom.js";
import { money, percent } from "../format.js";
import { t } from "../preferences.js";
import { amountOf, isBlank, totalsOfDraft } from "./draft.js";
import { labelled, textArea, textBox } from "./fields.js";
import { itemsPart } from "./line-items.js";
import { recipientPart } from "./recipient.js";
import { termsPart } from "./terms.js";

/** @typedef {import("./draft.js").Draft} Draft */
/** @typedef {typeof import("../../i18n/invoice-form.js").de} Texts */
/**
 * @typedef {object} Form what every part of it knows
 * @property {Draft} draft
 * @property {Texts} s
 * @property {AbortSignal} signal of the visit
 * @property {string | undefined} contactId whom the address of the page asks for
 * @property {() => void} changed to be called after every change of the draft
 * @property {() => void} taxTypeChanged
 */

const LONGEST_TITLE = 255;
const LONGEST_TEXT = 5000;

/** @param {bigint} cents */
export const euros = (cents) => money(Number(cents) / 100);

/** @param {number} at milliseconds */
export const clock = (at) => new Intl.DateTimeFormat(t.locale, { hour: "2-digit", minute: "2-digit" }).format(at);

/**
 * @param {Omit<Form, "taxTypeChanged">} known
 */
export function buildForm(known) {
  const { draft } = known;
  const sums = sumsPart(known);
  /** @type {Form} */
  const form = { ...known, taxTypeChanged: () => refresh(), changed: () => {
    refresh();
    known.changed();
  } };
  const terms = termsPart(form);
  const items = itemsPart(form);
  const node = h("div", { class: "invoice-sections" }, recipientPart(form), terms.node, items.node, wordsPart(form));
  const refresh = () => {
    node.dataset.tax = draft.taxType;
    items.refresh();
    sums.refresh();
  };
  refresh();
  return { node, terms, sums: sums.node };
}

/** @param {Form} form */
function wordsPart({ draft, s, changed }) {
  /** @type {(key: "title" | "introduction" | "remark") => (value: string) => void} */
  const type = (key) => (value) => {
    draft[key] = value;
    changed();
  };
  return h("section", { class: "panel", "aria-labelledby": "words-heading" },
    h("h2", { id: "words-heading" }, s.words.heading),
    h("div", { class: "grid" },
      labelled(`${s.words.title} ${s.items.optional}`, textBox("title", draft.title, type("title"),
        { placeholder: s.words.standardTitle, maxlength: LONGEST_TITLE })),
      labelled(`${s.words.introduction} ${s.items.optional}`, textArea("introduction", draft.introduction, type("introduction"),
        { maxlength: LONGEST_TEXT }), { className: "field-wide" }),
      labelled(`${s.words.remark} ${s.items.optional}`, textArea("remark", draft.remark, type("remark"),
        { maxlength: LONGEST_TEXT }), { className: "field-wide" })));
}

/** @param {{draft: Draft, s: Texts}} form */
function sumsPart({ draft, s }) {
  const list = h("dl", { class: "invoice-sums", "data-testid": "sums" });
  const note = h("p", { class: "hint" });
  const row = (/** @type {string} */ name, /** @type {bigint} */ cents, className = "") =>
    h("div", { class: className }, h("dt", {}, name), h("dd", { class: "number" }, euros(cents)));
  return {
    node: h("div", {}, list, note),
    refresh: () => {
      const { net, taxes, gross } = totalsOfDraft(draft);
      const taxed = taxes.filter(({ rate }) => rate > 0);
      list.replaceChildren(row(s.sums.net, net),
        ...taxed.map(({ rate, net: of, tax }) => row(s.sums.tax(percent(rate), euros(of)), tax)),
        row(s.sums.gross, gross, "sum-gross"));
      const isPart = draft.items.some((item) =>
        item.kind !== "text" && !isBlank(item) && amountOf(item, draft.language) === undefined);
      note.textContent = isPart ? s.sums.incomplete : "\u00a0";
    },
  };
}
