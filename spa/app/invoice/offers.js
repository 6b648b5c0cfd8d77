// @ts-check
/** Drafts that were begun earlier, offered above a new one. */

import { h } from "../dom.js";
import { isoDay, today } from "../format.js";
import { t } from "../preferences.js";
import { recipientName, totalsOfDraft } from "./draft.js";
import { clock, euros } from "./form.js";

/** @typedef {import("./form.js").Texts} Texts */
/** @typedef {import("./keeping.js").Kept} Kept */

/**
 * @param {Texts} s
 * @param {{kept: Kept, isOpen: boolean}[]} drafts
 * @param {(kept: Kept) => void} goOn
 * @param {(kept: Kept) => void} discard
 */
export function offersPanel(s, drafts, goOn, discard) {
  return h("section", { class: "panel offers", "aria-labelledby": "offers-heading", "data-testid": "offers" },
    h("h2", { id: "offers-heading" }, s.offers.heading),
    h("ul", { role: "list" }, drafts.map(({ kept, isOpen }) => {
      const id = `offer-${kept.id}`;
      return h("li", {}, h("span", { id }, h("strong", {}, when(s, kept.at)), ": ", about(s, kept)),
        isOpen ? h("span", { class: "quiet" }, s.offers.elsewhere) : h("span", { class: "actions" },
          h("button", { type: "button", class: "button", "aria-describedby": id, "data-testid": "offer-go-on",
            onclick: () => goOn(kept) }, s.offers.goOn),
          h("button", { type: "button", class: "button button-quiet", "aria-describedby": id, "data-testid": "offer-discard",
            onclick: () => discard(kept) }, s.offers.discard)));
    })));
}

/**
 * @param {Texts} s
 * @param {number} at
 */
function when(s, at) {
  const iso = new Date(at).toISOString();
  if (isoDay(iso) === today()) return s.offers.today(clock(at));
  return s.offers.other(new Intl.DateTimeFormat(t.locale, { day: "2-digit", month: "2-digit" }).format(at), clock(at));
}

/**
 * @param {Texts} s
 * @param {Kept} kept
 */
function about(s, { draft, sending }) {
  const parts = [recipientName(draft) || s.offers.nobody, euros(totalsOfDraft(draft).gross), sending && s.offers.unsure];
  return parts.filter(Boolean).join(", ");
}
