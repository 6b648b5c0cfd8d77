// @ts-check
/** One line of the invoice, as it is typed. */

import { h, hidden, svg } from "../dom.js";
import { money } from "../format.js";
import { DISCOUNT_PLACES, PRICE_PLACES, QUANTITY_PLACES } from "./amounts.js";
import { combobox } from "./combobox.js";
import { RATES, amountOf, readItem } from "./draft.js";
import { labelled, showProblem, textArea, textBox } from "./fields.js";
import { formatDecimal } from "./numbers.js";
import { numberProblems } from "./validation.js";

/** @typedef {import("./draft.js").Item} Item */
/** @typedef {import("./form.js").Form} Form */
/** @typedef {{up: () => void, down: () => void, remove: () => void, drag: (event: PointerEvent) => void}} Moves */
/**
 * @typedef {object} Line
 * @property {Item} item
 * @property {HTMLElement} node
 * @property {() => void} refresh
 * @property {(place: number, of: number) => void} number
 */

const ARTICLE_LETTERS = 2;
const ARTICLE_MS = 150;
const LONGEST_TEXT = 255;
const LONGEST_DESCRIPTION = 2000;

/**
 * @param {Item} item
 * @param {Form} form
 * @param {Moves} moves
 * @returns {Line}
 */
export function lineItem(item, form, moves) {
  const { s } = form;
  const id = (/** @type {string} */ name) => `item-${item.key}-${name}`;
  const isText = item.kind === "text";
  const legend = h("legend", {});
  const numbers = isText ? undefined : numberFields(item, form, id);
  const name = isText ? textBox(id("name"), item.name, type("name"), { maxlength: LONGEST_TEXT }) : undefined;
  const named = name ? labelled(s.items.textName, name, { className: "item-name" })
    : articleField(item, form, id("name"), () => numbers?.fill());
  const description = textArea(id("description"), item.description, type("description"),
    { rows: 1, maxlength: LONGEST_DESCRIPTION });
  const tools = toolsOf(moves, s);
  /** @param {"name" | "description"} key */
  function type(key) {
    return (/** @type {string} */ value) => {
      item[key] = value;
      form.changed();
    };
  }
  return {
    item,
    node: h("li", { class: isText ? "item item-text" : "item", "data-key": item.key, "data-testid": "item" },
      h("fieldset", {}, legend, tools.node, named,
        labelled(`${s.items.description} ${s.items.optional}`, description, { className: "item-description" }), ...(numbers?.nodes ?? []))),
    refresh: () => numbers?.refresh(),
    number: (place, of) => {
      legend.textContent = isText ? s.items.text(place) : s.items.item(place);
      tools.number(place, of);
    },
  };
}

/**
 * @param {Item} item
 * @param {Form} form
 * @param {string} id
 * @param {() => void} filled
 */
function articleField(item, form, id, filled) {
  const { s, draft } = form;
  const finder = () => (finding ??= import("./articles.js").then(({ articleFinder }) => articleFinder(form)));
  /** @type {Promise<ReturnType<typeof import("./articles.js").articleFinder>> | undefined} */
  let finding;
  const { input, beside } = combobox({
    id, value: item.name, least: ARTICLE_LETTERS, waitMs: ARTICLE_MS, listLabel: s.items.articles,
    find: async (text) => (await finder()).find(text),
    searching: "", found: (count) => (count > 0 ? s.items.articlesFound(count) : ""), failed: () => "",
    type: (text) => {
      item.name = text;
      item.kind = "custom"; // by another name it is not the article any more
      form.changed();
    },
    choose: async (choice) => {
      (await finder()).fill(choice.id, item, draft);
      filled();
      form.changed();
    },
  }, { maxlength: LONGEST_TEXT });
  return labelled(s.items.name, input, { className: "item-name", beside });
}

/**
 * @param {Item} item
 * @param {Form} form
 * @param {(name: string) => string} id
 */
