// @ts-check
/** What all tabs and the keeper know alike of the session and of reach; what is new is sent to all, and told to the app. */

/** @typedef {import("./client.js").Session} Session */
/** @typedef {import("./client.js").Reach} Reach */
/**
 * What is said on the channel. `keeper`: it speaks, and `up`: from now on. `hello`: a tab asks it. Its stream goes on `after` an event.
 * @typedef {{type?: string, session?: Session, reach?: Reach, probe?: boolean, active?: boolean, online?: boolean,
 *   hello?: boolean, keeper?: number, up?: boolean, live?: boolean, last?: string, after?: string,
 *   event?: [name: string, ...news: unknown[]]}} Message
 */

export const KEEPER = "lexgate.keeper";
/** The gateway fills in which bundle it is: a page must not meet the worker of an older one. */
const VERSION = "";
const QUIET_MS = 4000;
const STARTING_MS = 30000; // it may have to be fetched, and a machine is busiest when it begins
const ACTIVITY_MS = 1000;

/** The gateway that served this file, or the page, unless the app names another. */
export let gateway = /^(.*)\/auth\/\w+\.js/.exec(import.meta.url)?.[1] ?? globalThis.location?.origin;

/** @type {typeof import("./client.js").setGateway} */
export function setGateway(origin) {
  gateway = new URL(origin).origin;
}

/** @type {{session?: Session, at: number, subject?: string, reach: Reach, live?: boolean, last: string, leaves?: boolean, back?: number}} */
export const known = { at: 0, reach: { state: "online" }, last: "" };

export const now = () => performance.now();

/** @typedef {"session" | "ended" | "reach" | "event" | "needed" | "waiting" | "message" | "keep"} News */
/** @type {Record<string, Set<Function>>} */
const listeners = {};
/** @param {News} news */
export const heard = (news) => (listeners[news] ??= new Set());
/** @param {News} news @param {unknown[]} details */
export const tell = (news, ...details) => [...heard(news)].forEach((callback) => callback(...details));
/** @param {News} news @param {() => unknown} [present] what is known already, and told at once */
export const on = (news, present) => (/** @type {Function} */ callback) => {
  join();
  heard(news).add(callback);
  const known = present?.();
  if (known) callback(known);
  return () => void heard(news).delete(callback);
};

/** @param {import("./client.js").ActiveSession} found whose it is: one person may act for several organizations */
export const whose = ({ subject, claims }) => subject + claims.organization_id;
/** @param {Session | undefined} found which session it is, or false */
export const who = (found) => found?.active && whose(found) + found.session.created_at;
export const csrf = () => known.session?.csrf_header ?? { "X-CSRF": "1" };

/** @param {Session | undefined} found @param {(seconds: number) => number | void} change */
const write = (found, change) =>
  JSON.stringify(found, (name, value) => (/_in_seconds$/.test(name) ? change(value) : value));
/** What is known of the session, its seconds counted from now. */
export const present = () =>
  known.session && JSON.parse(write(known.session, (left) => Math.max(0, Math.floor(left - (now() - known.at) / 1000))));
/** @param {Session} [found] but for the seconds, which are never the same */
export const outline = (found) => write(found, () => {});

/** @param {Session} found */
export function note(found) {
  const { session: before, leaves } = known;
  if (leaves || (before?.active === false && !found.active)) return; // why it ended is known already
  known.session = found;
  known.at = now();
  if (outline(before) === outline(found)) return;
  if (before?.active && (!found.active || whose(found) !== whose(before))) {
    tell("ended", { loginUrl: "/auth/login", reason: found.active ? "replaced" : found.reason });
  }
  if (found.active) {
    known.subject = whose(found);
    join();
  }
  tell("session", found);
}

/** @returns {Reach} */
export const reachNow = () => (navigator.onLine ? known.reach : { state: "offline" });
let told = "";
function tellReach() {
  if (told !== (told = JSON.stringify(reachNow()))) tell("reach", reachNow());
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
  const { session, reach, keeper, up, live, last, after, event } = message;
  if (session && !keeper) note(session);
  if (reach) known.reach = reach;
  tellReach();
  if (keeper) {
    silence = void clearTimeout(silence);
    // A stream that goes on after nothing tells nothing of what came before, and was perhaps relied on.
    if (after === "" && known.live !== undefined) tell("event", "missed");
    if (live !== undefined && live !== known.live) tell("event", "live", (known.live = live));
    if (event) tell("event", ...event);
    known.last = last || known.last; // a keeper that has heard nothing yet may not live to do so
  }
  tell("message", message);
  if (up) hello(); // the one before it, if that was here, has left and does not answer any more
}
/** @param {import("./client.js").InactiveReason} reason why there is no session any more */
export const end = (reason) =>
  send({ session: { active: false, reason, login_url: "/auth/login", csrf_header: csrf() } });

let activeAt = -Infinity;
/** The person is here; a call says so as well. */
export function active() {
  if (now() - activeAt < ACTIVITY_MS) return;
  activeAt = now();
  hello(STARTING_MS, { active: true });
}

/** @type {ReturnType<typeof setTimeout> | undefined} */
let silence;
/** Asks the keeper for a sign. @param {number} [patience] until a keeper that says nothing is replaced @param {Message} [message] */
export function hello(patience = QUIET_MS, message = { hello: true, last: known.last }) {
  if (!channel || !globalThis.document) return;
  silence ??= setTimeout(() => {
    silence = undefined;
    if (!document.hidden) elect(true);
  }, patience);
  send(message);
}

function join() {
  if (channel || !globalThis.BroadcastChannel) return;
  connect();
  // Captured at the window, so that nothing an app does with an event keeps it from here.
  for (const type of ["pointerdown", "keydown", "wheel"]) addEventListener(type, active, true);
  for (const type of ["visibilitychange", "pageshow", "online", "offline"]) addEventListener(type, look, true);
  start("SharedWorker", () => elect());
  hello(STARTING_MS);
}
/** @param {Partial<PageTransitionEvent>} event */
function look({ type, persisted }) {
  known.leaves = false; // a page that was left can be shown once more
  tellReach();
  if (!document.hidden) hello();
  if (type === "online") send({ online: true });
  if (!persisted) return;
  known.back = now();
  tell("event", "missed"); // nobody was told anything in the back-forward cache
}

/** @type {any} */
let policy;
/** @param {"SharedWorker" | "Worker"} kind @param {() => void} otherwise where it cannot be had */
function start(kind, otherwise) {
  if (gateway !== location.origin) return otherwise(); // a worker comes from the page's own origin
  const url = "/auth/client.js";
  try {
    // Under Trusted Types a worker's address has to come from a policy: this one knows no other.
    policy ??= /** @type {any} */ (globalThis).trustedTypes?.createPolicy("lexgate", { createScriptURL: () => url });
    new globalThis[kind](policy?.createScriptURL(url) ?? url, { type: "module", name: KEEPER + VERSION }).onerror = otherwise;
  } catch {
    otherwise();
  }
}
/** Of all tabs the one that holds the lock has the keeper; from one that is frozen it is stolen. */
function elect(steal = false) {
  navigator.locks?.request(KEEPER, { steal }, () => {
    start("Worker", () => tell("keep"));
    return new Promise(() => {});
  }).catch(({ name }) => name === "AbortError" && elect());
}
