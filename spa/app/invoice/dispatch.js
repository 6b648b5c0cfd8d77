// @ts-check
/** From the button to the answer: checked, asked about, sent once, and what came of it told. Loaded beside the form. */

import { confirmed } from "../confirm.js";
import { isSessionEnd } from "../faults.js";
import { day } from "../format.js";
import { LexofficeError, forget } from "../lexoffice.js";
import { noteOwn } from "../names.js";
import { showMessage } from "../notices.js";
import { go } from "../router.js";
import { wireDay } from "./days.js";
import { doubtPanel } from "./doubt.js";
import { recipientName, totalsOfDraft } from "./draft.js";
import { showProblems } from "./fields.js";
import { euros } from "./form.js";
import { orderOf } from "./order.js";
import { resumeInvoice, sendInvoice } from "./sending.js";
import { fault, focusField, problemList, refusalTold } from "./told.js";

/** @typedef {import("./sending.js").Outcome} Outcome */
/** @typedef {{field: string, text: string}} Told */

const GATEWAY_TIMEOUT = 504;

export class Dispatch {
  /** @param {import("./desk.js").Desk} desk */
  constructor(desk) {
    this.desk = desk;
    this.kept = desk.kept;
    this.s = desk.s;
  }

  /**
   * @param {boolean} isFinal
   * @param {Told[]} problems
   */
  async submit(isFinal, problems) {
    const { kept, s, desk: { signal } } = this;
    const [first] = problems;
    if (first) return this.#unsent(problemList(s, problems), first.field);
    if (!navigator.onLine) return this.#unsent(fault(s.send.offline[0] ?? "", s.send.offline.slice(1)));
    this.desk.told.replaceChildren();
    const isWanted = !isFinal || (await confirmed(this.#question()));
    if (!isWanted || signal.aborted) return this.desk.letGo();
    kept.mark({ at: Date.now(), isFinal });
    return this.#send(() => sendInvoice(orderOf(kept.draft), isFinal), isFinal, s.send.sending);
  }

  /** @param {Told[]} problems what is left of those that are told above the form */
  tellProblems(problems) {
    const { told } = this.desk;
    if (!told.querySelector("[data-testid=problems]")) return;
    told.replaceChildren(...(problems.length > 0 ? [problemList(this.s, problems)] : []));
  }

  /** @param {Promise<Response> | undefined} resumed the call that this tab kept when it left to sign in; else its end is unknown */
  goOn(resumed) {
    const { sending, draft } = this.kept;
    if (!resumed) return this.#doubt();
    const isFinal = sending?.isFinal ?? false;
    return this.#send(() => resumeInvoice(resumed, sending && orderOf(draft), isFinal), isFinal, this.s.send.resumed);
  }

  async restart() {
    const { title, text, yes } = this.s.restart;
    const isWanted = await confirmed({ title, text, yes });
    this.desk.letGo();
    if (isWanted && !this.desk.signal.aborted) await this.kept.restart();
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
    const { desk } = this;
    desk.hold();
    desk.said.textContent = text;
    const outcome = await send();
    desk.said.textContent = "";
    forget(); // the lists have one more, perhaps
    if (outcome.kind === "made") return this.#made(outcome.id, isFinal ? this.s.send.finalMade : this.s.send.draftMade);
    if (desk.signal.aborted) this.#tellElsewhere(outcome);
    else if (outcome.kind === "doubt") this.#doubt(outcome.error instanceof LexofficeError && outcome.error.status !== GATEWAY_TIMEOUT);
    else await this.#refused(outcome.error);
    return undefined;
  }

  /**
   * @param {string | undefined} id undefined if it was lost on the way
   * @param {string} text
   */
  #made(id, text) {
    this.kept.discard();
    if (id) noteOwn(id);
    if (!this.desk.signal.aborted) go(id ? `/vouchers/invoice/${encodeURIComponent(id)}` : "/vouchers?type=invoice");
    showMessage(text);
  }

  /** @param {Outcome} outcome after the person has gone to another page */
  #tellElsewhere({ kind }) {
    if (kind === "refused") this.kept.mark(undefined);
    this.kept.close();
    showMessage(kind === "doubt" ? this.s.send.leftDoubt : this.s.send.leftRefused);
  }

  /** @param {unknown} error */
  async #refused(error) {
    const { desk, kept } = this;
    // If it was given up because the page is left, this never comes: the next page has the call, and is to know of it.
    if (isSessionEnd(error)) await new Promise((resolve) => setTimeout(resolve));
    desk.letGo();
    if (kept.sending) kept.mark(undefined);
    if (isSessionEnd(error)) return;
    const { panel, placed } = refusalTold(this.s, error, kept.draft, desk.parts);
    showProblems(desk.parts, new Map(placed.map(({ field, text }) => [field, text])));
    this.#tell(panel, placed[0]?.field);
  }

  /** @param {boolean} [isError] whether lexoffice did answer, with an error that leaves it open */
  #doubt(isError = false) {
    const { desk, kept } = this;
    const { draft } = kept;
    desk.hold();
    const invoice = { voucherDate: draft.voucherDate, total: totalsOfDraft(draft).gross, isError };
    this.#tell(doubtPanel(this.s, invoice, desk.signal, (wasMade) => {
      if (wasMade) return this.#made(undefined, this.s.doubt.settled);
      kept.mark(undefined);
      desk.letGo();
      desk.told.replaceChildren();
      desk.said.textContent = this.s.doubt.goneOn;
      return kept.focus();
    }));
  }

  /**
   * @param {HTMLElement} panel
   * @param {string} [field]
   */
  #unsent(panel, field) {
    this.desk.letGo();
    this.#tell(panel, field);
  }

  /**
   * @param {HTMLElement} panel
   * @param {string} [field] where the first problem is
   */
  #tell(panel, field) {
    this.desk.told.replaceChildren(panel);
    if (field) return focusField(field);
    panel.scrollIntoView({ block: "nearest" });
    return panel.focus({ preventScroll: true });
  }
}
