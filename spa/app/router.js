// @ts-check
/** Which view an address shows, and how links lead there without loading the page anew. */

import { loaded } from "./late.js";

/** @typedef {import("./parts.js").View} View */
/** @typedef {import("/auth/client.js").ActiveSession} ActiveSession */
/** @typedef {{path: string[], query: URLSearchParams, signal: AbortSignal, session: ActiveSession}} Visit */
/** @typedef {"overview" | "vouchers" | "contacts" | "receipts" | "sessions" | "new" | ""} Section */
/** @typedef {(visit: Visit) => View} ViewOf */
/** @typedef {{section: Section, load: () => Promise<ViewOf>, path: string[]}} Place */

/**
 * Each view is loaded when it is first shown, with the style that it alone needs.
 * @type {{pattern: RegExp, section: Section, load: () => Promise<ViewOf>, style?: string}[]}
 */
const ROUTES = [
  { pattern: /^\/$/, section: "overview", style: "overview",
    load: async () => (await import("./views/overview.js")).overviewView },
  { pattern: /^\/vouchers\/?$/, section: "vouchers", style: "vouchers",
    load: async () => (await import("./views/vouchers.js")).vouchersView },
  { pattern: /^\/vouchers\/([^/]+)\/([^/]+)$/, section: "vouchers", style: "details",
    load: async () => (await import("./views/voucher.js")).voucherView },
  { pattern: /^\/contacts\/?$/, section: "contacts", load: async () => (await import("./views/contacts.js")).contactsView },
  { pattern: /^\/contacts\/([^/]+)$/, section: "contacts", style: "details vouchers",
    load: async () => (await import("./views/contact.js")).contactView },
  { pattern: /^\/invoices\/new$/, section: "new", style: "invoice-form invoice-items",
    load: async () => (await import("./views/invoice-form.js")).invoiceFormView },
  { pattern: /^\/receipts\/?$/, section: "receipts", style: "receipts",
    load: async () => (await import("./views/receipts.js")).receiptsView },
  { pattern: /^\/sessions\/?$/, section: "sessions", style: "sessions",
    load: async () => (await import("./views/sessions.js")).sessionsView },
];

/**
 * @param {string} pathname
 * @returns {Place}
 */
export function routeOf(pathname) {
  for (const { pattern, section, load, style } of ROUTES) {
    const match = pattern.exec(pathname);
    if (match) return { section, load: () => loaded(load, style), path: match.slice(1).map(decoded) };
  }
  return { section: "", load: async () => (await import("./views/not-found.js")).notFoundView, path: [] };
}

/** @param {string} part */
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // a stray percent sign: lexoffice will not know it
  }
}

/** Keeps with the entry of the browser's history how far it is scrolled, for whoever comes back to it. */
export function keepScroll() {
  history.replaceState({ ...history.state, scroll: Math.round(scrollY) }, "");
}

/** @param {string} path */
export function go(path) {
  keepScroll();
  history.pushState(null, "", path);
  dispatchEvent(new Event("lexgate:visit"));
}

/** @param {MouseEvent} event */
export function followLink(event) {
  const link = event.target instanceof Element ? event.target.closest("a") : null;
  if (!link || !isOurs(link) || event.defaultPrevented || event.button !== 0) return;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  go(link.pathname + link.search);
}

/** @param {HTMLAnchorElement} link */
function isOurs(link) {
  const plain = !link.target && !link.hasAttribute("download") && link.origin === location.origin;
  return plain && !link.hash && !/^\/(api|auth)\//.test(link.pathname);
}
