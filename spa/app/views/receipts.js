// @ts-check
/** Receipts. */

import * as texts from "../../i18n/receipts.js";
import { h } from "../dom.js";
import { heading } from "../parts.js";
import { inLanguage } from "../preferences.js";

/**
 * @param {import("../router.js").Visit} visit
 * @returns {import("../parts.js").View}
 */
export function receiptsView({ signal }) {
  const s = inLanguage(texts);
  return { title: s.title, node: h("div", { hidden: signal.aborted }, heading(s.title)) };
}
