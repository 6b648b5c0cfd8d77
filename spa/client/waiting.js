// @ts-check
/** Tells that calls of the API wait for the resource server, and how far apart its answers are. */

import { active, now, on, tell } from "./tabs.js";

const PATIENT_MS = 700;

let underWay = 0, isTold = false, lastTurn = 0;
/** @type {number | undefined} */
let secondsPerCall;

/** @type {typeof import("./client.js").onWaiting} */
export const onWaiting = on("waiting");

/** @returns {(response?: Response) => void} to be called at its end, with the answer if there is one */
export function callBegins() {
  active();
  underWay += 1;
  const timer = setTimeout(() => {
    if (isTold) return; // with the others, when the first of them was late
    isTold = true;
    tellWaiting();
  }, PATIENT_MS);
  if (isTold) tellWaiting();
  return (response) => {
    clearTimeout(timer);
    underWay -= 1;
    if (response) learn(response);
    if (isTold) tellWaiting();
    isTold &&= underWay > 0;
  };
}

const tellWaiting = () => tell("waiting", { calls: underWay, secondsPerCall });

/**
 * Where a call stood in the gateway's queue since the last one left it, the time between the two is what a turn takes.
 * @param {Response} response
 */
function learn(response) {
  const queue = /(?:^|,)\s*queue;dur=([\d.]+)/.exec(response.headers.get("Server-Timing") ?? "");
  if (!queue) return;
  const apart = (now() - lastTurn) / 1000;
  lastTurn = now();
  const queued = Number(queue[1]) / 1000;
  if (queued < 0.05 || queued * 1.5 < apart) return;
  secondsPerCall = ((secondsPerCall ?? apart) + apart) / 2;
}
