// @ts-check
/**
 * Whether somebody sits at the page. What it asks of its own accord would keep a session from ending for lack of use, so it
 * asks nothing while nobody is there.
 */

const AWAY_MS = 300_000; // longer than one reads, or writes in another window

let usedAt = performance.now();
/** @type {Set<() => void>} */
const waiting = new Set();

export const isAway = () => document.visibilityState === "hidden" || performance.now() - usedAt > AWAY_MS;

/**
 * @param {() => void} callback whenever somebody comes back, or looks again
 * @param {AbortSignal} signal
 */
export function onBack(callback, signal) {
  waiting.add(callback);
  signal.addEventListener("abort", () => waiting.delete(callback));
}

function used() {
  const wasAway = isAway();
  usedAt = performance.now();
  if (wasAway) back();
}

function back() {
  for (const callback of [...waiting]) callback();
}

for (const type of ["pointermove", "pointerdown", "keydown", "wheel", "focus"]) addEventListener(type, used, { capture: true, passive: true });
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "hidden") return;
  usedAt = performance.now();
  back();
});
