// @ts-check
/** Language and appearance, kept in this browser. */

/** @typedef {"de" | "en"} Language */
/** @typedef {"auto" | "light" | "dark"} Theme */
/** @typedef {import("../i18n/en.js").Texts} Texts */

/** Each by its own name. */
export const LANGUAGES = { de: "Deutsch", en: "English" };
const TEXTS = {
  de: async () => (await import("../i18n/de.js")).de,
  en: async () => (await import("../i18n/en.js")).en,
};

/** @type {Language} */
export let language = chosenLanguage();
/** The texts of the present language that occur on many pages; a view that is loaded late brings its own. */
export let t = await TEXTS[language]();

document.documentElement.lang = language;

/**
 * @template T
 * @param {{de: T, en: T}} both
 * @returns {T} those of the present language
 */
export const inLanguage = (both) => both[language];

/** @returns {Language} */
function chosenLanguage() {
  const kept = read("language");
  if (kept === "de" || kept === "en") return kept;
  return navigator.language.toLowerCase().startsWith("de") ? "de" : "en";
}

/** @param {Language} next */
export async function setLanguage(next) {
  t = await TEXTS[next]();
  language = next;
  document.documentElement.lang = next;
  keep("language", next);
}

/** @returns {Theme} */
export function theme() {
  const kept = document.documentElement.dataset.theme;
  return kept === "light" || kept === "dark" ? kept : "auto";
}

/** @param {Theme} next */
export function setTheme(next) {
  if (next === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = next;
  keep("theme", next);
}

/** @param {"toasts"} name of something that can be switched off */
export const isOn = (name) => read(name) !== "off";

/** @param {"toasts"} name @param {boolean} next */
export const setOn = (name, next) => keep(name, next ? "on" : "off");

/** @param {string} name */
function read(name) {
  try {
    return localStorage.getItem(`lexgate.${name}`);
  } catch {
    return null; // storage is switched off
  }
}

/**
 * @param {string} name
 * @param {string} value
 */
function keep(name, value) {
  try {
    localStorage.setItem(`lexgate.${name}`, value);
  } catch {
    // storage is switched off: the choice holds until the page is left
  }
}

const SETTINGS = /^lexgate\.(language$|theme$|toasts$|filters\.)/;

/**
 * To be called before signing out, which clears what this origin stores (`Clear-Site-Data`): language, appearance and the
 * names of filters are put back as the page is left; whatever else was kept is gone.
 */
export function keepSettings() {
  try {
    const kept = Object.entries(localStorage).filter(([name]) => SETTINGS.test(name));
    addEventListener("pagehide", () => {
      for (const [name, value] of kept) if (localStorage.getItem(name) === null) localStorage.setItem(name, value);
    }, { once: true });
  } catch {
    // storage is switched off: there is nothing to keep
  }
}
