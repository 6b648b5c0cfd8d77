// @ts-check
/** New invoice. */

import * as texts from "../../i18n/invoice-form.js";
import { h } from "../dom.js";
import { heading } from "../parts.js";
import { inLanguage } from "../preferences.js";

/**
 * @param {import("../router.js").Visit} visit
 * @returns {import("../parts.js").View}
 */
export function invoiceFormView({ signal }) {
  const s = inLanguage(texts);
  return { title: s.title, node: h("div", { hidden: signal.aborted }, heading(s.title)) };
}
