// @ts-check
/** What all tabs and the keeper know alike of the session and of reach; what is new is sent to all, and told to the app. */

/** @typedef {import("./client.js").Session} Session */
/** @typedef {import("./client.js").Reach} Reach */
/**
 * What is said on the channel. `keeper`: it speaks, and `up`: from now on; `all`: whatever it knows. `hello`: a tab asks it.
 * @typedef {{type?: string, session?: Session, reach?: Reach, probe?: boolean, active?: boolean, online?: boolean,
 *   hello?: boolean, keeper?: number, up?: boolean, all?: boolean, live?: boolean, last?: string,
 *   event?: [name: string, ...news: unknown[]]}} Message
 */

export const KEEPER = "lexgate.keeper";
const QUIET_MS = 4000;
const STARTING_MS = 30_000; // it may have to be fetched, and a machine is busiest when it begins
const ACTIVITY_MS = 1000;

/** The gateway that served this file, or the page, unless the app names another. */
export let gateway = /^(.*)\/auth\/\w+\.js/.exec(import.meta.url)?.[1] ?? globalThis.location?.origin;

/** @type {typeof import("./client.js").setGateway} */
export function setGateway(origin) {
  gateway = new URL(origin).origin;
}

/** @type {{session?: Session, at: number, subject?: string, reach: Reach, live?: boolean, last: string, leaves?: boolean}} */
export const known = { at: 0, reach: { state: "online" }, last: "" };

/** @typedef {"session" | "ended" | "reach" | "event" | "needed" | "waiting" | "message" | "keep"} News */
/** @type {Record<string, Set<Function>>} */
const listeners = {};
/** @param {News} news */
export const heard = (news) => (listeners[news] ??= new Set());
/** @param {News} news @param {unknown[]} details */
export const tell = (news, ...details) => [...heard(news)].forEach((callback) => callback(...details));
/** @param {News} news @param {() => unknown} [now] what is known already, and told at once */
export const telling = (news, now) => (/** @type {Function} */ callback) => {
  join();
  heard(news).add(callback);
  const present = now?.();
  if (present) callback(present);
  return () => void heard(news).delete(callback);
};

/** @param {Session | undefined} found which session it is, or false */
export const identity = (found) => found?.active && found.subject + found.session.created_at;
export const csrf = () => known.session?.csrf_header ?? { "X-CSRF": "1" };

/** @param {Session | undefined} found @param {(seconds: number) => number | undefined} change */
const write = (found, change) =>
  JSON.stringify(found, (name, value) => (name.endsWith("_in_seconds") ? change(value) : value));
/** What is known of the session, its seconds counted from now. */
export const present = () =>
  known.session && JSON.parse(write(known.session, (left) => Math.max(0, Math.floor(left - (performance.now() - known.at) / 1000))));
/** @param {Session} [found] but for the seconds, which are never the same */
const outline = (found) => write(found, () => undefined);

/** @param {Session} found */
export function note(found) {
  const { session: before, leaves } = known;
  if (leaves || (before && !before.active && !found.active)) return; // why it ended is known already
  known.session = found;
  known.at = performance.now();
  if (outline(before) === outline(found)) return;
  if (before?.active && (!found.active || found.subject !== before.subject)) {
    tell("ended", { loginUrl: "/auth/login", reason: found.active ? "replaced" : found.reason });
  }
  if (found.active) known.subject = found.subject;
  tell("session", found);
}

/** @returns {Reach} */
export const reachNow = () => (navigator.onLine ? known.reach : { state: "offline" });
let toldReach = "";
function tellReach() {
  const now = JSON.stringify(reachNow());
  if (toldReach !== now) tell("reach", reachNow(), (toldReach = now));
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
  const { session, reach, keeper, up, all, live, last, event } = message;
  if (session) note(session);
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

/** @param {import("./client.js").InactiveReason} reason why there is no session any more */
export const end = (reason) =>
  send({ session: { active: false, reason, login_url: "/auth/login", csrf_header: csrf() } });

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
function hello(patience = QUIET_MS) {
  if (!globalThis.document) return;
  clearTimeout(silence);
  silence = setTimeout(() => document.hidden || elect(true), patience);
  send({ hello: true, last: known.last });
}

function join() {
  if (channel || !globalThis.BroadcastChannel) return;
  connect();
  // Captured at the window, so that nothing an app does with an event keeps it from here.
  for (const type of ["pointerdown", "keydown", "wheel", "touchstart"]) addEventListener(type, active, { capture: true, passive: true });
  for (const type of ["visibilitychange", "pageshow", "resume", "online", "offline"]) addEventListener(type, look, true);
  try {
    build(SharedWorker).onerror = () => elect();
  } catch {
    elect();
  }
  hello(STARTING_MS);
}
/** @param {Event} event */
function look({ type }) {
  tellReach();
  if (!document.hidden) hello();
  if (type === "online") send({ online: true });
}

/** @type {any} */
let policy;
/**
 * @template Made
 * @param {new (url: string, options: WorkerOptions) => Made} Kind
 * @returns {Made}
 */
function build(Kind) {
  if (gateway !== location.origin) throw new TypeError(gateway); // a worker comes from the page's own origin
  const url = gateway + "/auth/client.js";
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
  if (navigator.locks) navigator.locks.request(KEEPER, { steal }, begin).catch(({ name }) => name === "AbortError" && elect());
  else begin();
}
