// @ts-check
/** The two ways to a PDF: a link that opens it in a tab of its own, and a button that keeps it. */

import { h, hidden, icon } from "./dom.js";
import { explain, isAborted, isSessionEnd } from "./faults.js";
import { pdfPath, readPdf } from "./lexoffice.js";
import { announce } from "./parts.js";
import { t } from "./preferences.js";

const KEPT_MS = 60_000;

/**
 * @param {string} resource as invoices
 * @param {import("./shapes.js").Voucher} voucher
 * @param {AbortSignal} signal
 */
export function pdfButtons(resource, voucher, signal) {
  const said = h("p", { class: "pdf-fault", role: "status" });
  const button = h("button", { type: "button", class: "button button-quiet", "data-testid": "pdf-download",
    onclick: () => save(button, said, resource, voucher, signal) }, icon("download"), t.voucher.download);
  return h("div", { class: "actions" },
    h("a", { class: "button", href: pdfPath(resource, voucher.id), target: "_blank", rel: "noopener", "data-testid": "pdf-open" },
      icon("open"), t.voucher.openPdf, hidden(` ${t.voucher.newTab}`)),
    button, said);
}

/**
 * @param {HTMLButtonElement} button
 * @param {HTMLElement} said
 * @param {string} resource
 * @param {import("./shapes.js").Voucher} voucher
 * @param {AbortSignal} signal
 */
async function save(button, said, resource, voucher, signal) {
  if (button.getAttribute("aria-disabled") === "true") return;
  button.setAttribute("aria-disabled", "true");
  said.textContent = t.voucher.downloading;
  try {
    keepFile(await readPdf(resource, voucher.id, signal), `${voucher.voucherNumber || voucher.id}.pdf`);
    said.textContent = "";
    announce(t.voucher.downloaded);
  } catch (error) {
    const fault = explain(error);
    said.textContent = isAborted(error) || isSessionEnd(error) ? "" : [fault.title, ...fault.says].join(": ");
  } finally {
    button.removeAttribute("aria-disabled");
  }
}

/**
 * @param {Blob} blob
 * @param {string} name
 */
function keepFile(blob, name) {
  const url = URL.createObjectURL(blob);
  h("a", { href: url, download: name.replace(/[\\/:*?"<>|]/g, "-") }).click();
  setTimeout(() => URL.revokeObjectURL(url), KEPT_MS);
}
