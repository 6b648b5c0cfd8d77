// @ts-check
/** The page of somebody who is not signed in: what this is, and one button. */

import { login } from "/auth/client.js";
import { h, svg } from "./dom.js";
import { t } from "./preferences.js";

/**
 * @param {import("/auth/client.js").InactiveReason} reason
 * @returns {HTMLElement}
 */
export function signedOutPage(reason) {
  const why = t.signedOut.reasons[reason] ?? "";
  return h("div", { class: "welcome" },
    h("div", { class: "welcome-text" },
      why && h("p", { id: "why", class: "why", role: "status", "data-testid": "signed-out-reason" }, why),
      h("h1", { tabindex: -1, "aria-describedby": why ? "why" : undefined }, t.signedOut.heading),
      h("p", { class: "lead" }, t.signedOut.lead),
      h("p", {}, h("button", { type: "button", class: "button button-large", onclick: () => login() }, t.signedOut.button)),
      h("p", { class: "quiet small" }, t.signedOut.note)),
    picture(),
    h("ul", { class: "points", role: "list" }, t.signedOut.points.map(([title, text]) =>
      h("li", {}, h("h2", {}, title), h("p", {}, text)))));
}

/**
 * @param {() => void} retry
 * @returns {HTMLElement}
 */
export function unreachablePage(retry) {
  return h("div", { class: "narrow welcome-text", "data-testid": "unreachable" },
    h("h1", { tabindex: -1 }, t.faults.startHeading), h("p", { class: "lead", role: "status" }, t.faults.startText),
    h("p", {}, h("button", { type: "button", class: "button", onclick: retry }, t.faults.retry)));
}

/** A voucher and its bars, drawn for looks alone. */
function picture() {
  const bars = [34, 52, 44, 70, 58, 88];
  return svg("svg", { class: "picture", viewBox: "0 0 360 300", "aria-hidden": "true", focusable: "false" },
    svg("rect", { class: "picture-back", x: 60, y: 20, width: 230, height: 250, rx: 14 }),
    svg("rect", { class: "picture-sheet", x: 84, y: 40, width: 230, height: 240, rx: 14 }),
    [[108, 66, 74], [108, 84, 118], [108, 100, 96]].map(([x, y, width]) =>
      svg("rect", { class: "picture-line", x, y, width, height: 7, rx: 3.5 })),
    svg("rect", { class: "picture-pill", x: 240, y: 64, width: 50, height: 18, rx: 9 }),
    bars.map((height, index) => svg("rect", { class: index === 5 ? "picture-bar picture-bar-now" : "picture-bar",
      x: 110 + index * 30, y: 250 - height * 1.3, width: 18, height: height * 1.3, rx: 4 })));
}
