// @ts-check
/** PDFs and receipts: shown in a tab of their own, or kept. lexoffice sends them as attachments, so they are fetched. */

import { h, hidden, icon } from "./dom.js";
import { explain, isAborted, isSessionEnd } from "./faults.js";
import { filePath, pdfPath, readFile } from "./lexoffice.js";
import { announce } from "./parts.js";
import { t } from "./preferences.js";

/** What a tab of this origin may show; anything else (HTML, XML) could act in its name, and is kept instead. */
const SHOWN = new Set(["application/pdf", "image/png", "image/jpeg"]);
const KEPT_MS = 60_000;

/**
 * @typedef {object} Paper a voucher's PDF, or a file of a booking
 * @property {string} key another one when the voucher has changed
 * @property {string} path
 * @property {string} name
 * @property {() => Promise<Blob>} read asks lexoffice once, however it is then shown
 */

/**
 * @param {string} resource as invoices
 * @param {import("./shapes.js").Voucher} voucher
 * @param {AbortSignal} signal
 * @returns {Paper}
 */
export function paperOf(resource, { id, voucherNumber, version }, signal) {
  const name = `${voucherNumber || id}.pdf`;
  return paperAt(pdfPath(resource, id), name, `${id} ${name} ${version}`, signal);
}

/**
 * @param {string} path
 * @param {string} name
 * @param {string} key
 * @param {AbortSignal} signal
 * @returns {Paper}
 */
function paperAt(path, name, key, signal) {
  /** @type {Promise<Blob> | undefined} */
  let reading;
  const read = () => {
    reading ??= readFile(path, signal).catch((error) => {
      reading = undefined;
      throw error;
    });
    return reading;
  };
  return { key, path, name, read };
}

/**
 * @param {Paper} paper
 * @param {import("./preview.js").Preview} preview
 */
export function pdfButtons(paper, preview) {
  const { key, path, name, read } = paper;
  const said = h("p", { class: "said", role: "status" });
  const button = h("button", { type: "button", class: "button button-quiet", "data-testid": "pdf-download",
    onclick: () => fetched(button, said, read, (file) => {
      keepFile(file, name);
      announce(t.voucher.downloaded);
    }) }, icon("download"), t.voucher.download);
  const link = fileLink({ path, name, text: t.voucher.openPdf, said, read }, "pdf-open");
  return h("div", { class: "actions", "data-key": "pdf", "data-whole": key }, link, button, preview.button(paper, said), said);
}

/**
 * @param {string[]} ids of files that somebody added to a booking
 * @param {string} name of the booking
 * @param {import("./preview.js").Preview} preview
 * @param {AbortSignal} signal
 */
export function receiptLinks(ids, name, preview, signal) {
  const said = h("p", { class: "said", role: "status" });
  const papers = ids.map((id) => paperAt(filePath(id), name || id, id, signal));
  const [first] = papers;
  return h("div", { class: "actions", "data-key": "receipts", "data-whole": ids.join() },
    papers.map((paper, index) => fileLink({ ...paper, text: t.voucher.receipt(index + 1), said }, "receipt-open")),
    papers.length === 1 && first && preview.button(first, said), said);
}

/**
 * @param {{path: string, name: string, text: string, said: HTMLElement, read: () => Promise<Blob>}} file
 * @param {string} testId
 */
export function fileLink({ path, name, text, said, read }, testId) {
  const link = h("a", { class: "button", href: path, target: "_blank", rel: "noopener", "data-testid": testId,
    onclick: (/** @type {MouseEvent} */ event) => {
      if (event.metaKey || event.ctrlKey || event.shiftKey) return;
      event.preventDefault();
      const tab = waitingTab();
      fetched(link, said, read, (blob) => showFile(tab, blob, name)).then((done) => done || tab?.close());
    } }, icon("open"), text, hidden(` ${t.voucher.newTab}`));
  return link;
}

/** Opened at once, since after the answer it would be a popup nobody asked for; null when the browser refuses. */
function waitingTab() {
  const tab = window.open("", "_blank");
  if (tab) tab.document.title = t.voucher.downloading;
  tab?.document.body.append(t.voucher.downloading);
  return tab;
}

/**
 * @param {HTMLElement} control
 * @param {HTMLElement} said where the person is told
 * @param {() => Promise<Blob>} read
 * @param {(file: Blob) => void | Promise<void>} use
 * @returns {Promise<boolean>} whether the file came
 */
export async function fetched(control, said, read, use) {
  if (control.getAttribute("aria-disabled") === "true") return false;
  control.setAttribute("aria-disabled", "true");
  said.textContent = t.voucher.downloading;
  try {
    await use(await read());
    said.textContent = "";
    return true;
  } catch (error) {
    const fault = explain(error);
    said.textContent = isAborted(error) || isSessionEnd(error) ? "" : [fault.title, ...fault.says].join(": ");
    return false;
  } finally {
    control.removeAttribute("aria-disabled");
  }
}

/**
 * @param {Window | null} tab null when the browser refused it
 * @param {Blob} file
 * @param {string} name
 */
function showFile(tab, file, name) {
  if (tab && SHOWN.has(file.type)) {
    tab.location.href = URL.createObjectURL(file); // lives as long as this page: the tab may be loaded again
  } else {
    tab?.close();
    keepFile(file, name);
  }
}

/**
 * @param {Blob} file
 * @param {string} name
 */
function keepFile(file, name) {
  const url = URL.createObjectURL(file);
  h("a", { href: url, download: name.replace(/[\\/:*?"<>|]/g, "-") }).click();
  setTimeout(() => URL.revokeObjectURL(url), KEPT_MS);
}
