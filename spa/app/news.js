// @ts-check
/** What changes at lexoffice, in words: on the screen for a while, and in a list that can be opened later. */

import { events } from "/auth/client.js";
import * as texts from "../i18n/news.js";
import { isOwn, knownOf } from "./names.js";
import { placeList, tellList } from "./news-list.js";
import { inLanguage } from "./preferences.js";
import { drawToasts, showToasts } from "./toasts.js";

/** @typedef {import("../i18n/news.js").What} What */
/** @typedef {"voucher" | "contact" | "other"} Kind */
/** @typedef {{what: What, kind: Kind, type: string, id: string, number: number, at: number}} News `number` of what changed together */
/** @typedef {{type: string, changes: Set<string>, before: string | undefined}} Change `before`: the status, if it was known */

const TOGETHER_MS = 1500; // and by then, what is on the screen knows the new state
const APART = 2; // so many at once are told one by one
const PAID = new Set(["paid", "paidoff", "transferred", "sepadebit"]);
const OTHERS = new Set(["article", "dunning", "recurring-template"]);
const VOUCHERS = new Map([["credit-note", "creditnote"], ["delivery-note", "deliverynote"],
  ["down-payment-invoice", "downpaymentinvoice"], ["invoice", "invoice"], ["order-confirmation", "orderconfirmation"],
  ["quotation", "quotation"], ["voucher", "voucher"], ["payment", "voucher"]]);

/** @type {Map<string, Change>} */
let gathered = new Map();

/** Begins to listen; once, for a page. */
export function followNews() {
  placeNews();
  events({ changed: gather });
}

/** Puts what there is into the shell, which was built anew. */
export function placeNews() {
  placeList();
  drawToasts();
}

/** @param {import("/auth/client.js").LexofficeEvent} event */
function gather({ type: event, resourceId: id }) {
  const [name = ""] = event.split(".", 1);
  const change = event.slice(name.length + 1);
  const type = VOUCHERS.get(name) ?? name;
  if (!VOUCHERS.has(name) && name !== "contact" && !OTHERS.has(name)) return;
  if (gathered.size === 0) setTimeout(tell, TOGETHER_MS);
  const one = gathered.get(id) ?? { type, changes: new Set(), before: knownOf(id)?.status };
  if (one.type === "voucher") one.type = type;
  one.changes.add(name === "payment" ? "payment" : change);
  gathered.set(id, one);
}

function tell() {
  const changed = [...gathered].filter(([id]) => !isOwn(id));
  gathered = new Map();
  /** @type {News[]} */
  const single = changed.map(([id, one]) => newsOf(id, one));
  const news = /** @type {Kind[]} */ (["voucher", "contact", "other"])
    .flatMap((kind) => joined(single.filter((one) => one.kind === kind)));
  if (news.length === 0) return;
  tellList(news);
  showToasts(news);
}

/**
 * @param {string} id
 * @param {Change} change
 * @returns {News}
 */
function newsOf(id, { type, changes, before }) {
  const known = knownOf(id);
  const kind = type === "contact" ? "contact" : OTHERS.has(type) ? "other" : "voucher";
  return { kind, type: known?.type ?? type, id, number: 1, at: Date.now(), what: whatOf(changes, before, known?.status) };
}

/**
 * @param {Set<string>} changes
 * @param {string | undefined} before
 * @param {string | undefined} now
 * @returns {What} the most telling of them
 */
function whatOf(changes, before, now) {
  if (changes.has("deleted")) return "deleted";
  if (changes.has("created")) return "created";
  if (now && PAID.has(now) && before !== now && (before || changes.has("payment"))) return "paid";
  if (changes.has("payment")) return "payment";
  return changes.has("status.changed") ? "status" : "changed";
}

/**
 * @param {News[]} news of one kind
 * @returns {News[]}
 */
function joined(news) {
  const [first] = news;
  if (!first || news.length <= APART) return news;
  const isSame = news.every(({ what }) => what === first.what);
  return [{ ...first, what: isSame ? first.what : "changed", id: "", type: "", number: news.length }];
}

/**
 * @param {News} news
 * @returns {{text: string, href: string | undefined}}
 */
export function inWords({ what, kind, type, id, number }) {
  const words = inLanguage(texts);
  if (number > 1) return { text: words.all[what](words.many[kind](number)), href: LISTS[kind] };
  const [noun = type, some = type] = words.things[type] ?? [];
  const name = knownOf(id)?.name;
  return { text: words.one[what](name ? `${noun} ${name}` : some), href: what === "deleted" ? LISTS[kind] : addressOf(kind, type, id) };
}

const LISTS = { voucher: "/vouchers", contact: "/contacts", other: undefined };

/** @param {Kind} kind @param {string} type @param {string} id */
function addressOf(kind, type, id) {
  if (kind === "contact") return `/contacts/${encodeURIComponent(id)}`;
  // Of a bookkeeping voucher, or a payment, the list alone knows what it is.
  return kind === "voucher" && type !== "voucher" ? `/vouchers/${type}/${encodeURIComponent(id)}` : LISTS[kind];
}
