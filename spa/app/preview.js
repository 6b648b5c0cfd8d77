// @ts-check
/** A voucher's PDF, or the receipt of a booking, within its page: fetched when somebody asks for it, gone with the page. */

import * as texts from "../i18n/voucher.js";
import { h, icon } from "./dom.js";
import { fetched } from "./files.js";
import { skeleton } from "./parts.js";
import { inLanguage } from "./preferences.js";

const SIGNATURES = { "application/pdf": "%PDF-", "image/png": "\x89PNG", "image/jpeg": "\xff\xd8\xff" };

/**
 * @typedef {object} Preview
 * @property {HTMLElement} place where it appears
 * @property {(paper: import("./files.js").Paper, said: HTMLElement) => HTMLElement | null} button null where the browser shows no PDFs
 */

/**
 * @param {AbortSignal} signal of the visit
 * @returns {Preview}
 */
export function previewPart(signal) {
  const s = inLanguage(texts);
  const place = h("div", { id: "preview", class: "preview", "data-testid": "preview", hidden: true });
  const shown = { url: "", of: "" };
  const close = () => {
    URL.revokeObjectURL(shown.url);
    shown.url = "";
    place.hidden = true;
    place.replaceChildren();
  };
  signal.addEventListener("abort", close);

  const open = async (/** @type {HTMLElement} */ button, /** @type {import("./files.js").Paper} */ paper, /** @type {HTMLElement} */ said) => {
    expand(button, true, s);
    place.replaceChildren(h("div", { class: "panel preview-frame" }, skeleton(8))); // as large as what comes
    place.hidden = false;
    place.scrollIntoView({ block: "nearest" });
    /** @type {string | undefined} */
    let type = "";
    const came = await fetched(button, said, paper.read, async (file) => {
      type = await typeOf(file);
      if (!type || signal.aborted || place.hidden) return;
      shown.url = URL.createObjectURL(new Blob([file], { type })); // whatever it was called on the way
      place.replaceChildren(shownAs(type, shown.url, s.previewOf(paper.name)));
    });
    if (came && type) return;
    close();
    expand(button, false, s);
    if (came) said.textContent = s.notShown;
  };

  return {
    place,
    button: (paper, said) => {
      if (shown.of !== paper.key && !place.hidden) close(); // it changed at lexoffice
      shown.of = paper.key;
      if (!navigator.pdfViewerEnabled) return null;
      const button = h("button", { type: "button", class: "button button-quiet preview-button", "aria-controls": "preview",
        "data-testid": "pdf-preview", onclick: () => {
          if (place.hidden) return void open(button, paper, said);
          close();
          return expand(button, false, s);
        } });
      return expand(button, false, s);
    },
  };
}

/**
 * @template {HTMLElement} Button
 * @param {Button} button
 * @param {boolean} isOpen
 * @param {typeof texts.de} s
 */
function expand(button, isOpen, s) {
  button.setAttribute("aria-expanded", String(isOpen));
  button.replaceChildren(icon("paper"), isOpen ? s.hidePreview : s.preview);
  return button;
}

/**
 * @param {string} type
 * @param {string} url
 * @param {string} title
 */
function shownAs(type, url, title) {
  return type === "application/pdf" ? h("iframe", { class: "preview-frame", src: `${url}#navpanes=0&view=FitH`, title })
    : h("img", { class: "preview-picture", src: url, alt: title });
}

/**
 * @param {Blob} file
 * @returns {Promise<string | undefined>} by its first bytes; undefined for what shall not be shown
 */
async function typeOf(file) {
  const beginning = String.fromCharCode(...new Uint8Array(await file.slice(0, 5).arrayBuffer()));
  return Object.entries(SIGNATURES).find(([, signature]) => beginning.startsWith(signature))?.[0];
}
