// @ts-check
/** Shows the view of the address as soon as its module is there; until then, what was there stays. */

import { h, icon } from "./dom.js";
import { explain } from "./faults.js";
import { LoadError } from "./late.js";
import { announce, heading, retryWhenOnline } from "./parts.js";
import { t } from "./preferences.js";
import { keepScroll, routeOf } from "./router.js";
import { showTitle } from "./title.js";

/** @typedef {import("./router.js").Visit} Visit */
/** @typedef {import("./parts.js").View} View */
/** @typedef {{shell: import("./shell.js").Shell, session: import("/auth/client.js").ActiveSession}} Stage */

const LATE_MS = 300;
const SCROLLED_MS = 100;
const TOLERANCE_PX = 2;

let latest = 0;
let shown = new AbortController();
let failures = 0;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let scrolled;

history.scrollRestoration = "manual"; // the browser would restore it before the view is there
addEventListener("scroll", () => {
  clearTimeout(scrolled);
  scrolled = setTimeout(keepScroll, SCROLLED_MS);
}, { passive: true });

/** Ends what the view on the screen does, and whatever is on its way. */
export function leave() {
  latest += 1;
  shown.abort();
}

/**
 * @param {Stage} stage
 * @param {boolean} moveFocus to the new heading, unless the page has just been opened
 */
export async function visit(stage, moveFocus) {
  const mine = (latest += 1);
  const top = history.state?.scroll ?? 0;
  const { section, load, path } = routeOf(location.pathname);
  const late = setTimeout(() => {
    stage.shell.showProgress(true);
    announce(t.loading);
  }, LATE_MS);
  const viewOf = await load().catch((error) => error);
  clearTimeout(late);
  if (mine !== latest) return;
  shown.abort();
  shown = new AbortController();
  const { signal } = shown;
  const query = new URLSearchParams(location.search);
  const { title, node } = made(viewOf, { path, query, signal, session: stage.session }, () => visit(stage, true));
  stage.shell.showProgress(false);
  stage.shell.main.replaceChildren(node);
  stage.shell.showSection(section);
  showTitle(title);
  scrollWhenThere(top, signal);
  if (moveFocus) node.querySelector("h1")?.focus({ preventScroll: true });
}

/**
 * @param {import("./router.js").ViewOf | Error} viewOf or why there is none
 * @param {Visit} place
 * @param {() => void} again
 * @returns {View}
 */
function made(viewOf, place, again) {
  if (viewOf instanceof Error) return failedView(viewOf, place.signal, again);
  try {
    const view = viewOf(place);
    failures = 0;
    return view;
  } catch (error) {
    reportError(error); // a fault of the app: told to the person, and to whoever mends it
    return failedView(error, place.signal, again);
  }
}

/**
 * @param {unknown} error
 * @param {AbortSignal} signal
 * @param {() => void} again
 * @returns {View}
 */
function failedView(error, signal, again) {
  if (navigator.onLine) failures += 1;
  const isUnfit = error instanceof LoadError && error.cause instanceof SyntaxError;
  if (isUnfit) reportError(error.cause);
  const { title, text } = explain(error);
  // A module that does not fit (it lacks what it is to give), or failed twice with the network there, is from another version
  // than the page, which only a new page mends.
  const isStale = navigator.onLine && (failures > 1 || isUnfit);
  retryWhenOnline(error, signal, again);
  return {
    title,
    node: h("div", { class: "narrow" }, heading(title),
      h("div", { class: "fault", role: "alert", "data-testid": "view-error" }, icon("alert"),
        h("div", {}, h("p", {}, text),
          h("button", { class: "button", type: "button", onclick: () => (isStale ? location.reload() : again()) },
            isStale ? t.faults.reload : t.faults.retry)))),
  };
}

/**
 * Goes to where the reader was, as soon as the page is that long again, unless they move before.
 * @param {number} top
 * @param {AbortSignal} signal of the visit
 */
function scrollWhenThere(top, signal) {
  scrollTo(0, top);
  if (Math.abs(scrollY - top) <= TOLERANCE_PX) return;
  const over = new AbortController();
  const growing = new ResizeObserver(() => {
    scrollTo(0, top);
    if (Math.abs(scrollY - top) <= TOLERANCE_PX) over.abort();
  });
  over.signal.addEventListener("abort", () => growing.disconnect());
  for (const moved of ["wheel", "touchstart", "pointerdown", "keydown"]) {
    addEventListener(moved, () => over.abort(), { passive: true, signal: over.signal });
  }
  signal.addEventListener("abort", () => over.abort(), { signal: over.signal });
  growing.observe(document.body);
}
