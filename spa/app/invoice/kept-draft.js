// @ts-check
/** The draft on the screen: kept with every change, found again, and let go of when it is sent or left. */

import { h } from "../dom.js";
import { today } from "../format.js";
import { announce } from "../parts.js";
import { language } from "../preferences.js";
import { newDraft, translated } from "./draft.js";
import { clock } from "./form.js";
import { Keeper, discardDraft, draftHere, keptDrafts } from "./keeping.js";

/** @typedef {import("./draft.js").Draft} Draft */
/** @typedef {import("./keeping.js").Kept} Kept */
/** @typedef {import("./keeping.js").Sending} Sending */

const PATH = "/invoices/new";
const KEEP_MS = 400;

export class KeptDraft {
  draft = newDraft(today(), language);
  /** @type {Sending | undefined} what became of it when it was sent is not known, as long as this stands */
  sending;
  /** Whether it is being sent: then it stays with this tab, wherever the person goes. */
  isHeld = false;
  /** Whether anybody has changed anything. */
  isTouched = false;
  offers = h("div", {});
  /** @type {Keeper} */
  #keeper;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #isDirty = false;
  #isGone = false;

  /**
   * @param {import("./form.js").Texts} s
   * @param {import("../router.js").Visit} visit
   * @param {HTMLElement} saved where it is told that the draft is kept
   * @param {(isNew: boolean) => void} show called when there is a draft, and when another one takes its place
   */
  constructor(s, { signal, session }, saved, show) {
    this.s = s;
    this.signal = signal;
    this.subject = [session.subject, session.claims.organization_id].join(" "); // of each organization the drafts are others
    this.saved = saved;
    this.show = show;
    this.#keeper = new Keeper(this.subject);
    this.#watch();
  }

  /** Goes on with the draft that this tab had before it was reloaded or left to sign in, or begins a new one. */
  async start() {
    const here = draftHere();
    const drafts = await keptDrafts(this.subject);
    const mine = drafts.find(({ kept }) => kept.id === here);
    if (mine) this.#keeper = new Keeper(this.subject, mine.kept.id);
    let kept = await this.#keeper.open();
    if (kept === "elsewhere") {
      this.#keeper = new Keeper(this.subject);
      kept = await this.#keeper.open();
    }
    if (this.signal.aborted) return this.close();
    await this.#offer(drafts).catch(() => {});
    if (this.signal.aborted) return this.close();
    return this.#opened(kept === "elsewhere" ? undefined : kept);
  }

  changed() {
    this.#isDirty = this.isTouched = true;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.keep(), KEEP_MS);
  }

  /** @param {boolean} [isLast] nobody types any more */
  keep(isLast = this.signal.aborted) {
    clearTimeout(this.#timer);
    if (!this.#isDirty || this.#isGone) return;
    this.#isDirty = false;
    this.#keeper.keep(this.draft, this.sending, isLast);
    this.#tell(Date.now());
  }

  /** @param {Sending | undefined} sending whoever opens this draft later is to know of it */
  mark(sending) {
    this.sending = sending;
    this.#isDirty = true;
    this.keep();
  }

  /** It is an invoice now. */
  discard() {
    this.#isGone = true;
    clearTimeout(this.#timer);
    this.#keeper.discard();
    this.#keeper.close(false);
  }

  /** Away with it, for a new one. */
  async restart() {
    clearTimeout(this.#timer);
    this.#isDirty = this.isTouched = false;
    this.#keeper.discard();
    this.#keeper.close(true);
    this.#keeper = new Keeper(this.subject);
    await this.#keeper.open();
    this.draft = newDraft(today(), language);
    this.saved.textContent = "";
    this.#opened(undefined);
    announce(this.s.offers.discarded);
    this.focus();
  }

  close() {
    this.#keeper.close(location.pathname === PATH);
  }

  /** @param {Kept | undefined} kept undefined: a new one */
  #opened(kept) {
    if (kept) {
      this.draft = translated(kept.draft, language);
      this.#tell(kept.at);
    }
    this.sending = kept?.sending;
    this.show(!kept);
  }

  #watch() {
    const { signal } = this;
    addEventListener("pagehide", () => this.keep(true), { signal });
    document.addEventListener("visibilitychange", () => this.keep(true), { signal });
    addEventListener("beforeunload", (event) => {
      if (this.isTouched && !this.#isGone && this.#keeper.state !== "kept") event.preventDefault();
    }, { signal });
    signal.addEventListener("abort", () => {
      this.keep(true);
      if (!this.isHeld) this.close();
    });
  }

  /** @param {number} at */
  #tell(at) {
    const { state } = this.#keeper;
    const { s } = this;
    this.saved.textContent = state === "kept" ? s.saved(clock(at)) : state === "full" ? s.storageFull : s.keepsNothing;
    this.saved.classList.toggle("not-kept", state !== "kept");
  }

  /** @param {{kept: Kept, isOpen: boolean}[]} drafts */
  async #offer(drafts) {
    const others = drafts.filter(({ kept }) => kept.id !== this.#keeper.id);
    if (others.length === 0) return this.offers.replaceChildren();
    const { offersPanel } = await import("./offers.js");
    const panel = offersPanel(this.s, others, (kept) => this.#goOn(kept), (kept) => {
      discardDraft(this.subject, kept.id);
      announce(this.s.offers.discarded);
      this.#offer(others.filter((other) => other.kept !== kept));
      this.focus();
    });
    return this.offers.replaceChildren(panel);
  }

  /** @param {Kept} kept */
  async #goOn({ id }) {
    if (this.isHeld) return;
    this.keep();
    this.close();
    this.#keeper = new Keeper(this.subject, id);
    const opened = await this.#keeper.open();
    if (opened === "elsewhere") {
      this.#keeper = new Keeper(this.subject);
      await this.#keeper.open();
    } else if (opened) {
      this.#opened(opened);
      announce(this.s.offers.goesOn);
    }
    await this.#offer(await keptDrafts(this.subject));
    this.focus();
  }

  focus() {
    document.getElementById(this.draft.recipient === "contact" ? "contact" : "address-name")?.focus();
  }
}
