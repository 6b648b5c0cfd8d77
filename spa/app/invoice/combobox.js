// @ts-check
/** A text field that offers what it finds, by the pattern of the ARIA Authoring Practices: the focus stays in the field. */

import { isAborted } from "../faults.js";
import { h, hidden } from "../dom.js";

/** @typedef {{id: string, label: string, detail: string}} Choice */

/**
 * @typedef {object} Offer
 * @property {string} id
 * @property {string} value
 * @property {number} least letters before anything is looked for
 * @property {number} waitMs after the last key
 * @property {string} listLabel
 * @property {(text: string, signal: AbortSignal) => Promise<Choice[]>} find
 * @property {(choice: Choice) => void} choose
 * @property {(text: string) => void} type
 * @property {(count: number) => string} found what is said of so many
 * @property {string} searching
 * @property {(error: unknown) => string} failed
 */

/**
 * @param {Offer} offer
 * @param {import("../dom.js").Props} [more]
 * @returns {{input: HTMLInputElement, beside: HTMLElement[]}} the field, and what belongs beside it
 */
export function combobox(offer, more) {
  const listId = `${offer.id}-list`;
  const list = h("ul", { class: "choices-list", id: listId, role: "listbox", "aria-label": offer.listLabel, hidden: true });
  const said = h("p", { class: "said", role: "status", "data-testid": `${offer.id}-said` });
  const input = h("input", { id: offer.id, type: "text", role: "combobox", autocomplete: "off", spellcheck: "false",
    "aria-expanded": "false", "aria-controls": listId, "aria-autocomplete": "list", ...more });
  input.value = offer.value;
  new Choosing(offer, input, list, said).listen();
  return { input, beside: [list, said] };
}

class Choosing {
  /** @type {Choice[]} */
  #choices = [];
  #active = -1;
  #current = new AbortController();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {Offer} offer
   * @param {HTMLInputElement} input
   * @param {HTMLElement} list
   * @param {HTMLElement} said
   */
  constructor(offer, input, list, said) {
    this.offer = offer;
    this.input = input;
    this.list = list;
    this.said = said;
  }

  listen() {
    this.input.addEventListener("input", () => this.#typed());
    this.input.addEventListener("keydown", (event) => this.#pressed(event));
    this.input.addEventListener("blur", () => this.#close());
    // The list would take the focus away from the field before the click is one.
    this.list.addEventListener("pointerdown", (event) => event.preventDefault());
  }

  #typed() {
    const text = this.input.value.trim();
    this.offer.type(this.input.value);
    this.#stop();
    this.#close();
    if (text.length >= this.offer.least) this.#timer = setTimeout(() => this.#look(text), this.offer.waitMs);
  }

  #stop() {
    clearTimeout(this.#timer);
    this.#current.abort();
    this.said.textContent = "";
  }

  /** @param {string} text */
  async #look(text) {
    this.#current = new AbortController();
    const { signal } = this.#current;
    this.said.textContent = this.offer.searching;
    try {
      const found = await this.offer.find(text, signal);
      if (signal.aborted) return;
      this.said.textContent = this.offer.found(found.length);
      if (document.activeElement === this.input) this.#open(found);
    } catch (error) {
      if (!isAborted(error) && !signal.aborted) this.said.textContent = this.offer.failed(error);
    }
  }

  /** @param {Choice[]} choices */
  #open(choices) {
    this.#choices = choices;
    this.#active = -1;
    this.list.replaceChildren(...choices.map((choice, index) =>
      h("li", { id: `${this.list.id}-${index}`, role: "option", "aria-selected": "false", class: "choice",
        onclick: () => this.#choose(index) },
      h("span", { class: "choice-label" }, choice.label),
      choice.detail && [hidden(", "), h("span", { class: "choice-detail" }, choice.detail)])));
    this.#show(choices.length > 0);
  }

  #close() {
    this.#show(false);
    this.#active = -1;
  }

  /** @param {boolean} isOpen */
  #show(isOpen) {
    this.list.hidden = !isOpen;
    this.input.setAttribute("aria-expanded", String(isOpen));
    if (!isOpen) this.input.removeAttribute("aria-activedescendant");
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    const isOpen = !this.list.hidden;
    if (event.isComposing || event.ctrlKey || event.metaKey) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") this.#arrow(event, isOpen);
    else if (event.key === "Enter" && isOpen && this.#active >= 0) {
      event.preventDefault();
      this.#choose(this.#active);
    } else if (event.key === "Escape" && isOpen) {
      event.preventDefault();
      event.stopPropagation();
      this.#close();
    } else if (event.key === "Tab" && isOpen && this.#active >= 0) this.#choose(this.#active);
  }

  /**
   * @param {KeyboardEvent} event
   * @param {boolean} isOpen
   */
  #arrow(event, isOpen) {
    const step = event.key === "ArrowDown" ? 1 : -1;
    event.preventDefault();
    if (!isOpen) {
      if (this.#choices.length > 0) this.#show(true);
      else if (this.input.value.trim().length >= this.offer.least) this.#look(this.input.value.trim());
      if (this.list.hidden) return;
    }
    const { length } = this.#choices;
    this.#mark(this.#active < 0 ? (step > 0 ? 0 : length - 1) : (this.#active + step + length) % length);
  }

  /** @param {number} index */
  #mark(index) {
    this.#active = index;
    [...this.list.children].forEach((option, place) => option.setAttribute("aria-selected", String(place === index)));
    const option = this.list.children[index];
    if (!option) return;
    this.input.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  }

  /** @param {number} index */
  #choose(index) {
    const choice = this.#choices[index];
    if (!choice) return;
    this.#stop();
    this.#close();
    this.#choices = [];
    this.input.value = choice.label;
    this.offer.choose(choice);
  }
}
