// @ts-check
/** Where an invoice is written: the draft is kept with every change, checked, and sent once. */

import { go } from "../router.js";
import { h } from "../dom.js";
import { isSessionEnd } from "../faults.js";
import { day, today } from "../format.js";
import { forget, readPaymentConditions, readProfile } from "../lexoffice.js";
import { showMessage } from "../notices.js";
import { announce } from "../parts.js";
import { language } from "../preferences.js";
import { wireDay } from "./days.js";
import { confirmFinal } from "./confirm.js";
import { doubtPanel } from "./doubt.js";
import { newDraft, recipientName, totalsOfDraft, translated } from "./draft.js";
import { showProblems } from "./fields.js";
import { buildForm, euros } from "./form.js";
import { Keeper, discardDraft, draftHere, keptDrafts } from "./keeping.js";
import { clock, offersPanel } from "./offers.js";
import { orderOf } from "./order.js";
import { resumeInvoice, sendInvoice } from "./sending.js";
import { fault, focusField, problemList, refusalTold } from "./told.js";
import { problemsOf } from "./validation.js";

/** @typedef {import("./draft.js").Draft} Draft */
/** @typedef {import("./keeping.js").Kept} Kept */
/** @typedef {import("./sending.js").Outcome} Outcome */

const PATH = "/invoices/new";
const KEEP_MS = 400;

export class Desk {
  #draft = newDraft(today(), language);
  /** @type {Keeper} */
  #keeper;
  /** @type {import("./keeping.js").Sending | undefined} */
  #sending;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #isDirty = false;
  #isTouched = false;
  #isBusy = false;
  #isChecked = false;
  #isDone = false;

