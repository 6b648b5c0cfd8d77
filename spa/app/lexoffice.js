// @ts-check
/** lexoffice's REST API, as far as the views read it: resources in, plain objects out. */

import { noteNames } from "./names.js";
import { CLICKED, REST, SEEN, pacedFetch } from "./pace.js";

/** @typedef {{signal: AbortSignal, urgency?: number, isFresh?: boolean}} Asked `isFresh`: no answer that this page remembers will do */

/** @typedef {import("./shapes.js").Page<import("./shapes.js").VoucherRow>} VoucherPage */
/** @typedef {import("./shapes.js").Page<import("./shapes.js").Contact>} ContactPage */

const FRESH_MS = 30_000;
const LARGEST_PAGE = 250;
const MOST_PAGES = 8;

/** @type {Map<string, {at: number, body: any}>} */
const answers = new Map();
let forgotten = 0;

/** @typedef {{field: string, code: string, message: string}} Issue one thing that was wrong with what was sent */

/** An error of lexoffice itself, in any of its three shapes. */
export class LexofficeError extends Error {
  /**
   * @param {number} status
   * @param {string[]} messages
   * @param {string} [traceId]
   * @param {Issue[]} [issues] the same by field, where lexoffice says so
   */
  constructor(status, messages, traceId, issues = []) {
    super(messages.join("; ") || `HTTP ${status}`);
    this.name = "LexofficeError";
    this.status = status;
    this.messages = messages;
    this.traceId = traceId;
    this.issues = issues;
  }
}

/**
 * @param {string} path below /api/v1/, with its query
 * @param {Asked} asked
 * @returns {Promise<any>} the JSON; answers of the last half minute are used again
 */
async function read(path, { signal, urgency = SEEN, isFresh = false }) {
  const known = answers.get(path);
  if (known && !isFresh && Date.now() - known.at < FRESH_MS) return known.body;
  const begun = forgotten;
  const response = await pacedFetch(`/api/v1/${path}`,
    { signal, urgency, headers: { Accept: "application/json" } }); // the gateway forgot before it told of a change
  if (!response.ok) throw await readError(response);
  const body = await response.json();
  noteNames(path, body);
  if (begun === forgotten) answers.set(path, { at: Date.now(), body }); // else it may be from before the change
  return body;
}

/** @param {Response} response of lexoffice, not 2xx */
export async function readError(response) {
  const body = await response.json().catch(() => ({}));
  return new LexofficeError(response.status, messagesIn(body), body?.traceId, issuesIn(body));
}

/**
 * @param {any} body
 * @returns {Issue[]}
 */
function issuesIn(body) {
  const list = [body?.IssueList, body?.details].find(Array.isArray) ?? [];
  return list.map((/** @type {any} */ one) => ({ field: String(one?.source ?? one?.field ?? ""),
    code: String(one?.i18nKey ?? one?.violation ?? ""), message: String(one?.message ?? "") }));
}

/**
 * @param {any} body
 * @returns {string[]}
 */
function messagesIn(body) {
  if (Array.isArray(body?.IssueList)) {
    return body.IssueList.map((/** @type {any} */ issue) => [issue.source, issue.i18nKey].filter(Boolean).join(": "));
  }
  const details = Array.isArray(body?.details) ? body.details : [];
  const named = details.map((/** @type {any} */ detail) => [detail.field, detail.message].filter(Boolean).join(": "));
  if (named.length) return named;
  // The edge's 403 quotes the request's headers back: nothing of that is for the reader.
  const isUnfit = typeof body?.message !== "string" || /bearer|authorization/i.test(body.message);
  return isUnfit ? [] : [body.message];
}

/** @param {(path: string) => boolean} [isOld] of which answers, by default all, are forgotten: the next call is made */
export function forget(isOld = () => true) {
  forgotten += 1;
  for (const path of [...answers.keys()]) if (isOld(path)) answers.delete(path);
}

/** @param {string} id of a voucher that changed; the lists have it too */
export const forgetVoucher = (id) => forget((path) => path.startsWith("voucherlist") || path.endsWith(id));

/** @param {string} id of a contact that changed */
export const forgetContact = (id) => forget((path) => path.startsWith("contacts?") || path.endsWith(id));

/**
 * @param {AbortSignal} signal
 * @returns {Promise<import("./shapes.js").Profile>}
 */
export const readProfile = (signal) => read("profile", { signal, urgency: REST });

/**
 * @typedef {object} VoucherQuery
 * @property {string} [type] one, a comma list, or `any`
 * @property {string} [status] one, a comma list, or `any`; `open` brings overdue rows too
 * @property {string} [contactId]
 * @property {string} [from] first voucher date, as 2026-03-31
 * @property {string} [to] last voucher date
 */

