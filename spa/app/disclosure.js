// @ts-check
/** A button that shows and hides a panel (the disclosure pattern): it works by keyboard, and closes when one goes elsewhere. */

import { h } from "./dom.js";

/** @typedef {{node: HTMLElement, toggle: (isOpen: boolean) => void}} Disclosure */

/**
 * @param {HTMLButtonElement} button
 * @param {HTMLElement} panel with an id
 * @param {{class?: string, opened?: () => void}} [more]
 * @returns {Disclosure}
 */
export function disclosure(button, panel, { class: className = "", opened } = {}) {
  const node = h("div", { class: `disclosure ${className}` }, button, panel);
  /** @param {Event} event */
  const elsewhere = ({ target }) => {
    if (!(target instanceof Node && node.contains(target))) toggle(false);
  };
  /** @param {boolean} isOpen */
  const toggle = (isOpen) => {
    panel.hidden = !isOpen;
    button.setAttribute("aria-expanded", String(isOpen));
    if (isOpen) document.addEventListener("pointerdown", elsewhere);
    else document.removeEventListener("pointerdown", elsewhere);
    if (isOpen) opened?.();
  };
  button.setAttribute("aria-controls", panel.id);
  toggle(false);
  button.addEventListener("click", () => toggle(Boolean(panel.hidden)));
  panel.addEventListener("click", ({ target }) => {
    if (target instanceof Element && target.closest("a")) toggle(false);
  });
  node.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || panel.hidden) return;
    toggle(false);
    button.focus();
  });
  node.addEventListener("focusout", ({ relatedTarget }) => {
    if (relatedTarget instanceof Node && !node.contains(relatedTarget)) toggle(false);
  });
  return { node, toggle };
}
