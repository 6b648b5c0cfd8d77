// @ts-check
/** What a contact owes and is owed, and the newest vouchers with them; one call, unless they have more than a page of vouchers. */

import { de, en } from "../i18n/contact.js";
import { h } from "./dom.js";
import { owedWith } from "./figures.js";
import { money, today } from "./format.js";
import { readAllVouchers, readVouchers } from "./lexoffice.js";
import { loadingPart, skeleton } from "./parts.js";
import { patch } from "./patch.js";
import { inLanguage, t } from "./preferences.js";
import { voucherTable } from "./voucher-table.js";
import { EXPENSE_TYPES, REVENUE_TYPES } from "./vouchers.js";

/** @typedef {import("./shapes.js").VoucherRow} VoucherRow */
/** @typedef {ReturnType<typeof owedWith>} Owed */

const LARGEST_PAGE = 250;
const SHOWN = 10;

/**
 * @param {string} id of the contact
 * @param {AbortSignal} signal of the visit
 * @returns {{node: HTMLElement, sums: (contact: import("./shapes.js").Contact) => HTMLElement}} `sums`: a place of their own
 */
export function contactVouchers(id, signal) {
  /** @type {Owed | undefined} */
  let owed;
  /** @type {import("./shapes.js").Contact["roles"]} */
  let roles;
  const place = h("div", { class: "owed", "data-key": "owed", "data-whole": "owed" });
  const refresh = () => patch(place, sumTiles(id, roles, owed));
  const node = loadingPart(signal, {
    bones: h("section", { class: "panel" }, skeleton(8)),
    load: (asked) => read(id, asked),
    isConcerned: ({ kind }) => kind === "voucher",
    show: ({ newest, open, total }) => {
      owed = owedWith(open, today());
      refresh();
      return newestPanel(id, newest, total, owed.foreign);
    },
  });
  node.dataset.key = node.dataset.whole = "vouchers"; // it changes by itself
  return {
    node,
    sums: (contact) => {
      roles = contact.roles;
      refresh();
      return place;
    },
  };
}

/**
 * @param {string} contactId
 * @param {import("./lexoffice.js").Asked} asked
 * @returns {Promise<{newest: VoucherRow[], open: VoucherRow[], total: number}>}
 */
async function read(contactId, asked) {
  const { content, last, totalElements } = await readVouchers(
    { contactId, page: 0, size: LARGEST_PAGE, sort: "voucherDate,DESC" }, asked);
  const open = last ? content : (await readAllVouchers(
    { contactId, type: `${REVENUE_TYPES},${EXPENSE_TYPES}`, status: "open" }, asked)).rows;
  return { newest: content.slice(0, SHOWN), open, total: totalElements };
}

/**
 * @param {string} id
 * @param {import("./shapes.js").Contact["roles"]} roles
 * @param {Owed | undefined} owed undefined while it is not known
 */
function sumTiles(id, roles, owed) {
  const own = inLanguage({ de, en });
  const isCustomer = Boolean(roles?.customer) || (owed?.owed.count ?? 0) > 0;
  const isVendor = Boolean(roles?.vendor) || (owed?.toPay.count ?? 0) > 0;
  return [
    ...(isCustomer ? [tile("owed", own.owed, owed?.owed, `/vouchers?type=revenue&status=open&contact=${id}`),
      tile("overdue", own.overdue, owed?.overdue, `/vouchers?type=revenue&status=overdue&contact=${id}`)] : []),
    ...(isVendor ? [tile("to-pay", own.toPay, owed?.toPay, `/vouchers?type=expenses&status=open&contact=${id}`),
      tile("to-pay-late", own.toPayLate, owed?.toPayLate, `/vouchers?type=expenses&status=overdue&contact=${id}`)] : []),
  ];
}

/**
 * @param {string} kind
 * @param {string} name
 * @param {import("./figures.js").Sum | undefined} sum undefined while it is not known
 * @param {string} href
 */
function tile(kind, name, sum, href) {
  const isLate = kind.endsWith("late") || kind === "overdue";
  return h("a", { class: "panel sum", href, "data-key": kind, "data-testid": `sum-${kind}` },
    h("span", { class: "quiet" }, name),
    h("strong", { class: isLate && sum && sum.count > 0 ? "number late-days" : "number" },
      sum ? money(sum.sum / 100) : h("span", { class: "bone bone-amount" })),
    h("span", { class: "quiet small" }, sum ? t.overview.vouchers(sum.count) : "\u00a0"));
}

/**
 * @param {string} id
 * @param {VoucherRow[]} newest
 * @param {number} total
 * @param {string[]} foreign
 */
function newestPanel(id, newest, total, foreign) {
  const own = inLanguage({ de, en });
  const title = newest.length < total ? `${own.vouchers}: ${own.newest(newest.length)}` : own.vouchers;
  return h("section", { "aria-labelledby": "newest-heading", "data-key": "newest" },
    h("h2", { id: "newest-heading" }, title),
    newest.length === 0
      ? h("p", { class: "panel quiet", "data-testid": "empty" }, own.noVouchers)
      : voucherTable(newest),
    newest.length < total && h("p", {}, h("a", { href: `/vouchers?contact=${id}` }, own.allVouchers)),
    foreign.length > 0 && h("p", { class: "quiet" }, own.otherCurrencies(foreign.join(", "))));
}
