// @ts-check
/** Says, in a line under the header, that the gateway cannot be reached; and tells those who wait for it that it can again. */

import { NetworkError, onReach, session } from "/auth/client.js";
import { h } from "./dom.js";
import { announce } from "./parts.js";
import { t } from "./preferences.js";

const LATE_MS = 700; // a connection that is back at once is nothing to speak of
/** With the authorization server away the gateway still answers much: that an outage is over, one answer does not say. */
const STEADY_MS = 3000;
const LONGEST_MS = 60_000;
const TICK_MS = 1000;

/** @type {import("/auth/client.js").Reach} */
let reach = { state: "online" };
let next = 0; // when it is tried again
let isTold = false;
/** @type {"offline" | "outage"} what the line says, or is about to */
let fault = "offline";
/** @type {ReturnType<typeof setTimeout> | undefined} of the line's next change */
let telling;
/** @type {ReturnType<typeof setInterval> | undefined} */
let ticking;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let askingAgain;
let pauseMs = STEADY_MS;

export function followReach() {
  onReach((now) => {
    const before = reach.state;
    reach = now;
    next = performance.now() + (now.retryAfter ?? 0) * 1000;
    if (now.state === "online" && before === "online") return undefined;
    clearTimeout(telling);
    if (now.state === "online") {
      if (isTold && before === "outage") telling = setTimeout(back, STEADY_MS);
      else back();
      reached();
      return undefined;
    }
    fault = now.state;
    if (isTold) return draw();
    telling = setTimeout(() => {
      isTold = true;
      draw();
    }, LATE_MS);
    return undefined;
  });
  addEventListener("online", () => void (reach.state === "online" && reached()));
}

/** That there is a network does not mean that the gateway is there: what failed asks again once it has answered. */
async function reached() {
  clearTimeout(askingAgain);
  try {
    await session();
    pauseMs = STEADY_MS;
    dispatchEvent(new Event("lexgate:reached"));
  } catch (error) {
    // The client tells when that changes. But if the network was away for this page alone, for the client nothing does.
    if (!(error instanceof NetworkError)) return;
    clearTimeout(askingAgain);
    askingAgain = setTimeout(() => void (reach.state === "online" && reached()), pauseMs);
    pauseMs = Math.min(pauseMs * 2, LONGEST_MS);
  }
}

/** The place of the line, filled again when the shell is built anew. */
export function reachLine() {
  queueMicrotask(draw);
  return h("div", { id: "reach", class: "reach", role: "status", "data-testid": "reach" });
}

function back() {
  const place = document.getElementById("reach");
  const hadFocus = place?.contains(document.activeElement);
  if (isTold) announce(t.reach.back);
  isTold = false;
  draw();
  if (hadFocus) document.getElementById("content")?.focus({ preventScroll: true });
}

function draw() {
  const place = document.getElementById("reach");
  if (!isTold) ticking = void clearInterval(ticking);
  else ticking ??= setInterval(drawCount, TICK_MS);
  if (!place) return;
  if (!isTold) return place.replaceChildren();
  if (place.dataset.state === fault && place.firstElementChild) return drawCount();
  place.dataset.state = fault;
  const button = h("button", { type: "button", class: "reach-now", onclick: () => tryNow(button) }, t.reach.now);
  place.replaceChildren(h("div", { class: "reach-line" },
    h("span", {}, h("span", {}, t.reach[fault]), h("span", { class: "reach-count", "aria-hidden": "true" })), button));
  drawCount();
}

/** The count is not read out: a screen reader would speak every second. */
function drawCount() {
  const count = document.querySelector("#reach .reach-count");
  const left = Math.ceil((next - performance.now()) / 1000);
  if (count) count.textContent = reach.state === "outage" && left > 0 ? ` ${t.reach.next(left)}` : "";
}

/** @param {HTMLElement} button */
async function tryNow(button) {
  button.setAttribute("aria-disabled", "true");
  button.textContent = t.reach.trying;
  await session().catch(() => {}); // the client tells by `onReach` how it went
  while (isTold && reach.state === "online") await new Promise((resolve) => setTimeout(resolve, TICK_MS));
  button.removeAttribute("aria-disabled");
  button.textContent = t.reach.now;
}
