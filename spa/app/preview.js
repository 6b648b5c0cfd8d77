// @ts-check
/** A voucher's PDF within its page: fetched when somebody asks for it, gone with the page. */

import * as texts from "../i18n/voucher.js";
import { h, icon } from "./dom.js";
import { fetched } from "./files.js";
import { skeleton } from "./parts.js";
import { inLanguage } from "./preferences.js";

const SIGNATURE = "%PDF-";

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
    let isPdf = true;
    const came = await fetched(button, said, paper.read, async (file) => {
      isPdf = await beginsAsPdf(file);
      if (!isPdf || signal.aborted || place.hidden) return;
      shown.url = URL.createObjectURL(new Blob([file], { type: "application/pdf" })); // whatever it was called on the way
      place.replaceChildren(h("iframe", { class: "preview-frame", src: `${shown.url}#navpanes=0&view=FitH`, title: s.previewOf(paper.name) }));
    });
    if (came && isPdf) return;
    close();
    expand(button, false, s);
    if (!isPdf) said.textContent = s.notPdf;
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

/** @param {Blob} file */
async function beginsAsPdf(file) {
  return (await file.slice(0, SIGNATURE.length).text()) === SIGNATURE;
}
