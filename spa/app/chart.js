// @ts-check
/** A bar chart of months, drawn anew for the width there is, so that its letters stay legible. */

import { svg } from "./dom.js";
import { money, monthName, shortMonth, shortNumber } from "./format.js";

const HEIGHT = 240;
const TOP = 24;
const BOTTOM = 26;

/**
 * @param {Map<string, number>} sums by month, as 2026-03
 * @param {string} label
 * @param {string} summary says in words what the bars show
 */
export function barChart(sums, label, summary) {
  const place = document.createElement("div");
  place.className = "chart";
  place.dataset.whole = JSON.stringify([...sums, label, summary]); // what it draws by itself, nobody else changes
  const draw = (/** @type {number} */ width) =>
    place.replaceChildren(drawing([...sums], Math.max(width, 240), label, summary));
  draw(640);
  new ResizeObserver(([entry]) => entry && draw(Math.floor(entry.contentRect.width))).observe(place);
  return place;
}

/**
 * @param {[string, number][]} bars
 * @param {number} width
 * @param {string} label
 * @param {string} summary
 */
function drawing(bars, width, label, summary) {
  const { low, high, step } = scale(bars.map(([, value]) => value));
  const ticks = Array.from({ length: Math.round((high - low) / step) + 1 }, (_, index) => low + index * step);
  const left = 10 + 7 * Math.max(...ticks.map((tick) => shortNumber(tick).length));
  const y = (/** @type {number} */ value) => TOP + ((high - value) / (high - low)) * (HEIGHT - TOP - BOTTOM);
  const slot = (width - left - 6) / bars.length; // room for the last month's name
  return svg("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, role: "img",
    "aria-label": `${label}. ${summary}`, "data-testid": "chart" },
  ticks.map((tick) => tickLine(tick, y(tick), left, width)),
  bars.map(([month, value], index) => bar({ month, value, x: left + index * slot, slot, y, last: index === bars.length - 1,
    named: slot > 30 || (bars.length - index) % 2 === 1 })));
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
 * @typedef {{month: string, value: number, x: number, slot: number, last: boolean, named: boolean}} Bar
 * @param {Bar & {y: (value: number) => number}} bar
 */
function bar({ month, value, x, slot, y, last, named }) {
  const middle = x + slot / 2;
  const wide = Math.min(slot * 0.62, 44);
  const top = Math.min(y(value), y(0));
  const tall = Math.max(Math.abs(y(0) - y(value)), value === 0 ? 0 : 2);
  return svg("g", { class: last ? "bar bar-now" : "bar" },
    svg("title", {}, `${monthName(month)}: ${money(value)}`),
    svg("rect", { class: "bar-reach", x, y: TOP, width: slot, height: HEIGHT - TOP - BOTTOM }),
    svg("rect", { class: "bar-body", x: middle - wide / 2, y: top, width: wide, height: tall, rx: Math.min(4, wide / 4) }),
    slot > 50 && svg("text", { class: "bar-value", x: middle, y: top - 7, "text-anchor": "middle" }, shortNumber(value)),
    named && svg("text", { class: "bar-month", x: middle, y: HEIGHT - 6, "text-anchor": "middle" }, shortMonth(month)));
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
