// @ts-check
/** How the firm is doing: three sums, how late what is owed is, who buys most, two years by month, and who is latest. */

import { booksReader } from "../books.js";
import { h, icon, svg } from "../dom.js";
import { day, money, today, wholePercent } from "../format.js";
import { announce, emptyState, heading, loadingPart, skeleton } from "../parts.js";
import { t } from "../preferences.js";
import { revenuePanel } from "../revenue.js";
import { AGES, daysSince } from "../vouchers.js";

/** @typedef {import("../shapes.js").VoucherRow} VoucherRow */
/** @typedef {import("../books.js").Books} Books */
/** @typedef {import("../figures.js").Figures} Figures */
/** @typedef {import("../figures.js").Sum} Sum */

/**
 * @param {import("../router.js").Visit} visit
 * @returns {import("../parts.js").View}
 */
export function overviewView({ signal, session }) {
  const node = h("div", { class: "overview" },
    heading(t.overview.title),
    h("p", { class: "lead" }, t.overview.lead(session.claims.organization ?? "")),
    loadingPart(signal, { bones: h("div", { class: "part", "aria-hidden": "true", inert: true }, panels(undefined)), load: booksReader(), show: showBooks,
      isConcerned: ({ kind }) => kind === "voucher" }));
  return { title: t.overview.title, node };
}

/** @param {Books} books */
function showBooks(books) {
  if (books.isWhole) announce(t.overview.vouchers(books.count));
  if (books.isWhole && books.count === 0) {
    return emptyState(t.overview.empty, t.overview.emptyText, icon("paper"), firstInvoice());
  }
  return [
    ...panels(books.figures),
    books.capped && h("p", { class: "quiet", "data-key": "capped" }, t.overview.capped(books.count)),
    books.foreign.length > 0 && h("p", { class: "quiet", "data-key": "foreign" }, t.overview.otherCurrencies(books.foreign.join(", "))),
  ];
}

const firstInvoice = () => h("a", { class: "button", href: "/invoices/new" }, t.overview.first);

/** @param {Figures | undefined} figures undefined while nothing is known: then bones, of the same size */
function panels(figures) {
  return [
    totals(figures),
    h("div", { class: "side-by-side", "data-key": "side-by-side" }, ageingPanel(figures), customersPanel(figures)),
    revenuePanel(figures?.revenue),
    latePanel(figures),
  ];
}

/** @param {Figures | undefined} figures */
function totals(figures) {
  const year = Number(today().slice(0, 4));
  const count = (/** @type {Sum | undefined} */ sum) => (sum ? t.overview.vouchers(sum.count) : "\u00a0");
  return h("section", { class: "totals", "data-key": "totals", "aria-label": t.overview.totals },
    total("open", t.overview.open, "status=open", figures?.open, count(figures?.open)),
    total("overdue", t.overview.overdue, "status=overdue", figures?.overdue, count(figures?.overdue)),
    total("paid", t.overview.paid(year), "status=settled&period=this-year", figures?.paid, count(figures?.paid)));
}

/**
 * @param {"open" | "overdue" | "paid"} kind
 * @param {string} name
 * @param {string} search which vouchers it is the sum of
 * @param {Sum | undefined} sum undefined while it is not known
 * @param {string} note
 */
function total(kind, name, search, sum, note) {
  return h("a", { class: `panel total total-${kind}`, href: `/vouchers?type=revenue&${search}`,
    "data-key": kind, "data-live": true, "data-testid": `total-${kind}` },
    h("span", { class: "total-name" }, name),
    h("strong", { class: "total-amount" }, sum ? money(sum.sum / 100) : h("span", { class: "bone bone-sum" })),
    h("span", { class: "quiet" }, note));
}

