// @ts-check
/** Dates, the time to pay, what was delivered when, and how the prices are meant. */

import { h } from "../dom.js";
import { daysBetween, isDay } from "./days.js";
import { dueDay } from "./draft.js";
import { labelled, textBox } from "./fields.js";

/** @typedef {import("./form.js").Form} Form */
/** @typedef {import("./draft.js").Draft} Draft */
/** @typedef {"voucherDate" | "shippingDate" | "shippingEndDate"} DayKey */

/** @param {Form} form */
export function termsPart(form) {
  const { s, draft } = form;
  const payment = paymentFields(form);
  const voucherDate = dayBox(form, "voucher-date", "voucherDate", (before) => {
    if (draft.shippingDate === before) shipping.setDate(draft.voucherDate); // the same day, until somebody says otherwise
    payment.showDue();
  });
  const shipping = shippingFields(form);
  const tax = taxField(form);
  return {
    node: h("section", { class: "panel", "aria-labelledby": "terms-heading" },
      h("h2", { id: "terms-heading" }, s.terms.heading),
      h("div", { class: "grid" }, labelled(s.terms.voucherDate, voucherDate), payment.nodes),
      h("div", { class: "grid" }, shipping.nodes, tax.node)),
    setTerm: payment.setTerm,
    setSmallBusiness: tax.setSmallBusiness,
    setTaxType: tax.setTaxType,
  };
}

/**
 * @param {Form} form
 * @param {string} id
 * @param {DayKey} key
 * @param {(before: string) => void} [then]
 */
function dayBox({ draft, changed }, id, key, then = () => {}) {
  const box = h("input", { id, type: "date", min: "2000-01-01", max: "2099-12-31", oninput: () => {
    const before = draft[key];
    draft[key] = box.value;
    then(before);
    changed();
  } });
  box.value = draft[key];
  return box;
}

/** @param {Form} form */
function paymentFields({ draft, s, changed }) {
  const days = textBox("term-days", draft.termDays, (value) => {
    draft.termDays = value;
    draft.termLabel = "";
    showDue();
    changed();
  }, { inputmode: "numeric", maxlength: 4 });
  const due = h("input", { id: "due-date", type: "date", oninput: () => {
    if (!isDay(due.value) || !isDay(draft.voucherDate)) return;
    draft.termDays = String(Math.max(0, daysBetween(draft.voucherDate, due.value)));
    draft.termLabel = "";
    days.value = draft.termDays;
    changed();
  } });
  const showDue = () => {
    due.value = dueDay(draft);
    due.min = draft.voucherDate;
  };
  showDue();
  return {
    nodes: [labelled(s.terms.termDays, days), labelled(s.terms.due, due)],
    showDue,
    /** @param {number} count @param {string} label what the organization is used to, as long as nobody has changed it */
    setTerm: (count, label) => {
      draft.termDays = days.value = String(count);
      draft.termLabel = label;
      showDue();
    },
  };
}

/** @param {Form} form */
function shippingFields(form) {
  const { draft, s, changed } = form;
  const from = dayBox(form, "shipping-date", "shippingDate");
  const to = dayBox(form, "shipping-end-date", "shippingEndDate");
  const start = labelled("", from);
  const end = labelled(s.terms.to, to);
  const show = () => {
    const isPeriod = draft.shippingType.endsWith("period");
    start.hidden = draft.shippingType === "none";
    end.hidden = !isPeriod;
    const label = start.querySelector("label");
    if (label) label.textContent = s.terms.shippingDates[draft.shippingType];
  };
  const kinds = Object.entries(s.terms.shippingTypes);
  const select = h("select", { id: "shipping-type", onchange: () => {
    draft.shippingType = /** @type {Draft["shippingType"]} */ (select.value);
    show();
    changed();
  } }, kinds.map(([value, text]) => h("option", { value, selected: value === draft.shippingType }, text)));
  show();
  return {
    nodes: [labelled(s.terms.shippingType, select), start, end],
    /** @param {string} day */
    setDate: (day) => {
      if (draft.shippingEndDate === draft.shippingDate) draft.shippingEndDate = to.value = day;
      draft.shippingDate = from.value = day;
    },
  };
}

/** @param {Form} form */
function taxField(form) {
  const { draft, s } = form;
  const select = h("select", { id: "tax-type", onchange: () => {
    set(/** @type {Draft["taxType"]} */ (select.value));
    form.changed();
  } }, Object.entries(s.terms.taxTypes).map(([value, text]) =>
    h("option", { value, selected: value === draft.taxType }, text)));
  const note = h("p", { class: "hint", id: "small-business", hidden: true }, s.terms.smallBusiness);
  const set = (/** @type {Draft["taxType"]} */ type) => {
    draft.taxType = select.value = type;
    form.taxTypeChanged();
  };
  return {
    node: labelled(s.terms.taxType, select, { beside: note }),
    setTaxType: set,
    /** lexoffice takes no other invoices from such an organization. */
    setSmallBusiness: () => {
      for (const option of [...select.options]) if (option.value !== "vatfree") option.remove();
      set("vatfree");
      note.hidden = false;
    },
  };
}
