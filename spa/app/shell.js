// @ts-check
/** What stands around every view: header, navigation, footer, and the notices above it all. */

import { h, icon, mark } from "./dom.js";
import { choices, personMenu } from "./menu.js";
import { notices } from "./notices.js";
import { t } from "./preferences.js";
import { reachLine } from "./reach.js";

/** @typedef {import("./router.js").Section} Section */
/** @typedef {import("/auth/client.js").ActiveSession} ActiveSession */
/**
 * @typedef {{main: HTMLElement, showSection: (section: Section) => void, nameCompany: (name: string) => void,
 *   showProgress: (isOn: boolean) => void}} Shell
 */

const LOST_MS = 5000; // a connection that comes again at once is nothing to speak of
/** @type {boolean | undefined} undefined until it is known */
let isLive;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let losing;

/** @param {boolean} now whether changes at lexoffice appear by themselves */
export function showLive(now) {
  clearTimeout(losing);
  losing = setTimeout(() => {
    isLive = now;
    document.getElementById("live")?.replaceWith(liveState());
  }, now ? 0 : LOST_MS);
}

function liveState() {
  const text = isLive === undefined ? "" : isLive ? t.live.on : t.live.off;
  return h("p", { id: "live", class: isLive ? "live live-on" : "live", "data-testid": "live" }, text);
}

/**
 * @param {ActiveSession | undefined} session
 * @param {() => void} redraw after the language changed
 * @returns {Shell}
 */
export function buildShell(session, redraw) {
  const main = h("main", { id: "content", tabindex: -1 });
  const company = h("span", { class: "company", "data-testid": "company" }, session?.claims.organization ?? "");
  const progress = h("div", { class: "progress", hidden: true, "aria-hidden": "true", "data-testid": "progress" });
  const top = header(session, redraw, company);
  const links = [...top.querySelectorAll("a")].filter(({ dataset }) => dataset.section !== undefined);
  document.documentElement.classList.toggle("is-signed-in", session !== undefined);
  document.body.replaceChildren(
    h("a", { class: "skip", href: "#content", onclick: (/** @type {Event} */ event) => skip(event, main) }, t.skip),
    top, progress, reachLine(),
    main, footer(session, redraw), notices(),
    h("div", { id: "announcer", class: "visually-hidden", role: "status", "aria-live": "polite" }));
  return {
    main,
    showSection: (section) => links.forEach((link) => markCurrent(link, section)),
    nameCompany: (name) => (company.textContent = name),
    showProgress: (isOn) => (progress.hidden = !isOn),
  };
}

/** @param {Event} event @param {HTMLElement} main not by the address: a fragment would be another place in the history */
function skip(event, main) {
  event.preventDefault();
  main.focus();
}

/**
 * @param {ActiveSession | undefined} session
 * @param {() => void} redraw
 * @param {HTMLElement} company
 */
function header(session, redraw, company) {
  return h("header", { class: "top" }, h("div", { class: "top-row" },
    h("a", { class: "brand", href: "/" }, mark(),
      h("span", { class: "brand-text" }, h("span", { class: "brand-name" }, t.app), session && company)),
    session && h("nav", { class: "main-nav", "aria-label": t.navigation }, navigation()),
    session && h("div", { id: "news-place", class: "news-place" }),
    session && personMenu(session, redraw)));
}

function navigation() {
  return [
    place("/", "overview", "overview", t.overview.title),
    place("/vouchers", "vouchers", "paper", t.vouchers.title),
    place("/contacts", "contacts", "people", t.contacts.title),
    place("/receipts", "receipts", "tray", t.receipts, t.receiptsShort),
    h("a", { class: "new", href: "/invoices/new", "data-section": "new" }, icon("plus"), named(t.newInvoice, t.newShort)),
  ];
}

/**
 * @param {string} href
 * @param {Section} section
 * @param {Parameters<typeof icon>[0]} picture
 * @param {string} text
 * @param {string} [short] for the narrow bar
 */
function place(href, section, picture, text, short) {
  return h("a", { href, "data-section": section }, icon(picture), named(text, short));
}

/** @param {string} text @param {string} [short] */
function named(text, short) {
  if (!short) return h("span", {}, text);
  return h("span", {}, h("span", { class: "long" }, text), h("span", { class: "short", "aria-hidden": "true" }, short));
}

/**
 * @param {HTMLAnchorElement} link
 * @param {Section} section
 */
function markCurrent(link, section) {
  if (link.dataset.section !== section) link.removeAttribute("aria-current");
  else link.setAttribute("aria-current", location.pathname === link.pathname ? "page" : "true");
}

/**
 * @param {ActiveSession | undefined} session
 * @param {() => void} redraw
 */
function footer(session, redraw) {
  const again = () => {
    redraw();
    document.getElementById("language")?.focus();
  };
  return h("footer", { class: "bottom" }, h("p", {}, t.footer), session ? liveState() : choices(again));
}
