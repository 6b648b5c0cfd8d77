// @ts-check
/** The lines of the invoice: added, removed, and put into another order, by keys as by pointer. */

import { h } from "../dom.js";
import { announce } from "../parts.js";
import { newItem } from "./draft.js";
import { problemPlace } from "./fields.js";
import { lineItem } from "./line-item.js";

/** @typedef {import("./draft.js").Item} Item */
/** @typedef {import("./form.js").Form} Form */
/** @typedef {import("./line-item.js").Line} Line */

/** @param {Form} form */
export function itemsPart(form) {
  const { s } = form;
  const lines = new Lines(form);
  const add = h("button", { type: "button", class: "button button-quiet", id: "items", "data-testid": "add-item",
    onclick: () => lines.add(newItem()) }, s.items.add);
  const addText = h("button", { type: "button", class: "button button-quiet", "data-testid": "add-text",
    onclick: () => lines.add(newItem("text")) }, s.items.addText);
  return {
    node: h("section", { class: "panel", "aria-labelledby": "items-heading" },
      h("h2", { id: "items-heading" }, s.items.heading),
      h("datalist", { id: "units" }, s.items.units.map((value) => h("option", { value }))),
      lines.list, problemPlace("items"),
      h("div", { class: "actions" }, add, addText), lines.removed),
    refresh: () => lines.refresh(),
  };
}

class Lines {
  /** @type {Line[]} */
  #lines = [];

  /** @param {Form} form */
  constructor(form) {
    this.form = form;
    this.list = h("ol", { class: "item-list", role: "list" });
    this.removed = h("div", { class: "removed", "data-testid": "removed" });
    for (const item of form.draft.items) this.#insert(item, this.#lines.length);
    this.#number();
  }

  refresh() {
    for (const line of this.#lines) line.refresh();
  }

  /** @param {Item} item */
  add(item) {
    const line = this.#insert(item, this.#lines.length);
    this.#changed();
    this.#focus(line);
  }

  /**
   * @param {Item} item
   * @param {number} place
   */
  #insert(item, place) {
    /** @type {Line} */
    const line = lineItem(item, this.form, {
      up: () => this.#move(line, -1), down: () => this.#move(line, 1), remove: () => this.#remove(line),
      drag: (event) => this.#drag(line, event),
    });
    this.#lines.splice(place, 0, line);
    this.list.insertBefore(line.node, this.list.children[place] ?? null);
    return line;
  }

  /**
   * The neighbour goes to the other side, so that what is moved keeps the focus and the pointer.
   * @param {Line} line
   * @param {-1 | 1} step
   */
  #move(line, step) {
    const place = this.#lines.indexOf(line);
    const other = this.#lines[place + step];
    if (!other) return;
    this.#lines[place + step] = line;
    this.#lines[place] = other;
    line.node[step < 0 ? "after" : "before"](other.node);
    this.#changed();
    announce(this.form.s.items.moved(place + step + 1, this.#lines.length));
  }

  /** @param {Line} line */
  #remove(line) {
    const { s } = this.form;
    const place = this.#lines.indexOf(line);
    this.#lines.splice(place, 1);
    line.node.remove();
    if (this.#lines.length === 0) this.#insert(newItem(), 0);
    this.#changed();
    this.#focus(this.#lines[Math.min(place, this.#lines.length - 1)]);
    const said = s.items.removed(line.item.name.trim());
    announce(said);
    this.removed.replaceChildren(h("span", {}, said), h("button", { type: "button", class: "button button-quiet", onclick: () => {
      this.removed.replaceChildren();
      const again = this.#insert(line.item, Math.min(place, this.#lines.length));
      this.#changed();
      this.#focus(again);
    } }, s.items.undo));
  }

  /**
   * @param {Line} line
   * @param {PointerEvent} event
   */
  #drag(line, event) {
    const handle = event.currentTarget;
    if (!(handle instanceof HTMLElement) || event.button !== 0) return;
    event.preventDefault();
    handle.setPointerCapture(event.pointerId);
    line.node.classList.add("item-dragged");
    const move = (/** @type {PointerEvent} */ { clientY }) => this.#dragTo(line, clientY);
    const end = () => {
      handle.removeEventListener("pointermove", move);
      line.node.classList.remove("item-dragged");
    };
    handle.addEventListener("pointermove", move);
    handle.addEventListener("lostpointercapture", end, { once: true });
  }

  /**
   * @param {Line} line
   * @param {number} y where the pointer is
   */
  #dragTo(line, y) {
    const place = this.#lines.indexOf(line);
    const middle = (/** @type {Line | undefined} */ other) => {
      const box = other?.node.getBoundingClientRect();
      return box && box.top + box.height / 2;
    };
    const above = middle(this.#lines[place - 1]);
    const below = middle(this.#lines[place + 1]);
    if (above !== undefined && y < above) this.#move(line, -1);
    else if (below !== undefined && y > below) this.#move(line, 1);
  }

  #changed() {
    this.form.draft.items = this.#lines.map(({ item }) => item);
    this.#number();
    this.form.changed();
  }

  #number() {
    this.#lines.forEach((line, index) => line.number(index + 1, this.#lines.length));
  }

  /** @param {Line | undefined} line */
  #focus(line) {
    const input = line?.node.querySelector("input");
    if (input instanceof HTMLElement) input.focus();
  }
}
