// @ts-check
/** What all tabs and the keeper know alike of the session and of reach; what is new is sent to all, and told to the app. */

/** @typedef {import("./client.js").Session} Session */
/** @typedef {import("./client.js").Reach} Reach */
/**
 * What is said on the channel. `keeper`: it speaks, and `up`: from now on; `all`: whatever it knows. `hello`: a tab asks it.
 * @typedef {{type?: string, session?: Session, age?: number, reach?: Reach, probe?: boolean, active?: boolean,
 *   hello?: boolean, online?: boolean, keeper?: number, up?: boolean, all?: boolean, live?: boolean, last?: string,
 *   event?: [name: string, ...news: unknown[]]}} Message
 */

export const KEEPER = "lexgate.keeper";
const QUIET_MS = 4000;
const STARTING_MS = 30_000;
const ACTIVITY_MS = 1000;

/** The gateway that served this file, or the page, unless the app names another. */
export let gateway = /^(.*)\/auth\/\w+\.js/.exec(import.meta.url)?.[1] ?? globalThis.location?.origin;

/** @type {typeof import("./client.js").setGateway} */
export function setGateway(origin) {
  gateway = new URL(origin).origin;
}

/** @type {{session?: Session, at: number, turn: number, subject?: string, reach: Reach, live?: boolean, last: string}} */
export const known = { at: 0, turn: 0, reach: { state: "online" }, last: "" };

/** @typedef {"session" | "ended" | "reach" | "event" | "needed" | "waiting" | "message" | "keep"} News */
/** @type {Record<string, Set<Function>>} */
const listeners = {};
/** @param {News} news */
export const heard = (news) => (listeners[news] ??= new Set());
/** @param {News} news @param {unknown[]} details */
export const tell = (news, ...details) => [...heard(news)].forEach((callback) => callback(...details));
/** @param {News} news @param {Function} callback @returns {() => void} */
export function on(news, callback) {
  join();
  heard(news).add(callback);
  return () => void heard(news).delete(callback);
}

/** @param {Session | undefined} found which session it is, or false */
export const identity = (found) => found?.active && found.subject + found.session.created_at;
export const csrf = () => known.session?.csrf_header ?? { "X-CSRF": "1" };

/** @param {(seconds: number) => number | undefined} change @returns {(name: string, value: any) => any} */
const seconds = (change) => (name, value) => (name.endsWith("_in_seconds") ? change(value) : value);
/** @param {Session} [found] but for the seconds, which are never the same */
const outline = (found) => JSON.stringify(found, seconds(() => undefined));
/** What is known of the session, its seconds counted from now. */
export const present = () =>
  JSON.parse(JSON.stringify(known.session), seconds((left) => Math.max(0, Math.floor(left - (performance.now() - known.at) / 1000))));

let isLeaving = false;
/** @param {boolean} leaves whether news of the session concern this page no longer */
export const leave = (leaves) => {
  isLeaving = leaves;
};

/** @param {Session} found @param {number} [age] in ms */
export function note(found, age = 0) {
  const { session: before } = known;
  if (isLeaving || (before && !before.active && !found.active)) return; // why it ended is known already
  known.session = found;
  known.at = performance.now() - age;
  if (identity(before) !== identity(found)) known.turn += 1;
  if (outline(before) === outline(found)) return;
  if (before?.active && (!found.active || found.subject !== before.subject)) {
    tell("ended", found.active ? { reason: "replaced", loginUrl: "/auth/login" } : { reason: found.reason, loginUrl: found.login_url });
  }
  if (found.active) known.subject = found.subject;
  tell("session", present());
}

/** @returns {Reach} */
export const reachNow = () => (navigator.onLine ? known.reach : { state: "offline" });
let toldReach = "";
function tellReach() {
  const now = reachNow();
  const text = JSON.stringify(now);
  if (toldReach !== text) tell("reach", now, (toldReach = text));
}

/** @type {BroadcastChannel | undefined} */
let channel;

export function connect() {
  channel = new BroadcastChannel("lexgate");
  channel.onmessage = ({ data }) => hear(data);
}
/** @param {Message} message to all, this one included */
export function send(message) {
  channel?.postMessage(message);
  hear(message);
}
/** @param {Message} message */
function hear(message) {
  const { session, age, reach, keeper, up, all, live, last, event } = message;
  if (session) note(session, age);
  if (reach) known.reach = reach;
  tellReach();
  if (keeper) {
    clearTimeout(silence);
    if (up) hello();
    if (live !== undefined && live !== known.live) tell("event", "live", (known.live = live));
    if (all && last && known.last && last !== known.last) tell("event", "missed"); // while this tab was frozen
    if (event) tell("event", ...event);
    known.last = last || known.last;
  }
  tell("message", message);
}
/** @param {Session} found as the gateway has just answered @returns {Session} */
export function share(found) {
  if (found.active) join();
  send({ session: found });
  return found;
}

let activeAt = -Infinity;
/** The person is here; a call says so as well. */
export function active() {
  if (performance.now() - activeAt < ACTIVITY_MS) return;
  activeAt = performance.now();
  send({ active: true });
}

/** @type {ReturnType<typeof setTimeout> | undefined} */
let silence;
/** @param {number} [patience] until a keeper that says nothing is replaced */
function hello(patience = QUIET_MS, online = false) {
  if (!globalThis.document) return;
  clearTimeout(silence);
  silence = setTimeout(() => document.hidden || elect(true), patience);
  send({ hello: true, last: known.last, online });
}

function join() {
  if (channel) return;
  connect();
  // Captured at the window, so that nothing an app does with an event keeps it from here.
  const options = { capture: true, passive: true };
  for (const type of ["pointerdown", "keydown", "wheel", "touchstart"]) addEventListener(type, active, options);
  for (const type of ["visibilitychange", "pageshow", "resume", "online", "offline"]) addEventListener(type, look, true);
  try {
    build(SharedWorker).onerror = () => elect();
  } catch {
    elect();
  }
  hello(STARTING_MS); // the worker may have to be fetched
}
/** @param {Event} event */
function look({ type }) {
  tellReach();
  if (type === "online" || !document.hidden) hello(QUIET_MS, type === "online");
}

/** @type {any} */
let policy;
/**
 * @template Made
 * @param {new (url: string, options: WorkerOptions) => Made} Kind
 * @returns {Made}
 */
function build(Kind) {
  if (gateway !== location.origin) throw new TypeError("A worker comes from the page's own origin");
  const url = `${gateway}/auth/client.js`;
  // Under Trusted Types a worker's address has to come from a policy: this one knows no other.
  policy ??= /** @type {any} */ (globalThis).trustedTypes?.createPolicy("lexgate", { createScriptURL: () => url });
  return new Kind(policy?.createScriptURL(url) ?? url, { type: "module", name: KEEPER });
}
/** Of all tabs the one that holds the lock has the keeper; from one that is frozen it is stolen. */
function elect(steal = false) {
  const begin = () => {
    try {
      build(Worker).onerror = () => tell("keep");
    } catch {
      tell("keep");
    }
    return new Promise(() => {});
  };
  navigator.locks.request(KEEPER, { steal }, begin).catch(({ name }) => name === "AbortError" && elect());
}