/** @param {Figures | undefined} figures */
function ageingPanel(figures) {
  const most = Math.max(1, ...figures?.ageing.map(({ sum }) => sum) ?? []);
  return h("section", { class: "panel", "data-key": "ageing", "aria-labelledby": "ageing-heading" },
    h("h2", { id: "ageing-heading" }, t.overview.ageing),
    h("ul", { class: "ageing", role: "list", "data-testid": "ageing" }, AGES.map((age, index) => {
      const group = figures?.ageing[index];
      return h("li", { "data-key": age }, h("a", { href: `/vouchers?type=revenue&status=open&due=${age}` },
        h("span", { class: "age" }, h("span", {}, t.overview.ages[age]),
          h("strong", { class: "number" }, group ? money(group.sum / 100) : h("span", { class: "bone bone-amount" }))),
        h("span", { class: "age" }, shareBar((group?.sum ?? 0) / most, `share-${age}`),
          h("span", { class: "quiet small" }, group ? t.overview.vouchers(group.count) : "\u00a0"))));
    })));
}

/**
 * @param {number} share of the longest bar
 * @param {string} className
 */
function shareBar(share, className) {
  return svg("svg", { class: `share ${className}`, viewBox: "0 0 100 8", preserveAspectRatio: "none", "aria-hidden": "true" },
    svg("rect", { class: "share-whole", width: 100, height: 8 }),
    svg("rect", { class: "share-part", width: Math.max(0, share * 100).toFixed(2), height: 8 }));
}

/** @param {Figures | undefined} figures */
function customersPanel(figures) {
  const customers = figures?.customers;
  return h("section", { class: "panel panel-customers", "data-key": "customers", "aria-labelledby": "customers-heading" },
    h("h2", { id: "customers-heading" }, t.overview.customers),
    customers && (customers.length > 0 ? customerTable(customers) : h("p", { class: "quiet" }, t.overview.customersNone)),
    !customers && skeleton(5));
}

/** @param {import("../figures.js").Customer[]} customers */
function customerTable(customers) {
  const head = [t.overview.customer, t.overview.revenue, t.overview.share];
  return h("table", { class: "customers", role: "table", "data-testid": "customers" },
    h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, head.map((name, index) =>
      h("th", { role: "columnheader", scope: "col", class: index > 0 ? "number" : undefined }, name)))),
    h("tbody", { role: "rowgroup" }, customers.map(({ id, name, sum, share }) => h("tr", { role: "row", "data-key": id ?? name },
      h("th", { role: "rowheader", scope: "row" }, id ? h("a", { href: `/contacts/${id}` }, name || t.contacts.unnamed) : name || t.contacts.unnamed),
      h("td", { role: "cell", class: "number" }, money(sum / 100)),
      h("td", { role: "cell", class: "number" }, share === undefined ? "" : wholePercent(share))))));
}

/** @param {Figures | undefined} figures */
function latePanel(figures) {
  const latest = figures?.latest ?? [];
  return h("section", { class: "panel", "data-key": "late", "aria-labelledby": "late-heading" },
    h("h2", { id: "late-heading" }, t.overview.late),
    !figures && skeleton(5),
    figures && (latest.length === 0
      ? h("p", { class: "quiet" }, t.overview.lateNone)
      : h("ul", { class: "late", role: "list" }, latest.map(lateRow))),
    figures && figures.overdue.count > latest.length
      && h("p", {}, h("a", { href: "/vouchers?type=revenue&status=overdue" }, t.overview.all)));
}

/** @param {VoucherRow} row */
function lateRow(row) {
  return h("li", { "data-key": row.id, "data-live": true },
    h("a", { href: `/vouchers/${row.voucherType}/${row.id}` }, row.voucherNumber || t.vouchers.noNumber),
    h("span", { class: "late-name" }, row.contactName ?? ""),
    h("span", { class: "late-days", title: day(row.dueDate) }, t.overview.days(daysSince(row.dueDate ?? ""))),
    h("strong", { class: "number" }, money(row.openAmount, row.currency)));
}
