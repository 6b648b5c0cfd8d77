// @ts-check
/** lexoffice's articles, offered while an item's name is typed. It cannot look for words in them, so they are read once. */

import { isAborted } from "../faults.js";
import { money, percent } from "../format.js";
import { readArticles } from "../lexoffice.js";
import { BESIDE } from "../pace.js";
import { PRICE_PLACES } from "./amounts.js";
import { RATES } from "./draft.js";
import { formatDecimal } from "./numbers.js";

/** @typedef {import("../shapes.js").Article} Article */
/** @typedef {import("./draft.js").Item} Item */
/** @typedef {import("./draft.js").Draft} Draft */

const MOST_OFFERED = 8;

/** @type {WeakMap<object, Promise<Article[]>>} by form */
const read = new WeakMap();

/** @param {import("./form.js").Form} form */
export function articleFinder(form) {
  /** @type {Map<string, Article>} */
  const known = new Map();
  return {
    /** @param {string} text @returns {Promise<import("./combobox.js").Choice[]>} */
    find: async (text) => {
      const wanted = folded(text);
      const fitting = (await articles(form)).filter(({ title, articleNumber, archived }) =>
        !archived && folded(`${title} ${articleNumber ?? ""}`).includes(wanted)).slice(0, MOST_OFFERED);
      return fitting.map((article) => {
        known.set(article.id, article);
        const { netPrice, grossPrice, taxRate } = article.price;
        const price = form.draft.taxType === "gross" ? grossPrice : netPrice;
        return { id: article.id, label: article.title,
          detail: [`${money(price)}${article.unitName ? ` / ${article.unitName}` : ""}`,
            form.draft.taxType !== "vatfree" && percent(taxRate)].filter(Boolean).join(" · ") };
      });
    },
    /** @param {string} id @param {Item} item @param {Draft} draft */
    fill: (id, item, draft) => {
      const article = known.get(id);
      if (article) Object.assign(item, fieldsOf(article, draft));
    },
  };
}

/** @param {import("./form.js").Form} form */
function articles(form) {
  const known = read.get(form) ?? readArticles({ signal: form.signal, urgency: BESIDE }).then(({ content }) => content, (error) => {
    if (isAborted(error)) throw error;
    return []; // whoever may not read them types
  });
  read.set(form, known);
  return known;
}

/**
 * @param {Article} article
 * @param {Draft} draft
 * @returns {Partial<Item>}
 */
function fieldsOf({ id, title, description, type, unitName, price }, { taxType, language }) {
  const amount = taxType === "gross" ? price.grossPrice : price.netPrice;
  const rate = String(price.taxRate);
  return {
    kind: type === "SERVICE" ? "service" : "material", articleId: id, name: title, description: description ?? "",
    unit: unitName ?? "", price: formatDecimal(BigInt(Math.round(amount * 100)), language, PRICE_PLACES),
    ...(RATES.includes(rate) ? { rate } : {}),
  };
}

/** @param {string} text without case and accents */
const folded = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
