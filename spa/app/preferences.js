// @ts-check
/** Language and appearance, kept in this browser. */

import { de } from "../i18n/de.js";
import { en } from "../i18n/en.js";

/** @typedef {"de" | "en"} Language */
/** @typedef {"auto" | "light" | "dark"} Theme */

export const LANGUAGES = { de, en };

/** @type {Language} */
export let language = chosenLanguage();
/** The texts of the present language. */
export let t = LANGUAGES[language];

document.documentElement.lang = language;

/** @returns {Language} */
function chosenLanguage() {
  const kept = read("language");
  if (kept === "de" || kept === "en") return kept;
  return navigator.language.toLowerCase().startsWith("de") ? "de" : "en";
}

/** @param {Language} next */
export function setLanguage(next) {
  language = next;
  t = LANGUAGES[next];
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
