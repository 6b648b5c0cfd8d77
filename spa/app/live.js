// @ts-check
/** What changed at lexoffice: old answers are forgotten, and the view that shows them asks again. */

import { events } from "/auth/client.js";
import { isAborted, isSessionEnd } from "./faults.js";
import { forget, forgetContact, forgetVoucher } from "./lexoffice.js";
import { isAway, onBack } from "./presence.js";

/** @typedef {{id: string, kind: "voucher" | "contact" | "other"}} Change */

const TOGETHER_MS = 40; // one action at lexoffice raises several events
const APART_MS = 500; // what many changes in a row may take of lexoffice's two calls a second
const AGAIN_MS = 10_000;

const RESOURCES = new Map(Object.entries({
  "credit-note": "credit-notes",
  "delivery-note": "delivery-notes",
  "down-payment-invoice": "down-payment-invoices",
  invoice: "invoices",
  "order-confirmation": "order-confirmations",
  quotation: "quotations",
  voucher: "vouchers",
}));

/** @type {Set<(change: Change | undefined) => void>} */
const followers = new Set();

/** Begins to listen; while the stream is down, what is shown grows old as it would without it. */
export function listen() {
  events({
    changed: ({ type, resourceId }) => tell(noted(type, resourceId)),
    missed: () => {
      forget();
      tell(undefined);
    },
  });
}

/** @param {Change | undefined} change */
function tell(change) {
  for (const follower of [...followers]) follower(change);
}

/**
 * @param {string} type as invoice.status.changed
 * @param {string} id
 * @returns {Change}
 */
function noted(type, id) {
  const [name = ""] = type.split(".", 1);
  const resource = RESOURCES.get(name);
  if (resource || name === "payment") {
    forgetVoucher(id);
    return { id, kind: "voucher" };
  }
  if (name !== "contact") return { id, kind: "other" };
  forgetContact(id);
  return { id, kind: "contact" };
}

/**
 * Calls `refresh` after changes that concern a view, one at a time, with the ids of what changed, as long as it is shown.
 * @param {AbortSignal} signal of the visit
 * @param {(change: Change) => boolean} isConcerned
 * @param {(changed: ReadonlySet<string>) => Promise<void>} refresh
 */
export function follow(signal, isConcerned, refresh) {
  /** @type {Set<string>} */
  let changed = new Set();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let isRunning = false;
  let isDue = false;
  let ended = -Infinity;

  const run = async () => {
    timer = undefined;
    if (signal.aborted || isAway()) return; // asked when somebody looks again
    const mine = changed;
    changed = new Set();
    isRunning = true;
    isDue = false;
    try {
      await refresh(mine);
    } catch (error) {
      if (isAborted(error) || isSessionEnd(error)) return;
      for (const id of mine) changed.add(id);
      setTimeout(() => follower(undefined), AGAIN_MS); // what is shown stays until there is better
    } finally {
      isRunning = false;
      ended = performance.now();
      if (isDue) schedule();
    }
  };
  const schedule = () => {
    timer ??= setTimeout(run, Math.max(TOGETHER_MS, ended + APART_MS - performance.now()));
  };
  /** @param {Change | undefined} change */
  const follower = (change) => {
    if (change && !isConcerned(change)) return;
    if (change) changed.add(change.id);
    isDue = true;
    if (!isRunning) schedule();
  };
  followers.add(follower);
  onBack(() => isDue && !isRunning && schedule(), signal);
  signal.addEventListener("abort", () => {
    followers.delete(follower);
    clearTimeout(timer);
  });
}