/**
 * @param {VoucherQuery & {page: number, size?: number, sort: string}} query `sort` as voucherDate,DESC
 * @param {Asked} asked
 * @returns {Promise<VoucherPage>}
 */
export function readVouchers({ type = "any", status = "any", contactId, from, to, page, size = 25, sort }, asked) {
  const parameters = new URLSearchParams({ voucherType: type, voucherStatus: status });
  if (contactId) parameters.set("contactId", contactId);
  if (from) parameters.set("voucherDateFrom", from);
  if (to) parameters.set("voucherDateTo", to);
  parameters.set("page", String(page));
  parameters.set("size", String(size));
  parameters.set("sort", sort);
  return read(`voucherlist?${parameters.toString().replaceAll("%2C", ",")}`, asked);
}

/**
 * The newest rows first, page after page of 250.
 * @param {VoucherQuery} query
 * @param {(page: number) => Asked} asked
 * @param {number} [most] pages
 * @returns {AsyncGenerator<VoucherPage>}
 */
export async function* voucherPages(query, asked, most = MOST_PAGES) {
  for (let page = 0; page < most; page += 1) {
    const found = await readVouchers({ ...query, page, size: LARGEST_PAGE, sort: "voucherDate,DESC" }, asked(page));
    const last = found.last || found.content.length === 0;
    yield { ...found, last };
    if (last) return;
  }
}

/**
 * @param {VoucherQuery} query
 * @param {Asked} asked
 * @param {(read: number, of: number) => void} [progress]
 * @param {number} [most] pages of 250, by default 8
 * @returns {Promise<{rows: import("./shapes.js").VoucherRow[], capped: boolean}>} the newest rows, each once, and whether there are more
 */
export async function readAllVouchers(query, asked, progress, most) {
  /** @type {Map<string, import("./shapes.js").VoucherRow>} */
  const rows = new Map(); // one that is added meanwhile pushes others to the next page, where they are met again
  for await (const { content, last, totalElements } of voucherPages(query, () => asked, most)) {
    for (const row of content) rows.set(row.id, row);
    if (last) return { rows: [...rows.values()], capped: false };
    progress?.(rows.size, totalElements);
  }
  return { rows: [...rows.values()], capped: true };
}

/**
 * @param {string} resource as invoices
 * @param {string} id
 * @param {Asked} asked
 * @returns {Promise<import("./shapes.js").Voucher>}
 */
export const readVoucher = (resource, id, asked) => read(`${resource}/${encodeURIComponent(id)}`, asked);

/**
 * @param {string} id
 * @param {Asked} asked
 * @returns {Promise<import("./shapes.js").Payments>}
 */
export const readPayments = (id, asked) => read(`payments/${encodeURIComponent(id)}`, asked);

/**
 * @param {string} path of a file or of a voucher's PDF
 * @param {AbortSignal} signal
 * @returns {Promise<Blob>} its type is the one that lexoffice told
 */
export async function readFile(path, signal) {
  const response = await pacedFetch(path, { signal, urgency: CLICKED, headers: { Accept: "application/pdf, image/*, */*;q=0.5" } });
  if (!response.ok) throw await readError(response);
  return response.blob();
}

/**
 * @param {string} resource as invoices
 * @param {string} id
 */
export const pdfPath = (resource, id) => `/api/v1/${resource}/${encodeURIComponent(id)}/file`;

/** @param {string} id */
export const filePath = (id) => `/api/v1/files/${encodeURIComponent(id)}`;

/**
 * @param {{page: number, name?: string, isCustomer?: boolean}} query
 * @param {Asked} asked
 * @returns {Promise<ContactPage>}
 */
export function readContacts({ page, name, isCustomer = false }, asked) {
  const filter = name ? `&name=${encodeURIComponent(htmlEncoded(name))}` : "";
  return read(`contacts?page=${page}&size=25${filter}${isCustomer ? "&customer=true" : ""}`, asked);
}

/**
 * @param {Asked} asked
 * @returns {Promise<import("./shapes.js").Page<import("./shapes.js").Article>>} the first 250, by title
 */
export const readArticles = (asked) => read(`articles?page=0&size=${LARGEST_PAGE}&sort=title,ASC`, asked);

/**
 * @param {Asked} asked
 * @returns {Promise<import("./shapes.js").PaymentCondition[]>}
 */
export const readPaymentConditions = (asked) => read("payment-conditions", asked);

/** @param {string} text lexoffice looks for its search strings in HTML-encoded names */
const htmlEncoded = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/**
 * @param {string} id
 * @param {Asked} asked
 * @returns {Promise<import("./shapes.js").Contact>}
 */
export const readContact = (id, asked) => read(`contacts/${encodeURIComponent(id)}`, asked);
