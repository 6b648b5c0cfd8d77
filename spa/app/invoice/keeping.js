// @ts-check
/**
 * Keeps drafts in this browser, each person's apart. A draft belongs to the tab that writes it: that tab holds a lock, and its
 * mark stands in the record; whoever finds another's mark there does not write over it, but goes on under a new name.
 */

/** @typedef {import("./draft.js").Draft} Draft */
/** @typedef {{at: number, isFinal: boolean}} Sending it was begun to be sent: the outcome is unknown as long as this stands */
/** @typedef {{id: string, at: number, writer: string, draft: Draft, sending?: Sending}} Kept `at` and the like in milliseconds */
/** @typedef {"kept" | "off" | "full"} State `off`: this browser keeps nothing */

const PREFIX = "lexgate.invoice-draft.";
const HERE = "lexgate.invoice-draft-here";
const VERSION = 1;
const LONGEST_MS = 30 * 86_400_000;
const LOCK_PATIENCE_MS = 1500;

/** @param {string} subject */
const prefixOf = (subject) => `${PREFIX}${encodeURIComponent(subject)}.`;

/** @param {string} id */
const lockName = (id) => PREFIX + id;

/** Whether somebody has signed out here, after which nothing is kept until somebody comes to the form again. */
let isClosed = false;

/** The drafts of all people who used this browser, gone for good. */
export function forgetAllDrafts() {
  isClosed = true;
  for (const key of storedKeys()) if (key.startsWith(PREFIX)) attempt(() => localStorage.removeItem(key));
  attempt(() => sessionStorage.removeItem(HERE));
}

/**
 * @param {string} subject
 * @returns {Promise<{kept: Kept, isOpen: boolean}[]>} the newest first; `isOpen`: another tab is writing it
 */
export async function keptDrafts(subject) {
  isClosed = false;
  const found = storedKeys().filter((key) => key.startsWith(prefixOf(subject))).flatMap((key) => readKept(key) ?? []);
  const held = await heldLocks();
  return found.sort((a, b) => b.at - a.at).map((kept) => ({ kept, isOpen: held.has(lockName(kept.id)) }));
}

/**
 * @param {string} subject
 * @param {string} id
 */
export function discardDraft(subject, id) {
  attempt(() => localStorage.removeItem(prefixOf(subject) + id));
}

/** @returns {string | undefined} the draft that this tab had when it was reloaded, or left to sign in */
export const draftHere = () => attempt(() => sessionStorage.getItem(HERE)) ?? undefined;

/** @returns {string[]} */
const storedKeys = () => attempt(() => Object.keys(localStorage)) ?? [];

/** @param {string} key @returns {Kept | undefined} */
function readKept(key) {
  const text = attempt(() => localStorage.getItem(key));
  const kept = text ? attempt(() => JSON.parse(text)) : undefined;
  const isWhole = kept?.version === VERSION && typeof kept.at === "number" && Array.isArray(kept.draft?.items);
  if (isWhole && Date.now() - kept.at < LONGEST_MS) return kept;
  if (text) attempt(() => localStorage.removeItem(key)); // too old, or of another version of this app
  return undefined;
}

/** @returns {Promise<Set<string | undefined>>} */
async function heldLocks() {
  const { held = [] } = (await navigator.locks?.query().catch(() => undefined)) ?? {};
  return new Set(held.map(({ name }) => name));
}

/**
 * One draft of one tab, from its first letter until it is sent or left.
 */
export class Keeper {
  /** @type {State} */
  state = "kept";
  /** Whether it stands in storage, as far as this tab knows. */
  #isThere = false;
  #writer = crypto.randomUUID();
  #release = () => {};

  /**
   * @param {string} subject
   * @param {string} [id]
   */
  constructor(subject, id = crypto.randomUUID()) {
    this.subject = subject;
    this.id = id;
  }

  /** @returns {Promise<Kept | undefined | "elsewhere">} what is there to go on with, unless another tab has it */
  async open() {
    if (!(await this.#lock())) return "elsewhere";
    const kept = readKept(this.#key);
    this.#isThere = kept !== undefined;
    if (kept) this.#put({ ...kept, writer: this.#writer });
    attempt(() => sessionStorage.setItem(HERE, this.id));
    return kept;
  }

  /**
   * @param {Draft} draft
   * @param {Sending} [sending]
   * @param {boolean} [isLast] nobody types any more: what somebody took away is not put there again
   */
  keep(draft, sending, isLast = false) {
    const there = readKept(this.#key);
    if (isLast && this.#isThere && !there) return;
    if (there && there.writer !== this.#writer) this.#moveOn();
    this.#put({ id: this.id, at: Date.now(), writer: this.#writer, draft, ...(sending ? { sending } : {}) });
  }

  /** Away with it: it was sent, or nobody wants it. */
  discard() {
    if (readKept(this.#key)?.writer === this.#writer) attempt(() => localStorage.removeItem(this.#key));
    this.#isThere = false;
  }

  /** @param {boolean} isStaying whether this tab goes on with it after a reload */
  close(isStaying) {
    if (!isStaying) attempt(() => sessionStorage.removeItem(HERE));
    this.#release();
  }

  get #key() {
    return prefixOf(this.subject) + this.id;
  }

  /** @param {Kept} kept */
  #put(kept) {
    if (isClosed) return;
    try {
      localStorage.setItem(this.#key, JSON.stringify({ version: VERSION, ...kept }));
      this.#isThere = true;
      this.state = "kept";
    } catch (error) {
      this.state = error instanceof DOMException && error.name === "QuotaExceededError" ? "full" : "off";
    }
  }

  /** Another tab has gone on with this draft, though it could not be told: each keeps its own from here on. */
  #moveOn() {
    this.id = crypto.randomUUID();
    attempt(() => sessionStorage.setItem(HERE, this.id));
    this.#release();
    this.#lock();
  }

  /** @returns {Promise<boolean>} */
  async #lock() {
    if (!navigator.locks) return true;
    return new Promise((answer) => {
      const held = () => {
        answer(true);
        return new Promise((resolve) => (this.#release = () => resolve(undefined)));
      };
      // A page that was left a moment ago may still be letting go of it.
      const signal = AbortSignal.timeout(LOCK_PATIENCE_MS);
      navigator.locks.request(lockName(this.id), { signal }, held).catch(() => answer(false));
    });
  }
}

/**
 * @template T
 * @param {() => T} work with a storage that may be switched off
 * @returns {T | undefined}
 */
function attempt(work) {
  try {
    return work();
  } catch {
    return undefined;
  }
}
