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
 * @param {string} resource as invoices
 * @param {import("./shapes.js").Voucher} voucher
 * @param {AbortSignal} signal
 */
export function pdfButtons(resource, voucher, signal) {
  const path = pdfPath(resource, voucher.id);
  const name = `${voucher.voucherNumber || voucher.id}.pdf`;
  const said = h("p", { class: "said", role: "status" });
  const button = h("button", { type: "button", class: "button button-quiet", "data-testid": "pdf-download",
    onclick: () => fetched(button, said, path, signal, (file) => {
      keepFile(file, name);
      announce(t.voucher.downloaded);
    }) }, icon("download"), t.voucher.download);
  const link = fileLink({ path, name, text: t.voucher.openPdf, said, signal }, "pdf-open");
  return h("div", { class: "actions", "data-key": "pdf", "data-whole": path + name }, link, button, said);
}

/**
 * @param {string[]} ids of files that somebody added to a booking
 * @param {AbortSignal} signal
 */
export function receiptLinks(ids, signal) {
  const said = h("p", { class: "said", role: "status" });
  return h("div", { class: "actions", "data-key": "receipts", "data-whole": ids.join() }, ids.map((id, index) =>
    fileLink({ path: filePath(id), name: id, text: t.voucher.receipt(index + 1), said, signal }, "receipt-open")), said);
}

/**
 * @param {{path: string, name: string, text: string, said: HTMLElement, signal: AbortSignal}} file
 * @param {string} testId
 */
export function fileLink({ path, name, text, said, signal }, testId) {
  const link = h("a", { class: "button", href: path, target: "_blank", rel: "noopener", "data-testid": testId,
    onclick: (/** @type {MouseEvent} */ event) => {
      if (event.metaKey || event.ctrlKey || event.shiftKey) return;
      event.preventDefault();
      const tab = waitingTab();
      fetched(link, said, path, signal, (blob) => showFile(tab, blob, name)).then((done) => done || tab?.close());
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
 * @param {string} path
 * @param {AbortSignal} signal
 * @param {(file: Blob) => void} use
 * @returns {Promise<boolean>} whether the file came
 */
async function fetched(control, said, path, signal, use) {
  if (control.getAttribute("aria-disabled") === "true") return false;
  control.setAttribute("aria-disabled", "true");
  said.textContent = t.voucher.downloading;
  try {
    use(await readFile(path, signal));
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
