// @ts-check
/** The person's menu: who is signed in, what they choose for themselves, and the way out. */

import { logout } from "/auth/client.js";
import { disclosure } from "./disclosure.js";
import { h, icon } from "./dom.js";
import { explain } from "./faults.js";
import { showMessage } from "./notices.js";
import { select } from "./parts.js";
import { LANGUAGES, keepSettings, language, setLanguage, setTheme, t, theme } from "./preferences.js";

/** @typedef {import("/auth/client.js").ActiveSession} ActiveSession */

/** @param {ActiveSession} session */
export const nameOf = ({ claims, subject }) => claims.name ?? claims.email ?? subject;

/**
 * @param {ActiveSession} session
 * @param {() => void} redraw after the language changed
 */
export function personMenu(session, redraw) {
  const name = nameOf(session);
  const button = h("button", { type: "button", class: "menu-button", title: name, "data-testid": "user" },
    h("span", { class: "avatar", "data-initials": initials(name), "aria-hidden": "true" }),
    h("span", { class: "person-name" }, name));
  const out = h("button", { type: "button", class: "button button-quiet", onclick: () => leave(out) }, t.signOut);
  const panel = h("div", { id: "menu", class: "panel-below menu", role: "group", "aria-label": t.menu, "data-testid": "menu" },
    h("p", { class: "menu-person" }, h("strong", {}, name),
      session.claims.email && session.claims.email !== name && h("span", { class: "quiet small" }, session.claims.email)),
    h("a", { class: "menu-link", href: "/sessions", "data-section": "sessions" }, icon("devices"), t.sessions),
    choices(async () => {
      redraw();
      document.querySelector(".menu-button")?.dispatchEvent(new Event("click"));
      document.getElementById("language")?.focus();
    }),
    out);
  return disclosure(button, panel, { class: "person" }).node;
}

/** @param {string} name */
function initials(name) {
  const words = name.split(/[\s@.]+/).filter(Boolean);
  const [first = "", last = ""] = [words[0], words.length > 1 ? words.at(-1) : ""];
  return `${[...first][0] ?? ""}${[...last][0] ?? ""}`.toUpperCase();
}

/** @param {() => void} redraw after the language changed */
export function choices(redraw) {
  const languageSelect = select("language", Object.entries(LANGUAGES), language, async (code) => {
    try {
      await setLanguage(/** @type {import("./preferences.js").Language} */ (code));
    } catch {
      languageSelect.value = language; // its texts could not be loaded
      return showMessage(t.faults.offline.join(". "));
    }
    return redraw();
  });
  const themeSelect = select("theme", Object.entries(t.themes), theme(), (name) =>
    setTheme(/** @type {import("./preferences.js").Theme} */ (name)));
  return h("div", { class: "choices" },
    h("label", {}, h("span", {}, t.language), languageSelect), h("label", {}, h("span", {}, t.theme), themeSelect));
}

/** @param {HTMLButtonElement} button */
async function leave(button) {
  button.disabled = true;
  button.textContent = t.signingOut;
  try {
    keepSettings();
    await logout();
  } catch (error) {
    button.disabled = false;
    button.textContent = t.signOut;
    const { title, text } = explain(error);
    showMessage(`${title}. ${text}`);
  }
}
