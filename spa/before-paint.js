// @ts-check
/**
 * Sets the chosen appearance before anything is painted, so that nothing flashes, and lets the browser load at once what
 * the view of this address needs: else it would learn of it from one module after another. The rest is the app's.
 */
{
  /**
   * The router's addresses, each with its view and its styles.
   * @type {[RegExp, string, string?][]}
   */
  const PLACES = [
    [/^\/$/, "overview", "overview"],
    [/^\/vouchers\/?$/, "vouchers", "vouchers"],
    [/^\/vouchers\/([^/]+)\/([^/]+)$/, "voucher", "details"],
    [/^\/contacts\/?$/, "contacts"],
    [/^\/contacts\/([^/]+)$/, "contact", "details vouchers"],
    [/^\/invoices\/new$/, "invoice-form", "invoice-form invoice-items"],
    [/^\/receipts\/?$/, "receipts", "receipts"],
    [/^\/sessions\/?$/, "sessions", "sessions"],
  ];

  /**
   * What a view imports beside what index.html names; tests/unit/test_spa.py says which line is missing or too much.
   * @type {Record<string, string[]>}
   */
  const MODULES = {
    contact: [
      "app/contact-vouchers",
      "app/contacts",
      "app/figures",
      "app/format",
      "app/views/contact",
      "app/voucher-table",
      "app/vouchers",
      "i18n/contact",
      "i18n/vouchers",
    ],
    contacts: [
      "app/contacts",
      "app/format",
      "app/results",
      "app/views/contacts",
    ],
    "invoice-form": [
      "app/contacts",
      "app/format",
      "app/invoice/amounts",
      "app/invoice/combobox",
      "app/invoice/days",
      "app/invoice/desk",
      "app/invoice/draft",
      "app/invoice/fields",
      "app/invoice/form",
      "app/invoice/keeping",
      "app/invoice/kept-draft",
      "app/invoice/line-item",
      "app/invoice/line-items",
      "app/invoice/numbers",
      "app/invoice/recipient",
      "app/invoice/terms",
      "app/invoice/validation",
      "app/views/invoice-form",
      "i18n/invoice-form",
    ],
    "not-found": [
      "app/views/not-found",
    ],
    overview: [
      "app/books",
      "app/chart",
      "app/figures",
      "app/format",
      "app/revenue",
      "app/views/overview",
      "app/vouchers",
    ],
    receipts: [
      "app/files",
      "app/format",
      "app/receipts/accepted",
      "app/receipts/intake",
      "app/receipts/outcome",
      "app/receipts/post",
      "app/receipts/queue",
      "app/receipts/rows",
      "app/receipts/shrink",
      "app/receipts/sizes",
      "app/views/receipts",
      "app/vouchers",
      "i18n/receipts",
    ],
    sessions: [
      "app/confirm",
      "app/views/sessions",
      "i18n/sessions",
    ],
    voucher: [
      "app/contacts",
      "app/files",
      "app/format",
      "app/preview",
      "app/sheet",
      "app/views/voucher",
      "app/vouchers",
      "i18n/voucher",
    ],
    vouchers: [
      "app/csv",
      "app/csv-export",
      "app/filter-bar",
      "app/filter-form",
      "app/format",
      "app/periods",
      "app/results",
      "app/saved-filters",
      "app/search",
      "app/views/vouchers",
      "app/voucher-table",
      "app/vouchers",
      "i18n/vouchers",
    ],
  };

  /** @param {string} name */
  const kept = (name) => {
    try {
      return localStorage.getItem(`lexgate.${name}`);
    } catch {
      return null; // storage is switched off: the system's choices it is
    }
  };

  /**
   * @param {string} rel
   * @param {string} href
   */
  const load = (rel, href) => {
    const link = Object.assign(document.createElement("link"), { rel, href });
    link.onerror = () => link.remove(); // so that whoever needs it asks again
    document.head.append(link);
  };

  const theme = kept("theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;

  const chosen = kept("language") ?? navigator.language.toLowerCase().slice(0, 2);
  load("modulepreload", `/i18n/${chosen === "de" ? "de" : "en"}.js`);

  const [, view, styles] = PLACES.find(([pattern]) => pattern.test(location.pathname)) ?? [];
  for (const module of MODULES[view ?? "not-found"] ?? []) load("modulepreload", `/${module}.js`);
  // Behind the styles of index.html, over which they go.
  const behind = () => styles?.split(" ").forEach((style) => load("stylesheet", `/styles/${style}.css`));
  document.addEventListener("readystatechange", behind, { once: true });
}