  /**
   * @param {import("./form.js").Texts} s
   * @param {import("../router.js").Visit} visit
   * @param {HTMLElement} saved where it is told that the draft is kept
   */
  constructor(s, { query, signal, session }, saved) {
    this.s = s;
    this.signal = signal;
    this.subject = session.subject;
    this.contactId = query.get("contact") ?? undefined;
    this.saved = saved;
    this.#keeper = new Keeper(this.subject);
    this.offers = h("div", {});
    this.told = h("div", {});
    this.parts = h("div", {});
    this.said = h("p", { class: "said", role: "status", "data-testid": "sending" });
    this.node = h("form", { class: "invoice", novalidate: true, onsubmit: (/** @type {Event} */ event) => event.preventDefault(),
      onfocusout: () => this.#keep() }, this.offers, this.told, this.parts, this.#buttons());
    this.#watch();
  }

  async start() {
    const here = draftHere();
    const drafts = await keptDrafts(this.subject);
    const mine = drafts.find(({ kept }) => kept.id === here);
    if (mine) this.#keeper = new Keeper(this.subject, mine.kept.id);
    const opened = await this.#keeper.open();
    if (opened === "elsewhere") await (this.#keeper = new Keeper(this.subject)).open();
    if (this.signal.aborted) return this.#keeper.close(location.pathname === PATH);
    const kept = opened === "elsewhere" ? undefined : opened;
    this.#offer(drafts.filter(({ kept: { id } }) => id !== kept?.id));
    return this.#show(kept);
  }

  /** @param {Kept | undefined} kept undefined: a new one */
  #show(kept) {
    if (kept) this.#draft = translated(kept.draft, language);
    this.#sending = kept?.sending;
    const form = buildForm({ draft: this.#draft, s: this.s, signal: this.signal,
      contactId: kept ? undefined : this.contactId, changed: () => this.#changed() });
    this.parts.replaceChildren(form.node);
    if (kept) this.#tellKept(kept.at);
    this.#suggest(form.terms, kept === undefined);
    const order = this.#sending && orderOf(this.#draft);
    const resumed = resumeInvoice(order, this.#sending?.isFinal ?? false);
    if (resumed) this.#send(() => resumed, this.#sending?.isFinal ?? false, this.s.send.resumed);
    else if (this.#sending) this.#doubt();
  }

  /**
   * What the organization is used to, unless somebody was quicker.
   * @param {ReturnType<typeof import("./terms.js").termsPart>} terms
   * @param {boolean} isNew
   */
  async #suggest(terms, isNew) {
    const { signal } = this;
    const [profile, conditions] = await Promise.all([readProfile(signal).catch(() => undefined),
      isNew ? readPaymentConditions({ signal }).catch(() => []) : []]);
    if (signal.aborted) return;
    if (profile?.smallBusiness) terms.setSmallBusiness();
    if (!isNew || this.#isTouched) return;
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
      h("div", { class: "actions" }, button(false), button(true)), this.said);
  }

  #watch() {
    const { signal } = this;
    addEventListener("pagehide", () => this.#keep(true), { signal });
    document.addEventListener("visibilitychange", () => this.#keep(true), { signal });
    addEventListener("beforeunload", (event) => {
      if (this.#isTouched && this.#keeper.state !== "kept") event.preventDefault();
    }, { signal });
    signal.addEventListener("abort", () => {
      this.#keep(true);
      if (!this.#isBusy) this.#keeper.close(location.pathname === PATH);
    });
  }

  #changed() {
    this.#isDirty = this.#isTouched = true;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#keep(), KEEP_MS);
    if (this.#isChecked) this.#check();
  }

  /** @param {boolean} [isLast] */
  #keep(isLast = false) {
    clearTimeout(this.#timer);
    if (!this.#isDirty || this.#isDone) return;
    this.#isDirty = false;
    this.#keeper.keep(this.#draft, this.#sending, isLast);
    this.#tellKept(Date.now());
  }

  /** @param {number} at */
  #tellKept(at) {
    const { state } = this.#keeper;
    const { s } = this;
    this.saved.textContent = state === "kept" ? s.saved(clock(at)) : state === "full" ? s.storageFull : s.keepsNothing;
    this.saved.classList.toggle("not-kept", state !== "kept");
  }

  /** @param {{kept: Kept, isOpen: boolean}[]} drafts */
  #offer(drafts) {
    this.offers.replaceChildren(...[offersPanel(this.s, drafts, (kept) => this.#goOn(kept), (kept) => {
      discardDraft(this.subject, kept.id);
      announce(this.s.offers.discarded);
      this.#offer(drafts.filter((other) => other.kept !== kept));
      this.node.querySelector("input")?.focus();
    })].flatMap((panel) => panel ?? []));
  }

  /** @param {Kept} kept */
  async #goOn({ id }) {
    if (this.#isBusy) return;
    this.#keep();
    this.#keeper.close(true);
    this.#keeper = new Keeper(this.subject, id);
    const opened = await this.#keeper.open();
    if (opened === "elsewhere") this.#keeper = new Keeper(this.subject);
    else if (opened) this.#show(opened);
    const drafts = await keptDrafts(this.subject);
    this.#offer(drafts.filter(({ kept }) => kept.id !== this.#keeper.id));
    announce(this.s.offers.goesOn);
    this.node.querySelector("input")?.focus();
  }

  /** @returns {{field: string, text: string}[]} the problems, told beside each field */
  #check() {
    const problems = problemsOf(this.#draft).map(({ field, code }) => ({ field, text: this.s.problems[code] }));
    showProblems(this.parts, new Map(problems.map(({ field, text }) => [field, text])));
    return problems;
  }

  /** @param {boolean} isFinal */
  async #submit(isFinal) {
    if (this.#isBusy || this.signal.aborted) return;
    this.#keep();
    this.#isChecked = true;
    const problems = this.#check();
    const [first] = problems;
    if (first) return this.#tell(problemList(this.s, problems), first.field);
    if (!navigator.onLine) return this.#tell(fault(this.s.send.offline[0] ?? "", this.s.send.offline.slice(1)));
    this.#isBusy = true; // whoever clicks twice asks once
    this.told.replaceChildren();
    const invoice = { recipient: recipientName(this.#draft), date: day(wireDay(this.#draft.voucherDate)),
      total: euros(totalsOfDraft(this.#draft).gross) };
    if (isFinal && !(await confirmFinal(this.s, invoice, this.signal))) return void (this.#isBusy = false);
    return this.#send(() => sendInvoice(orderOf(this.#draft), isFinal), isFinal, this.s.send.sending);
  }

  /**
   * @param {() => Promise<Outcome>} send
   * @param {boolean} isFinal
   * @param {string} text
   */
  async #send(send, isFinal, text) {
    this.#isBusy = this.parts.inert = true;
    this.#mark({ at: Date.now(), isFinal, total: euros(totalsOfDraft(this.#draft).gross) });
    this.said.textContent = text;
    const outcome = await send();
    this.said.textContent = "";
    forget(); // the lists have one more, perhaps
    if (outcome.kind === "made") return this.#made(outcome.id, isFinal ? this.s.send.finalMade : this.s.send.draftMade);
    if (this.signal.aborted) this.#toldElsewhere(outcome);
    else if (outcome.kind === "doubt") this.#doubt();
    else this.#refused(outcome.error);
    return undefined;
  }

  /** @param {import("./keeping.js").Sending | undefined} sending whoever opens this draft later is to know of it */
  #mark(sending) {
    this.#sending = sending;
    this.#isDirty = true;
    this.#keep();
  }

  /**
   * @param {string | undefined} id undefined if it was lost on the way
   * @param {string} text
   */
  #made(id, text) {
    this.#isDone = true;
    this.#keeper.discard();
    this.#keeper.close(false);
    if (!this.signal.aborted) go(id ? `/vouchers/invoice/${encodeURIComponent(id)}` : "/vouchers?type=invoice");
    showMessage(text);
  }

  /** @param {Outcome} outcome after the person has gone to another page */
  #toldElsewhere({ kind }) {
    if (kind === "refused") this.#mark(undefined);
    this.#keeper.close(location.pathname === PATH);
    showMessage(kind === "doubt" ? this.s.send.leftDoubt : this.s.send.leftRefused);
  }

  /** @param {unknown} error */
  #refused(error) {
    this.#mark(undefined);
    this.#isBusy = this.parts.inert = false;
    if (isSessionEnd(error)) return;
    const { panel, placed } = refusalTold(this.s, error, this.#draft, this.parts);
    showProblems(this.parts, new Map(placed.map(({ field, text }) => [field, text])));
    this.#tell(panel, placed[0]?.field);
  }

  #doubt() {
    this.#isBusy = this.parts.inert = true;
    const total = totalsOfDraft(this.#draft).gross;
    this.#tell(doubtPanel(this.s, { voucherDate: this.#draft.voucherDate, total }, this.signal, (wasMade) => {
      if (wasMade) return this.#made(undefined, this.s.doubt.settled);
      this.#mark(undefined);
      this.#isBusy = this.parts.inert = false;
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
