// @ts-check
/** Customers and suppliers, page by page, found by name. */

import { cityOf, mailOf, nameOf, rolesOf } from "../contacts.js";
import { h, icon } from "../dom.js";
import { readContacts } from "../lexoffice.js";
import { emptyState, field, heading, pager, searchBox } from "../parts.js";
import { t } from "../preferences.js";
import { resultList } from "../results.js";

/** @typedef {{q: string, page: number}} Search */

const FEWEST_LETTERS = 3;

/**
 * @param {import("../router.js").Visit} visit
 * @returns {import("../parts.js").View}
 */
export function contactsView({ query, signal }) {
  let search = { q: query.get("q") ?? "", page: Math.max(0, Math.floor(Number(query.get("page") ?? 1)) - 1 || 0) };
  const change = (/** @type {Search} */ next, push = false) => {
    search = next;
    history[push ? "pushState" : "replaceState"](null, "", pathOf(search));
    list.reload();
  };
  const list = resultList(signal, (asked) => readContacts({ page: search.page, name: search.q }, asked), (found) => ({
    summary: summaryOf(found),
    content: found.content.length === 0 ? [nothing(search)] : [
      contactTable(found.content),
      pager({ page: search.page, pages: found.totalPages, go: (page) => change({ ...search, page }, true) }),
    ],
  }), ({ kind }) => kind === "contact");
  const form = h("form", { class: "filters", role: "search", "aria-label": t.contacts.searchForm,
    onsubmit: (/** @type {Event} */ event) => event.preventDefault() },
  field(t.contacts.search, searchBox("search", search.q, (text) => {
    const q = text.length >= FEWEST_LETTERS ? text : "";
    if (q !== search.q) change({ q, page: 0 });
  }), t.contacts.searchHint));
  return { title: t.contacts.title, node: h("div", {}, heading(t.contacts.title), form, list.node) };
}

/** @param {Search} search */
function pathOf({ q, page }) {
  const query = new URLSearchParams();
  if (q) query.set("q", q);
  if (page > 0) query.set("page", String(page + 1));
  return query.size > 0 ? `/contacts?${query}` : "/contacts";
}

/** @param {import("../shapes.js").Page<unknown>} found */
function summaryOf({ totalElements, totalPages, number }) {
  const page = totalPages > 1 ? ` · ${t.paging.page(number + 1, totalPages)}` : "";
  return t.contacts.found(totalElements) + page;
}

/** @param {Search} search */
function nothing({ q, page }) {
  return q || page > 0
    ? emptyState(t.contacts.empty, t.contacts.emptyText, icon("search"),
      h("a", { class: "button", href: "/contacts" }, t.contacts.all))
    : emptyState(t.contacts.none, t.contacts.noneText, icon("people"));
}

/** @param {import("../shapes.js").Contact[]} contacts */
function contactTable(contacts) {
  const head = [t.contacts.name, t.contacts.roles, t.contacts.city, t.contacts.email];
  return h("table", { class: "cards cards-contacts", role: "table", "data-key": "table", "data-testid": "contacts" },
    h("caption", { class: "visually-hidden" }, t.contacts.table),
    h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, head.map((name) =>
      h("th", { role: "columnheader", scope: "col" }, name)))),
    h("tbody", { role: "rowgroup" }, contacts.map((contact) => h("tr", { role: "row", "data-key": contact.id, "data-live": true },
      h("td", { role: "cell", class: "number-cell" }, h("a", { href: `/contacts/${contact.id}` }, nameOf(contact))),
      h("td", { role: "cell", class: "type-cell" }, rolesOf(contact)),
      h("td", { role: "cell", class: "date-cell" }, cityOf(contact)),
      h("td", { role: "cell", class: "contact-cell" }, mailOf(contact))))));
}
