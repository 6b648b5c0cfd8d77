// @ts-check
/** What answers told of vouchers and contacts by the way, so that a change of them can be told by name without a call. */

/** @typedef {{type: string, name: string, status: string}} Known `type` as in the voucher list; `contact` for contacts */

const MOST = 4000;
const TYPES = new Map(Object.entries({
  "credit-notes": "creditnote",
  "delivery-notes": "deliverynote",
  "down-payment-invoices": "downpaymentinvoice",
  invoices: "invoice",
  "order-confirmations": "orderconfirmation",
  quotations: "quotation",
}));

/** @type {Map<string, Known>} */
const known = new Map();
/** @type {Map<string, number>} */
const own = new Map();
const OWN_MS = 30_000;

/** @param {string} id @returns {Known | undefined} */
export const knownOf = (id) => known.get(id);

/** Nothing of somebody is known to somebody else. */
export function forgetNames() {
  known.clear();
  own.clear();
}

/** @param {string} id of what this tab itself has just changed: that is no news here */
export function noteOwn(id) {
  own.set(id, performance.now() + OWN_MS);
}

/** @param {string} id */
export const isOwn = (id) => (own.get(id) ?? 0) > performance.now();

/**
 * @param {string} path below /api/v1/
 * @param {any} body of lexoffice's answer
 */
export function noteNames(path, body) {
  const rows = Array.isArray(body?.content) ? body.content : [body];
  const [resource = ""] = path.split(/[/?]/, 1);
  for (const row of rows) note(resource, row);
  for (const id of known.keys()) {
    if (known.size <= MOST) return;
    known.delete(id);
  }
}

/** @param {string} resource @param {any} row */
function note(resource, row) {
  if (typeof row?.id !== "string") return;
  const found = resource === "contacts" ? contact(row) : voucher(resource, row);
  known.delete(row.id);
  if (found) known.set(row.id, found);
}

/** @param {any} row @returns {Known | undefined} */
function contact({ company, person }) {
  const name = company?.name ?? [person?.firstName, person?.lastName].filter(Boolean).join(" ");
  return name ? { type: "contact", name, status: "" } : undefined;
}

/** @param {string} resource @param {any} row @returns {Known | undefined} */
function voucher(resource, { voucherType, type, voucherNumber, voucherStatus }) {
  const kind = voucherType ?? TYPES.get(resource) ?? type;
  if (!kind || !voucherStatus) return undefined;
  return { type: String(kind), name: voucherNumber ?? "", status: voucherStatus };
}
