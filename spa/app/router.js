// @ts-check
/** Which view an address shows, and how links lead there without loading the page anew. */

import { contactView } from "./views/contact.js";
import { contactsView } from "./views/contacts.js";
import { notFoundView } from "./views/not-found.js";
import { overviewView } from "./views/overview.js";
import { voucherView } from "./views/voucher.js";
import { vouchersView } from "./views/vouchers.js";

/** @typedef {import("./parts.js").View} View */
/** @typedef {import("/auth/client.js").ActiveSession} ActiveSession */
/** @typedef {{path: string[], query: URLSearchParams, signal: AbortSignal, session: ActiveSession}} Visit */
/** @typedef {"overview" | "vouchers" | "contacts" | ""} Section */

/** @type {{pattern: RegExp, section: Section, view: (visit: Visit) => View}[]} */
const ROUTES = [
  { pattern: /^\/$/, section: "overview", view: overviewView },
  { pattern: /^\/vouchers\/?$/, section: "vouchers", view: vouchersView },
  { pattern: /^\/vouchers\/([^/]+)\/([^/]+)$/, section: "vouchers", view: voucherView },
  { pattern: /^\/contacts\/?$/, section: "contacts", view: contactsView },
  { pattern: /^\/contacts\/([^/]+)$/, section: "contacts", view: contactView },
];

/** @param {string} pathname */
export function routeOf(pathname) {
  for (const { pattern, section, view } of ROUTES) {
    const match = pattern.exec(pathname);
    if (match) return { section, view, path: match.slice(1).map(decoded) };
  }
  return { section: /** @type {Section} */ (""), view: notFoundView, path: [] };
}

/** @param {string} part */
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // a stray percent sign: lexoffice will not know it
  }
}

/** @param {string} path */
export function go(path) {
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
