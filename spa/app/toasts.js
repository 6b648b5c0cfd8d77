// @ts-check
/** News on the screen: at most three, for some seconds, and longer while somebody reads them. */

import * as texts from "../i18n/news.js";
import { h, icon } from "./dom.js";
import { inWords } from "./news.js";
import { inLanguage, isOn } from "./preferences.js";

/** @typedef {import("./news.js").News} News */

const MOST = 3;
const STAY_MS = 8000;

/** @type {{news: News, left: number, since: number, timer: ReturnType<typeof setTimeout> | undefined}[]} */
let shown = [];
let isHeld = false;
/** @type {Element | null} */
let focusBefore = null;

/** @param {News[]} news */
export function showToasts(news) {
  if (!isOn("toasts") || document.visibilityState === "hidden") return; // they are in the list
  shown = [...shown, ...news.map((one) => ({ news: one, left: STAY_MS, since: 0, timer: undefined }))];
  for (const gone of shown.splice(0, Math.max(0, shown.length - MOST))) clearTimeout(gone.timer);
  drawToasts();
  say(news.map((one) => inWords(one).text).join(". "));
  if (!isHeld) run();
}

/** Takes all of them off the screen. */
export function clearToasts() {
  for (const { timer } of shown) clearTimeout(timer);
  shown = [];
  drawToasts();
}

export function drawToasts() {
  const place = document.getElementById("toasts");
  if (!place) return;
  if (!place.dataset.isWatched) watch(place);
  const kept = new Map([...place.children].map((child) => [/** @type {HTMLElement} */ (child).dataset.key, child]));
  const nodes = shown.map(({ news }) => kept.get(keyOf(news)) ?? toast(news));
  for (const child of [...place.children]) if (!nodes.includes(child)) child.remove();
  nodes.forEach((node, index) => place.children[index] !== node && place.append(node));
}

/** @param {News} news */
const keyOf = ({ id, at, kind }) => `${kind}-${id}-${at}`;

/** @param {News} news */
function toast(news) {
  const words = inLanguage(texts);
  const { text, href } = inWords(news);
  return h("div", { class: "toast", "data-key": keyOf(news), "data-testid": "toast" },
    href ? h("a", { href, onclick: () => close(news) }, text) : h("span", {}, text),
    h("button", { type: "button", class: "close", "aria-label": `${words.close}: ${text}`, onclick: () => close(news) }, icon("close")));
}

/** @param {HTMLElement} place */
function watch(place) {
  place.dataset.isWatched = "yes";
  place.setAttribute("role", "region");
  place.setAttribute("aria-label", inLanguage(texts).hints);
  place.addEventListener("pointerenter", hold);
  place.addEventListener("pointerleave", () => place.contains(document.activeElement) || release());
  place.addEventListener("focusin", ({ relatedTarget }) => {
    if (relatedTarget instanceof Element && !place.contains(relatedTarget)) focusBefore = relatedTarget;
    hold();
  });
  place.addEventListener("focusout", ({ relatedTarget }) => {
    if (!(relatedTarget instanceof Node && place.contains(relatedTarget))) release();
  });
  place.addEventListener("keydown", ({ key, target }) => {
    const node = key === "Escape" && target instanceof Element ? target.closest(".toast") : null;
    node?.querySelector("button")?.click();
  });
}

function hold() {
  isHeld = true;
  for (const one of shown) {
    clearTimeout(one.timer);
    if (one.timer !== undefined) one.left -= performance.now() - one.since;
    one.timer = undefined;
  }
}

function release() {
  isHeld = false;
  run();
}

function run() {
  for (const one of shown) {
    if (one.timer !== undefined) continue;
    one.since = performance.now();
    one.timer = setTimeout(() => remove(one.news), Math.max(one.left, 1000));
  }
}

/** @param {News} news */
function remove(news) {
  shown = shown.filter((one) => one.news !== news);
  drawToasts();
}

/** @param {News} news by the person: whoever uses the keyboard goes on with the next one, or where they were */
function close(news) {
  const place = document.getElementById("toasts");
  const hadFocus = place?.contains(document.activeElement) ?? false;
  const one = shown.find((candidate) => candidate.news === news);
  clearTimeout(one?.timer);
  remove(news);
  if (place && !place.matches(":hover")) isHeld = false;
  const next = place?.querySelector("button") ?? focusBefore;
  if (hadFocus && next instanceof HTMLElement && next.isConnected) next.focus({ preventScroll: true });
  else if (!isHeld) run();
}

/** @param {string} text */
function say(text) {
  const place = document.getElementById("news-said");
  if (place) place.textContent = text;
}
