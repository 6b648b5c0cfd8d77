// @ts-check
/** New invoice: written here, kept in this browser until it is sent, made by lexoffice. */

import { onSessionEnded } from "/auth/client.js";
import * as texts from "../../i18n/invoice-form.js";
import { h } from "../dom.js";
import { Desk } from "../invoice/desk.js";
import { forgetAllDrafts } from "../invoice/keeping.js";
import { backLink, heading } from "../parts.js";
import { inLanguage } from "../preferences.js";

// Whoever signs out leaves nothing behind; whose session ran out finds the draft again.
onSessionEnded(({ reason }) => {
  if (reason.startsWith("signed_out")) forgetAllDrafts();
});

/**
 * @param {import("../router.js").Visit} visit
 * @returns {import("../parts.js").View}
 */
export function invoiceFormView(visit) {
  const s = inLanguage(texts);
  const saved = h("p", { class: "saved", "data-testid": "saved" });
  const desk = new Desk(s, visit, saved);
  desk.kept.start();
  return { title: s.title, node: h("div", {}, backLink("/vouchers", s.back), heading(s.title, saved), desk.node) };
}
