// @ts-check
/** Where an invoice is written: checked, asked about, and sent once. */

import { confirmed } from "../confirm.js";
import { h } from "../dom.js";
import { isSessionEnd } from "../faults.js";
import { day } from "../format.js";
import { forget, readPaymentConditions, readProfile } from "../lexoffice.js";
import { noteOwn } from "../names.js";
import { showMessage } from "../notices.js";
import { go } from "../router.js";
import { wireDay } from "./days.js";
import { doubtPanel } from "./doubt.js";
import { recipientName, totalsOfDraft } from "./draft.js";
import { showProblems } from "./fields.js";
import { buildForm, euros } from "./form.js";
import { KeptDraft } from "./kept-draft.js";
import { orderOf } from "./order.js";
import { resumeInvoice, sendInvoice } from "./sending.js";
import { fault, focusField, problemList, refusalTold } from "./told.js";
import { problemsOf } from "./validation.js";

/** @typedef {import("./sending.js").Outcome} Outcome */

export class Desk {
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
    this.said = h("p", { class: "said", role: "status", "data-testid": "sending" });
    this.node = h("form", { class: "invoice", novalidate: true, onsubmit: (/** @type {Event} */ event) => event.preventDefault(),
      onfocusout: () => this.kept.keep() }, this.kept.offers, this.told, this.parts, this.#buttons());
  }

  /** @param {boolean} isNew */
  #show(isNew) {
    const form = buildForm({ draft: this.kept.draft, s: this.s, signal: this.signal,
      contactId: isNew ? this.contactId : undefined, changed: () => this.#changed() });
    this.parts.replaceChildren(form.node);
    this.told.replaceChildren();
    this.#isChecked = false;
    this.#suggest(form.terms, isNew);
    const { sending, draft } = this.kept;
    const resumed = resumeInvoice(sending && orderOf(draft), sending?.isFinal ?? false);
    if (resumed) this.#send(() => resumed, sending?.isFinal ?? false, this.s.send.resumed);
    else if (sending) this.#doubt();
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
    const button = (/** @type {boolean} */ isFinal) => h("button", { type: "button", "data-testid": isFinal ? "send-final" : "send-draft",
      class: isFinal ? "button" : "button button-quiet", onclick: () => this.#submit(isFinal) }, isFinal ? s.send.final : s.send.draft);
    return h("div", { class: "send" }, h("p", { class: "hint" }, s.send.note),
      h("div", { class: "actions" }, button(false), button(true),
        h("button", { type: "button", class: "button button-quiet restart", "data-testid": "restart", onclick: () => this.#restart() },
          s.restart.button)), this.said);
  }

  async #restart() {
    const { kept, s: { restart } } = this;
    if (kept.isHeld) return;
    kept.isHeld = true; // the question is asked once
    const isWanted = await confirmed({ title: restart.title, text: restart.text, yes: restart.yes });
    kept.isHeld = false;
    if (this.signal.aborted) kept.close();
    else if (isWanted) await kept.restart();
  }

  #changed() {
    this.kept.changed();
    if (!this.#isChecked) return;
    // What is mended is no problem any more, and the list of them goes on being true.
    const problems = this.#check();
    if (this.told.querySelector("[data-testid=problems]")) {
      this.told.replaceChildren(...(problems.length > 0 ? [problemList(this.s, problems)] : []));
    }
  }

  /** @returns {{field: string, text: string}[]} the problems, told beside each field */
  #check() {
    const problems = problemsOf(this.kept.draft).map(({ field, code }) => ({ field, text: this.s.problems[code] }));
    showProblems(this.parts, new Map(problems.map(({ field, text }) => [field, text])));
    return problems;
  }

  /** @param {boolean} isFinal */
  async #submit(isFinal) {
    const { kept, s } = this;
    if (kept.isHeld || this.signal.aborted) return;
    kept.keep();
    this.#isChecked = true;
    const problems = this.#check();
    const [first] = problems;
    if (first) return this.#tell(problemList(s, problems), first.field);
    if (!navigator.onLine) return this.#tell(fault(s.send.offline[0] ?? "", s.send.offline.slice(1)));
    kept.isHeld = true; // whoever clicks twice asks once
    this.told.replaceChildren();
    const isWanted = !isFinal || (await confirmed(this.#question()));
    if (!isWanted || this.signal.aborted) return this.#leave();
    return this.#send(() => sendInvoice(orderOf(kept.draft), isFinal), isFinal, s.send.sending);
  }

  /** Not sent, after all. */
  #leave() {
    this.kept.isHeld = false;
    if (this.signal.aborted) this.kept.close();
  }

  #question() {
    const { title, text, yes } = this.s.confirm;
    const { draft } = this.kept;
    return { title, yes, text: text(recipientName(draft), day(wireDay(draft.voucherDate)), euros(totalsOfDraft(draft).gross)) };
  }

  /**
   * @param {() => Promise<Outcome>} send
   * @param {boolean} isFinal
   * @param {string} text
   */
  async #send(send, isFinal, text) {
    this.#hold(true);
    this.kept.mark({ at: Date.now(), isFinal });
    this.said.textContent = text;
    const outcome = await send();
    this.said.textContent = "";
    forget(); // the lists have one more, perhaps
    if (outcome.kind === "made") return this.#made(outcome.id, isFinal ? this.s.send.finalMade : this.s.send.draftMade);
    if (this.signal.aborted) this.#tellElsewhere(outcome);
    else if (outcome.kind === "doubt") this.#doubt();
    else this.#refused(outcome.error);
    return undefined;
  }

  /** @param {boolean} isHeld while it is sent, or may have been, nothing in it can be changed */
  #hold(isHeld) {
    this.kept.isHeld = this.parts.inert = isHeld;
  }

  /**
   * @param {string | undefined} id undefined if it was lost on the way
   * @param {string} text
   */
  #made(id, text) {
    this.kept.discard();
    if (id) noteOwn(id);
    if (!this.signal.aborted) go(id ? `/vouchers/invoice/${encodeURIComponent(id)}` : "/vouchers?type=invoice");
    showMessage(text);
  }

  /** @param {Outcome} outcome after the person has gone to another page */
  #tellElsewhere({ kind }) {
    if (kind === "refused") this.kept.mark(undefined);
    this.kept.close();
    showMessage(kind === "doubt" ? this.s.send.leftDoubt : this.s.send.leftRefused);
  }

  /** @param {unknown} error */
  #refused(error) {
    this.kept.mark(undefined);
    this.#hold(false);
    if (isSessionEnd(error)) return;
    const { panel, placed } = refusalTold(this.s, error, this.kept.draft, this.parts);
    showProblems(this.parts, new Map(placed.map(({ field, text }) => [field, text])));
    this.#tell(panel, placed[0]?.field);
  }

  #doubt() {
    this.#hold(true);
    const { draft } = this.kept;
    this.#tell(doubtPanel(this.s, { voucherDate: draft.voucherDate, total: totalsOfDraft(draft).gross }, this.signal, (wasMade) => {
      if (wasMade) return this.#made(undefined, this.s.doubt.settled);
      this.kept.mark(undefined);
      this.#hold(false);
      this.told.replaceChildren();
      this.said.textContent = this.s.doubt.goneOn;
      return this.node.querySelector("input")?.focus();
    }));
  }

  /**
   * @param {HTMLElement} panel
   * @param {string} [field] where the first problem is
   */
  #tell(panel, field) {
    this.told.replaceChildren(panel);
    if (field) return focusField(field);
    panel.scrollIntoView({ block: "nearest" });
    return panel.focus({ preventScroll: true });
  }
}
