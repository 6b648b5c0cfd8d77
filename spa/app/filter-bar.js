// @ts-check
/** The filters that have a name, one click away: some that everybody has, and the person's own, to be renamed and deleted. */

import { texts } from "../i18n/vouchers.js";
import { h, icon } from "./dom.js";
import { LONGEST_NAME, MOST_FILTERS, keyOf, nameOf, removeFilter, renameFilter, saveFilter, savedFilters } from "./saved-filters.js";
import { parseSearch, searchPath } from "./search.js";

/** @typedef {{path: string, describe: () => string, apply: (path: string) => void}} Shown `path`: what is shown now, of its first page */
/** @typedef {import("./saved-filters.js").Outcome} Outcome */

/** @type {[keyof ReturnType<typeof texts>["saved"]["builtIn"], string][]} */
const BUILT_IN = [
  ["all", ""],
  ["overdue", "type=revenue&status=overdue"],
  ["open", "type=revenue&status=open"],
  ["toPay", "type=expenses&status=open"],
  ["drafts", "status=draft"],
  ["month", "period=last-month"],
];

/** @param {string} query of a saved filter, or anything: @returns {string} the address that shows it */
const pathOf = (query) => searchPath({ ...parseSearch(new URLSearchParams(query)), page: 0 });

/**
 * @param {AbortSignal} signal of the visit
 * @param {string} subject whose filters they are
 * @param {() => Shown} shown
 * @returns {{node: HTMLElement, update: () => void}} `update` after what is shown has changed
 */
export function filterBar(signal, subject, shown) {
  const said = h("p", { class: "said", role: "status" });
  const list = h("ul", { class: "named", role: "list", "data-testid": "filters" });
  const below = h("div", {});
  const { saved } = texts();
  const save = h("button", { type: "button", class: "link-button", "data-testid": "filter-save", onclick: () => open(saving()) }, saved.save);
  const edit = h("button", { type: "button", class: "link-button", "data-testid": "filter-edit", "aria-expanded": "false",
    onclick: () => (edit.getAttribute("aria-expanded") === "true" ? close(edit) : open(editing())) }, saved.edit);

  const update = () => {
    list.replaceChildren(...chips(subject, shown()));
    edit.hidden = savedFilters(subject).length === 0;
  };
  /** @param {HTMLElement} part */
  const open = (part) => {
    said.textContent = "";
    below.replaceChildren(part);
    save.hidden = part.tagName === "FORM";
    edit.setAttribute("aria-expanded", String(part.tagName !== "FORM"));
    edit.textContent = part.tagName === "FORM" ? saved.edit : saved.done;
    const input = part.querySelector("input");
    input?.focus();
    if (part.tagName === "FORM") input?.select();
  };
  /** @param {HTMLElement} next what has the focus then */
  const close = (next) => {
    below.replaceChildren();
    save.hidden = false;
    edit.setAttribute("aria-expanded", "false");
    edit.textContent = saved.edit;
    update();
    (next.hidden ? save : next).focus();
  };
  const saving = () => nameForm(shown().describe(), () => close(save), (text) => {
    const outcome = saveFilter(subject, text, shown().path.split("?")[1] ?? "");
    if (outcome === "kept" || outcome === "unkept") close(save);
    said.textContent = sentence(outcome, saved.kept(nameOf(text)), text);
  });
  const editing = () => editor(subject, (outcome, done, text) => {
    update();
    if (savedFilters(subject).length === 0) close(save);
    else if (document.activeElement === document.body) open(editing());
    said.textContent = sentence(outcome, done, text);
  });
  addEventListener("storage", ({ key }) => key === keyOf(subject) && update(), { signal });
  update();
  const node = h("section", { class: "saved", "aria-label": saved.label }, list, h("div", { class: "saved-ways" }, save, edit), below, said);
  return { node, update };
}

/**
 * @param {string} subject
 * @param {Shown} shown
 */
function chips(subject, { path, apply }) {
  const { builtIn } = texts().saved;
  const all = [
    ...BUILT_IN.map(([key, query]) => ({ name: builtIn[key], query, isOwn: false })),
    ...savedFilters(subject).map((filter) => ({ ...filter, isOwn: true })),
  ];
  return all.map(({ name, query, isOwn }) => {
    const href = pathOf(query);
    return h("li", {}, h("a", { class: isOwn ? "named-filter own" : "named-filter", href, "aria-current": href === path ? "true" : undefined,
      onclick: (/** @type {MouseEvent} */ event) => {
        if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
        event.preventDefault();
        apply(href);
      } }, name));
  });
}

/**
 * @param {string} suggestion
 * @param {() => void} cancel
 * @param {(text: string) => void} keep
 */
function nameForm(suggestion, cancel, keep) {
  const { saved } = texts();
  const input = h("input", { id: "filter-name", value: suggestion.slice(0, LONGEST_NAME), maxlength: LONGEST_NAME, autocomplete: "off" });
  return h("form", { class: "name-form",
    onkeydown: (/** @type {KeyboardEvent} */ event) => event.key === "Escape" && cancel(),
    onsubmit: (/** @type {Event} */ event) => {
      event.preventDefault();
      keep(input.value);
    } },
  h("label", { for: "filter-name" }, saved.name), input,
  h("button", { class: "button", type: "submit" }, saved.keep),
  h("button", { class: "button button-quiet", type: "button", onclick: cancel }, saved.cancel));
}

/**
 * @param {string} subject
 * @param {(outcome: Outcome, done: string, text: string) => void} tell
 */
function editor(subject, tell) {
  const { saved } = texts();
  return h("ul", { class: "named-edit", role: "list" }, savedFilters(subject).map(({ name }) => {
    let present = name;
    const row = h("li", {}, h("input", { value: name, maxlength: LONGEST_NAME, "aria-label": saved.rename(name), autocomplete: "off",
      onchange: (/** @type {any} */ { target }) => {
        const outcome = renameFilter(subject, present, target.value);
        if (outcome === "kept" || outcome === "unkept") present = nameOf(target.value);
        const text = target.value;
        target.value = present;
        tell(outcome, saved.renamed(present), text);
      } }),
    h("button", { type: "button", class: "chip-close", "aria-label": saved.remove(name), title: saved.remove(name),
      onclick: () => {
        const outcome = removeFilter(subject, present);
        const next = (row.nextElementSibling ?? row.previousElementSibling)?.querySelector("button");
        row.remove();
        next?.focus();
        tell(outcome, saved.removed(present), present);
      } }, icon("close")));
    return row;
  }));
}

/**
 * @param {Outcome} outcome
 * @param {string} done
 * @param {string} text what the person typed
 */
function sentence(outcome, done, text) {
  const { saved } = texts();
  if (outcome === "unkept") return saved.unkept;
  if (outcome === "taken") return saved.taken(nameOf(text));
  if (outcome === "full") return saved.full(MOST_FILTERS);
  return outcome === "unnamed" ? saved.unnamed : done;
}
