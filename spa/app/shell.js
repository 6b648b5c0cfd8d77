// @ts-check
/** What stands around every view: header, navigation, footer, and the notices above it all. */

import { logout } from "/auth/client.js";
import { h, mark } from "./dom.js";
import { explain } from "./faults.js";
import { notices, showMessage } from "./notices.js";
import { select } from "./parts.js";
import { LANGUAGES, language, setLanguage, setTheme, t, theme } from "./preferences.js";

/** @typedef {import("./router.js").Section} Section */
/** @typedef {import("/auth/client.js").ActiveSession} ActiveSession */

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
 * @returns {{main: HTMLElement, showSection: (section: Section) => void, nameCompany: (name: string) => void}}
 */
export function buildShell(session, redraw) {
  const main = h("main", { id: "content", tabindex: -1 });
  const company = h("span", { class: "company", "data-testid": "company" }, session?.claims.organization ?? "");
  const links = session ? navigation() : [];
  document.body.replaceChildren(
    h("a", { class: "skip", href: "#content" }, t.skip),
    header(session, company, links), main, footer(session, redraw), notices(),
    h("div", { id: "announcer", class: "visually-hidden", role: "status", "aria-live": "polite" }));
  return {
    main,
    showSection: (section) => links.forEach((link) => markCurrent(link, section)),
    nameCompany: (name) => (company.textContent = name),
  };
}

/**
 * @param {ActiveSession | undefined} session
 * @param {HTMLElement} company
 * @param {HTMLAnchorElement[]} links
 */
function header(session, company, links) {
  return h("header", { class: "top" }, h("div", { class: "top-row" },
    h("a", { class: "brand", href: "/" }, mark(),
      h("span", { class: "brand-text" }, h("span", { class: "brand-name" }, t.app), session && company)),
    session && h("nav", { class: "main-nav", "aria-label": t.navigation }, links),
    session && person(session)));
}

/** @param {ActiveSession} session */
const nameOf = ({ claims, subject }) => claims.name ?? claims.email ?? subject;

/** @param {ActiveSession} session */
function person(session) {
  const button = h("button", { type: "button", class: "button button-quiet", onclick: () => leave(button) }, t.signOut);
  return h("div", { class: "person" },
    h("span", { class: "person-name", "data-testid": "user", title: session.claims.email }, nameOf(session)), button);
}

/** @param {HTMLButtonElement} button */
async function leave(button) {
  button.disabled = true;
  button.textContent = t.signingOut;
  try {
    await logout();
  } catch (error) {
    button.disabled = false;
    button.textContent = t.signOut;
    const { title, text } = explain(error);
    showMessage(`${title}. ${text}`);
  }
}

/** @returns {HTMLAnchorElement[]} */
function navigation() {
  return [
    h("a", { href: "/", "data-section": "overview" }, t.overview.title),
    h("a", { href: "/vouchers", "data-section": "vouchers" }, t.vouchers.title),
    h("a", { href: "/contacts", "data-section": "contacts" }, t.contacts.title),
    h("a", { href: "/receipts", "data-section": "receipts" }, t.receipts),
  ];
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
  const languages = Object.entries(LANGUAGES);
  const languageSelect = select("language", languages, language, async (code) => {
    await setLanguage(/** @type {import("./preferences.js").Language} */ (code));
    redraw();
    document.getElementById("language")?.focus();
  });
  const themeSelect = select("theme", Object.entries(t.themes), theme(), (name) =>
    setTheme(/** @type {import("./preferences.js").Theme} */ (name)));
  return h("footer", { class: "bottom" },
    session && h("p", { class: "signed-in" }, t.signedIn(nameOf(session))),
    h("p", {}, t.footer),
    session && liveState(),
    h("div", { class: "choices" },
      h("label", {}, t.language, " ", languageSelect), h("label", {}, t.theme, " ", themeSelect)));
}
