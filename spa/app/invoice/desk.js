// @ts-check
/** Where an invoice is written: the form, its sums, and the buttons that send it. */

import { resume } from "/auth/client.js";
import { h } from "../dom.js";
import { whenIdle } from "../late.js";
import { readPaymentConditions, readProfile } from "../lexoffice.js";
import { showProblems } from "./fields.js";
import { buildForm } from "./form.js";
import { KeptDraft } from "./kept-draft.js";
import { problemsOf } from "./validation.js";

/** @typedef {import("./dispatch.js").Dispatch} Dispatch */

export class Desk {
  /** @type {Dispatch | undefined} */
  #dispatch;
  #isChecked = false;

  /**
   * @param {import("./form.js").Texts} s
   * @param {import("../router.js").Visit} visit
   * @param {HTMLElement} saved where it is told that the draft is kept
   */
  constructor(s, visit, saved) {
    this.s = s;
    this.signal = visit.signal;
    this.contactId = visit.query.get("contact") ?? undefined;
    this.kept = new KeptDraft(s, visit, saved, (isNew) => this.#show(isNew));
    this.told = h("div", {});
    this.parts = h("div", { class: "invoice-parts" });
    this.sums = h("div", { class: "sums-place" });
    this.said = h("p", { class: "said", role: "status", "data-testid": "sending" });
    this.node = h("form", { class: "invoice", novalidate: true, onsubmit: (/** @type {Event} */ event) => event.preventDefault(),
      onfocusout: () => this.kept.keep() },
    this.kept.offers, this.told, this.parts,
    h("section", { class: "panel sums-panel", "aria-label": s.sums.gross }, this.sums, this.#buttons()));
    whenIdle(() => this.#load().catch(() => {})); // it has to be there when nothing can be loaded any more
  }

  /** While it is sent, or may have been, nothing in it can be changed. */
  hold() {
    this.kept.isHeld = this.parts.inert = true;
  }

  letGo() {
    this.kept.isHeld = this.parts.inert = false;
    if (this.signal.aborted) this.kept.close();
  }

  async #load() {
    const module = await import("./dispatch.js");
    return (this.#dispatch ??= new module.Dispatch(this));
  }

  /** @param {boolean} isNew */
  #show(isNew) {
    const form = buildForm({ draft: this.kept.draft, s: this.s, signal: this.signal,
      contactId: isNew ? this.contactId : undefined, changed: () => this.#changed() });
    this.parts.replaceChildren(form.node);
    this.sums.replaceChildren(form.sums);
    this.told.replaceChildren();
    this.#isChecked = false;
    this.#suggest(form.terms, isNew);
    // A call that was refused once more is kept as well, but then it is for the person to send it.
    const resumed = this.kept.sending && resume("invoice");
    resumed?.catch(() => {}); // told as soon as the module is there
    if (!resumed && !this.kept.sending) return;
    this.parts.inert = true;
    this.#work((dispatch) => dispatch.goOn(resumed));
  }

  /**
   * What the organization is used to, unless somebody was quicker.
   * @param {ReturnType<typeof import("./terms.js").termsPart>} terms
   * @param {boolean} isNew
   */
  async #suggest(terms, isNew) {
    const { signal, kept } = this;
    const [profile, conditions] = await Promise.all([readProfile(signal).catch(() => undefined),
      isNew ? readPaymentConditions({ signal }).catch(() => []) : []]);
    if (signal.aborted) return;
    if (profile?.smallBusiness) terms.setSmallBusiness();
    if (!isNew || kept.isTouched) return;
    if (profile?.taxType === "gross" || profile?.taxType === "vatfree") terms.setTaxType(profile.taxType);
    const usual = conditions.find(({ organizationDefault }) => organizationDefault);
    const label = usual?.paymentTermLabelTemplate ?? "";
    if (usual) terms.setTerm(usual.paymentTermDuration, label.includes("{") ? "" : label);
  }

  #buttons() {
    const { s } = this;
    const button = (/** @type {string} */ id, /** @type {string} */ text, /** @type {() => void} */ onclick, className = "button-quiet") =>
      h("button", { type: "button", class: `button ${className}`, "data-testid": id, onclick }, text);
    return h("div", { class: "send" },
      h("div", { class: "actions" },
        button("send-draft", s.send.draft, () => this.#submit(false)),
        button("send-final", s.send.final, () => this.#submit(true), ""),
        button("restart", s.restart.button, () => this.#work((dispatch) => dispatch.restart()), "button-plain")),
      h("p", { class: "hint" }, s.send.note), this.said);
  }

  /** @param {boolean} isFinal */
  #submit(isFinal) {
    this.#work((dispatch) => {
      this.kept.keep();
      this.#isChecked = true;
      return dispatch.submit(isFinal, this.#check());
    });
  }

  /** @param {(dispatch: Dispatch) => unknown} work one at a time: whoever clicks twice asks once */
  async #work(work) {
    if (this.kept.isHeld || this.signal.aborted) return;
    this.kept.isHeld = true;
    try {
      await work(this.#dispatch ?? (await this.#load()));
    } catch (error) {
      this.letGo();
      if (this.#dispatch) throw error;
      this.said.textContent = this.s.send.offline.join(". ");
    }
  }

  #changed() {
    this.kept.changed();
    if (this.#isChecked) this.#dispatch?.tellProblems(this.#check()); // what is mended is no problem any more
  }

  /** @returns {{field: string, text: string}[]} the problems, told beside each field */
  #check() {
    const problems = problemsOf(this.kept.draft).map(({ field, code }) => ({ field, text: this.s.problems[code] }));
    showProblems(this.parts, new Map(problems.map(({ field, text }) => [field, text])));
    return problems;
  }
}