function numberFields(item, form, id) {
  const { s, draft } = form;
  /** @type {(key: "quantity" | "price" | "discount" | "unit", more?: import("../dom.js").Props) => HTMLInputElement} */
  const box = (key, more) => textBox(id(key), item[key], (value) => {
    item[key] = value;
    form.changed();
  }, { inputmode: "decimal", ...more });
  const quantity = box("quantity");
  const unit = box("unit", { inputmode: "text", list: "units", placeholder: s.items.units[0], maxlength: LONGEST_TEXT });
  const price = box("price");
  const discount = box("discount", { placeholder: "0" });
  const rate = h("select", { id: id("rate"), onchange: () => {
    item.rate = rate.value;
    form.changed();
  } }, RATES.map((value) => h("option", { value, selected: value === item.rate }, `${value} %`)));
  const amount = h("span", { class: "amount number", "data-testid": "amount" });
  const priced = labelled("", price, { className: "item-price" });
  const nodes = [labelled(s.items.quantity, quantity, { className: "item-quantity" }),
    labelled(s.items.unit, unit, { className: "item-unit" }), priced,
    labelled(s.items.rate, rate, { className: "item-rate" }),
    labelled(s.items.discount, discount, { className: "item-discount" }),
    h("p", { class: "item-amount" }, h("span", { class: "amount-label" }, s.items.amount), " ", amount)];
  const check = () => checkNumbers(item, form, { quantity, price, discount });
  for (const input of [quantity, price, discount]) input.addEventListener("change", check);
  const refresh = () => {
    const cents = amountOf(item, draft.language);
    amount.textContent = cents === undefined ? "–" : money(Number(cents) / 100);
    const label = priced.querySelector("label");
    if (label) label.textContent = s.items.price[draft.taxType];
  };
  refresh();
  const fill = () => {
    Object.entries({ quantity, unit, price, discount, rate }).forEach(([key, input]) =>
      (input.value = item[/** @type {"quantity"} */ (key)]));
    check();
    const words = document.getElementById(id("description"));
    if (words instanceof HTMLTextAreaElement) words.value = item.description;
  };
  return { nodes, refresh, fill };
}

/**
 * What cannot be read is told where it stands, as soon as it is left; what can is written out.
 * @param {Item} item
 * @param {Form} form
 * @param {Record<"quantity" | "price" | "discount", HTMLInputElement>} inputs
 */
function checkNumbers(item, { draft: { language }, s, changed }, inputs) {
  const problems = new Map(numberProblems(item, language).map(({ field, code }) => [field, s.problems[code]]));
  const read = readItem(item, language);
  const places = { quantity: [QUANTITY_PLACES, 0], price: [PRICE_PLACES, PRICE_PLACES], discount: [DISCOUNT_PLACES, 0] };
  for (const key of /** @type {const} */ (["quantity", "price", "discount"])) {
    const input = inputs[key];
    const [all = 0, least = 0] = places[key];
    const value = read[key];
    if (value !== undefined && input.value.trim()) item[key] = input.value = formatDecimal(value, language, all, least);
    const field = input.closest("[data-field]");
    const isTouched = input.value.trim() !== "" || input.getAttribute("aria-invalid") === "true";
    if (field instanceof HTMLElement && isTouched) showProblem(field, problems.get(input.id));
  }
  changed();
}

const PATHS = { up: "M8 13V3M3.5 7.5 8 3l4.5 4.5", down: "M8 3v10m4.5-4.5L8 13 3.5 8.5",
  remove: "m4 4 8 8m0-8-8 8", drag: "M6 3.5h.01M10 3.5h.01M6 8h.01M10 8h.01M6 12.5h.01M10 12.5h.01" };

/** @param {keyof typeof PATHS} name */
function sign(name) {
  return svg("svg", { viewBox: "0 0 16 16", width: 16, height: 16, class: "icon", "aria-hidden": "true", focusable: "false" },
    svg("path", { d: PATHS[name], fill: "none", stroke: "currentColor", "stroke-width": name === "drag" ? 2.2 : 1.5,
      "stroke-linecap": "round", "stroke-linejoin": "round" }));
}

/**
 * @param {Moves} moves
 * @param {Form["s"]} s
 */
function toolsOf(moves, s) {
  const button = (/** @type {"up" | "down" | "remove"} */ name) => {
    const text = hidden("");
    return { text, node: h("button", { type: "button", class: "tool", "data-testid": `item-${name}`,
      onclick: (/** @type {MouseEvent} */ event) => {
        const pressed = event.currentTarget;
        if (pressed instanceof HTMLElement && pressed.getAttribute("aria-disabled") !== "true") moves[name]();
      } }, sign(name), text) };
  };
  const [up, down, remove] = [button("up"), button("down"), button("remove")];
  const handle = h("span", { class: "tool handle", title: s.items.drag, "data-testid": "item-drag", onpointerdown: moves.drag },
    sign("drag"));
  return {
    node: h("div", { class: "item-tools" }, handle, up.node, down.node, remove.node),
    /** @type {(place: number, of: number) => void} */
    number: (place, of) => {
      for (const [one, text] of /** @type {const} */ ([[up, s.items.up], [down, s.items.down], [remove, s.items.remove]])) {
        one.text.textContent = text(place);
      }
      up.node.setAttribute("aria-disabled", String(place === 1)); // not `disabled`: the focus would be lost at the end of the way
      down.node.setAttribute("aria-disabled", String(place === of));
    },
  };
}
