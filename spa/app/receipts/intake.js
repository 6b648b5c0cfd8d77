// @ts-check
/** The ways in which files come: chosen, photographed, dropped anywhere on the page, or pasted. */

import { h, icon } from "../dom.js";
import { ACCEPT } from "./accepted.js";

/** @typedef {{file: File, isFolder?: boolean}} Chosen */
/** @typedef {(chosen: Chosen[]) => void} Take */

/**
 * @param {AbortSignal} signal of the visit
 * @param {typeof import("../../i18n/receipts.js").de} s
 * @param {Take} take
 */
export function intake(signal, s, take) {
  const files = picker({ accept: ACCEPT, multiple: true, "data-testid": "receipt-files" }, take);
  const camera = picker({ accept: "image/jpeg", capture: "environment", "data-testid": "receipt-camera" }, take);
  const zone = h("section", { class: "drop", "aria-labelledby": "drop-heading", "data-testid": "drop" },
    icon("upload"),
    h("h2", { id: "drop-heading" }, h("span", { class: "with-mouse" }, s.drop), h("span", { class: "by-touch" }, s.pick)),
    h("p", { class: "quiet" }, s.rules),
    h("div", { class: "actions" },
      h("button", { type: "button", class: "button", id: "choose-files", onclick: () => files.click() }, s.choose),
      h("button", { type: "button", class: "button button-quiet by-touch", onclick: () => camera.click() }, s.photograph)),
    h("p", { class: "quiet small with-mouse" }, s.paste), files, camera);
  takeDrops(zone, take, signal);
  document.addEventListener("paste", (event) => {
    const pasted = [...(event.clipboardData?.files ?? [])];
    if (pasted.length === 0) return;
    event.preventDefault();
    take(pasted.map((file) => ({ file: named(file) })));
  }, { signal });
  return zone;
}

/**
 * @param {import("../dom.js").Props} props
 * @param {Take} take
 */
function picker(props, take) {
  const input = h("input", { type: "file", hidden: true, ...props, onchange: () => {
    take([...(input.files ?? [])].map((file) => ({ file: named(file) })));
    input.value = ""; // so that the same file can be chosen again
  } });
  return input;
}

/** Cameras and clipboards call everything alike. @param {File} file */
function named(file) {
  if (!/^image\.(png|jpe?g)$/i.test(file.name)) return file;
  const time = new Date(Date.now() - new Date().getTimezoneOffset() * 60_000).toISOString();
  const name = `${time.slice(0, 19).replace("T", " ").replaceAll(":", ".")}.${file.name.replace(/.*\./, "")}`;
  return new File([file], name, { type: file.type, lastModified: file.lastModified });
}

/**
 * A file that falls beside the zone would be opened by the browser in place of the app.
 * @param {HTMLElement} zone
 * @param {Take} take
 * @param {AbortSignal} signal
 */
function takeDrops(zone, take, signal) {
  const over = (/** @type {DragEvent} */ event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
    zone.classList.add("drop-over");
  };
  const leave = (/** @type {DragEvent} */ event) => event.relatedTarget ?? zone.classList.remove("drop-over");
  addEventListener("dragenter", over, { signal });
  addEventListener("dragover", over, { signal });
  addEventListener("dragleave", leave, { signal });
  addEventListener("drop", (event) => {
    zone.classList.remove("drop-over");
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    take(dropped(event.dataTransfer));
  }, { signal });
}

/** @param {DataTransfer} transfer @returns {Chosen[]} */
function dropped(transfer) {
  return [...transfer.items].flatMap((item) => {
    const file = item.getAsFile();
    return file ? [{ file, isFolder: item.webkitGetAsEntry()?.isDirectory }] : [];
  });
}
