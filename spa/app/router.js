// @ts-check
/** Which view an address shows, and how links lead there without loading the page anew. */

/** @typedef {import("./parts.js").View} View */
/** @typedef {import("/auth/client.js").ActiveSession} ActiveSession */
/** @typedef {{path: string[], query: URLSearchParams, signal: AbortSignal, session: ActiveSession}} Visit */
/** @typedef {"overview" | "vouchers" | "contacts" | "receipts" | "sessions" | ""} Section */
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
  { pattern: /^\/invoices\/new$/, section: "vouchers", style: "invoice-form",
    load: async () => (await import("./views/invoice-form.js")).invoiceFormView },
  { pattern: /^\/receipts\/?$/, section: "receipts", style: "receipts",
    load: async () => (await import("./views/receipts.js")).receiptsView },
  { pattern: /^\/sessions\/?$/, section: "sessions", style: "sessions",
    load: async () => (await import("./views/sessions.js")).sessionsView },
];

/** @type {Map<string, Promise<void>>} */
const styles = new Map();

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

/**
 * @param {() => Promise<ViewOf>} load
 * @param {string | undefined} style
 */
async function loaded(load, style) {
  const [view] = await Promise.all([load(), ...(style?.split(" ") ?? []).map(styled)]);
  return view;
}

/** @param {string} name of a style sheet, there before what it styles, so that nothing moves */
function styled(name) {
  const known = styles.get(name) ?? new Promise((resolve) => {
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.href = `/styles/${name}.css`;
    link.onload = link.onerror = () => resolve(undefined);
    document.head.append(link);
  });
  styles.set(name, known);
  return known;
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
