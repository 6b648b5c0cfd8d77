// @ts-check
/** A chart of months, this year's bar beside last year's, drawn anew for the width there is, so that its letters stay legible. */

import { svg } from "./dom.js";
import { shortMonth, shortNumber } from "./format.js";

/** @typedef {import("./figures.js").Month} Month in cents */

const HEIGHT = 240;
const TOP = 24;
const BOTTOM = 26;

/**
 * @param {Month[]} months
 * @param {string} label says in words what the bars show
 * @param {(month: Month) => string} tell what a pointer over a month is told
 */
export function barChart(months, label, tell) {
  const place = document.createElement("div");
  place.className = "chart";
  place.dataset.whole = JSON.stringify([months, label]); // what it draws by itself, nobody else changes
  const draw = (/** @type {number} */ width) => place.replaceChildren(drawing(months, Math.max(width, 240), label, tell));
  draw(640);
  new ResizeObserver(([entry]) => entry && draw(Math.floor(entry.contentRect.width))).observe(place);
  return place;
}

/** @param {"now" | "before"} year @returns {SVGSVGElement} the mark of a year in the legend: filled, or hollow */
export function yearMark(year) {
  return svg("svg", { viewBox: "0 0 16 16", width: 16, height: 16, class: "mark", "aria-hidden": "true" },
    svg("rect", { class: `bar-${year}`, x: 2.5, y: 2.5, width: 11, height: 11, rx: 2 }));
}

/**
 * @param {Month[]} months
 * @param {number} width
 * @param {string} label
 * @param {(month: Month) => string} tell
 */
function drawing(months, width, label, tell) {
  const { low, high, step } = scale(months.flatMap(({ now, before }) => [now / 100, (before ?? 0) / 100]));
  const ticks = Array.from({ length: Math.round((high - low) / step) + 1 }, (_, index) => low + index * step);
  const left = 10 + 7 * Math.max(...ticks.map((tick) => shortNumber(tick).length));
  const y = (/** @type {number} */ value) => TOP + ((high - value) / (high - low)) * (HEIGHT - TOP - BOTTOM);
  const slot = (width - left - 6) / months.length; // room for the last month's name
  return svg("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, role: "img",
    "aria-label": label, "data-testid": "chart" },
  ticks.map((tick) => tickLine(tick, y(tick), left, width)),
  months.map((month, index) => group({ month, tell, x: left + index * slot, slot, y, isLast: index === months.length - 1,
    isNamed: slot > 30 || (months.length - index) % 2 === 1 })));
}

/**
 * @param {number} tick
 * @param {number} y
 * @param {number} left
 * @param {number} width
 */
function tickLine(tick, y, left, width) {
  return svg("g", { class: tick === 0 ? "tick tick-zero" : "tick" },
    svg("line", { x1: left, x2: width, y1: y, y2: y }),
    svg("text", { x: left - 8, y: y + 4, "text-anchor": "end" }, shortNumber(tick)));
}

/**
 * @typedef {object} Group
 * @property {Month} month
 * @property {(month: Month) => string} tell
 * @property {number} x
 * @property {number} slot
 * @property {(value: number) => number} y
 * @property {boolean} isLast
 * @property {boolean} isNamed
 * @param {Group} group
 */
function group({ month, tell, x, slot, y, isLast, isNamed }) {
  const wide = Math.min(slot * 0.38, 26);
  const middle = x + slot / 2;
  return svg("g", { class: isLast ? "bars bars-last" : "bars" },
    svg("title", {}, tell(month)),
    svg("rect", { class: "bar-reach", x, y: TOP, width: slot, height: HEIGHT - TOP - BOTTOM }),
    month.before !== undefined && bar("before", middle - wide, wide, month.before, y),
    bar("now", middle, wide, month.now, y),
    isNamed && svg("text", { class: "bar-month", x: middle, y: HEIGHT - 6, "text-anchor": "middle" }, shortMonth(month.month)));
}

/**
 * @param {"now" | "before"} year
 * @param {number} x
 * @param {number} wide
 * @param {number} cents
 * @param {(value: number) => number} y
 */
function bar(year, x, wide, cents, y) {
  const tall = Math.abs(y(0) - y(cents / 100));
  const inset = 0.75; // half a stroke, so that both kinds are of one width
  return svg("rect", { class: `bar-${year}`, x: x + inset, y: Math.min(y(cents / 100), y(0)), width: Math.max(wide - 2 * inset, 1),
    height: cents === 0 ? 0 : Math.max(tall, 2), rx: Math.min(3, wide / 4) });
}

/** @param {number[]} values */
function scale(values) {
  const most = Math.max(...values, 0);
  const least = Math.min(...values, 0);
  const rough = (most - least || 1000) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough) ?? 10);
  return { low: Math.floor(least / step) * step, high: Math.max(Math.ceil(most / step), 1) * step, step };
}
