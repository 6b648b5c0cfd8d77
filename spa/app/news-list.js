// @ts-check
/** The list of news below a bell in the header, and the switch for those on the screen. */

import * as texts from "../i18n/news.js";
import { disclosure } from "./disclosure.js";
import { h, icon } from "./dom.js";
import { inWords } from "./news.js";
import { inLanguage, isOn, setOn } from "./preferences.js";
import { ago } from "./times.js";
import { clearToasts } from "./toasts.js";

/** @typedef {import("./news.js").News} News */

const MOST = 30;

/** @type {News[]} the newest first; in this page alone */
let kept = [];
let unseen = 0;

/** @param {News[]} news */
export function tellList(news) {
  kept = [...news].reverse().concat(kept).slice(0, MOST);
  const panel = document.getElementById("news");
  unseen = panel && !panel.hidden ? 0 : unseen + news.length;
  drawCount();
  if (panel && !panel.hidden) drawList();
}

/** Puts the bell into the header, which was built anew. */
export function placeList() {
  const words = inLanguage(texts);
  const place = document.getElementById("news-place");
  if (!place) return;
  const button = h("button", { type: "button", class: "bell", "data-testid": "news" },
    icon("bell"), h("span", { class: "bell-count", "aria-hidden": "true" }));
  const panel = h("div", { id: "news", class: "panel-below news", role: "group", "aria-label": words.title, "data-testid": "news-list" },
    h("h2", {}, words.title), h("div", { id: "news-items" }),
    h("label", { class: "switch" },
      h("input", { type: "checkbox", role: "switch", checked: isOn("toasts"), onchange: (/** @type {any} */ event) => {
        setOn("toasts", event.target.checked);
        if (!event.target.checked) clearToasts();
      } }), words.show));
  const { node } = disclosure(button, panel, { opened: seen });
  place.replaceChildren(node, h("div", { id: "news-said", class: "visually-hidden", role: "status" }));
  drawCount();
}

function seen() {
  unseen = 0;
  drawCount();
  drawList();
  clearToasts(); // they are in the list, where one looks now
}

function drawCount() {
  const button = document.querySelector("#news-place .bell");
  button?.setAttribute("aria-label", inLanguage(texts).button(unseen));
  const count = button?.querySelector(".bell-count");
  if (count) count.textContent = unseen === 0 ? "" : unseen > 9 ? "9+" : String(unseen);
}

function drawList() {
  const words = inLanguage(texts);
  document.getElementById("news-items")?.replaceChildren(kept.length === 0
    ? h("p", { class: "quiet" }, words.empty)
    : h("ul", { role: "list" }, kept.map((news) => {
      const { text, href } = inWords(news);
      return h("li", {}, href ? h("a", { href }, text) : h("span", {}, text),
        h("span", { class: "quiet small" }, ago(news.at, words.now)));
    })));
}
