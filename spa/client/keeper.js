// @ts-check
/**
 * Keeps the session of a whole browser: the one stream of events, and the timers. It runs in a worker whose name says so, or in
 * a page. Of several the newest goes on.
 */

import { askAnew, keepAlive, session } from "./calls.js";
import { KEEPER, connect, end, gateway, heard, identity, known, present, send } from "./tabs.js";

/** @typedef {import("./tabs.js").Message} Message */

const TICK_MS = 2000;
const ASLEEP_MS = 70_000; // a hidden page's timers may be a minute late
const APART_MS = 5000;
const LONGEST_PAUSE = 60;
/** Earlier than the gateway's own (a quarter of the token's life, 60 s at most), so that no call is the first to need it. */
const AHEAD = 90;
const AHEAD_SHARE = 0.4;
const FRESH = 10; // the gateway refreshes nothing younger
const RECENT = 120;

const now = () => performance.now();
const waitMs = (retryAfter = 0) => Math.min(retryAfter, LONGEST_PAUSE) * 1000;
/** @param {number} failures */
const pauseMs = (failures) => Math.min(2 ** failures, LONGEST_PAUSE) * 500 * (1 + Math.random());

function keep() {
  const keeper = Math.random();
  let idle = 0; // the whole idle time, as far as it was seen
  let activeAt = -Infinity;
  let isAsking = false;
  let failures = 0;
  let tryAt = 0;
  /** @type {unknown} */
  let which;

  /** @type {EventSource | undefined} */
  let source;
  let { last } = known;
  let isBlind = false; // without an id, nothing of a failed beginning can be asked for again
  let losses = 0;
  let openAt = 0;
  /** @type {{at: number, reason: string} | undefined} */
  let ending;
  let wall = Date.now();

  /** @param {Message} news */
  const say = (news) => send({ keeper, last, ...news });
  /** @param {[name: string, ...news: unknown[]]} event */
  const tell = (...event) => say({ event });
  /** @param {boolean} live */
  const setLive = (live) => known.live !== live && say({ live });

  /** @param {() => Promise<unknown>} ask */
  const attempt = async (ask) => {
    if (isAsking) return;
    isAsking = true;
    try {
      await ask();
      failures = 0;
      tryAt = ask === keepAlive ? now() + APART_MS : 0;
    } catch (error) {
      const { status, retryAfter } = /** @type {Partial<import("./client.js").ProblemError>} */ (error);
      tryAt = now() + Math.max(pauseMs(failures++), waitMs(retryAfter));
      if (status !== 401) say({ reach: status ? { state: "outage", retryAfter } : { state: "offline" } });
    }
    isAsking = false;
    check();
  };

  const open = () => {
    if (source || !known.session?.active || now() < openAt) return;
    source = new EventSource(`${gateway}/auth/events?last_event_id=${last}`, { withCredentials: true });
    source.onopen = () => {
      losses = 0;
      setLive(true);
    };
    source.onerror = lost;
    for (const [name, take] of Object.entries(takes)) {
      source.addEventListener(name, ({ lastEventId, data }) => {
        last = lastEventId || last;
        take(JSON.parse(data || "{}"));
      });
    }
  };
  const close = () => {
    source?.close();
    source = undefined;
    setLive(false);
  };
  /** A connection that broke comes again by itself; after a refusal nothing does. */
  const lost = () => {
    setLive(false);
    isBlind ||= !last;
    if (source?.readyState === EventSource.CLOSED) {
      close();
      openAt = now() + pauseMs(++losses);
    }
    // A gateway that begins anew spreads those who come back: none should ask before.
    setTimeout(() => known.live || now() < tryAt || attempt(session), losses ? 0 : APART_MS);
  };
  /** After a sleep, a dead connection does not know it. */
  const wake = () => {
    close();
    openAt = failures = 0;
    attempt(askAnew);
  };

  /** @type {Record<string, (data: any) => void>} */
  const takes = {
    hello() {
      if (isBlind) tell("missed");
      isBlind = false;
    },
    lexoffice: ({ type, resource_id: resourceId, date }) => tell("changed", { type, resourceId, date }),
    missed: () => tell("missed"),
    "session.ending"({ in_seconds: inSeconds, reason }) {
      ending = { at: now() + inSeconds * 1000, reason };
      tell("ending", { inSeconds, reason });
      check();
    },
    "session.extended"() {
      ending = undefined;
      tell("extended");
    },
    "session.refreshed"({ expires_at: expiresAt, generation }) {
      tell("refreshed", { expiresAt, generation });
      if (known.session?.active && known.session.tokens.generation !== generation) attempt(session);
    },
    "session.ended"({ reason }) {
      close();
      // The same browser may have signed in anew: all tabs go on with that session.
      if (reason === "replaced") attempt(askAnew);
      else end(reason);
    },
  };

  const check = () => {
    const found = known.session;
    const isWell = known.reach.state === "online";
    const age = (now() - known.at) / 1000;
    if (isAsking || now() < tryAt) return;
    // Calls slide the session too, which nobody tells: what is known may be old.
    if (found?.active && isWanted(found, age)) attempt(isWell && age > 2 ? session : keepAlive);
    else if (!isWell || !found || (found.active && age > 1 + Math.min(found.session.ends_in_seconds, found.session.idle_in_seconds))) attempt(session);
    else open();
  };
  /**
   * Says whether the person is here, and the token nearly over, or a good part of the idle time.
   * @param {import("./client.js").ActiveSession} session
   * @param {number} age
   */
  const isWanted = ({ tokens, session: { idle_in_seconds: idleIn, ends_in_seconds: endsIn } }, age) => {
    const life = (Date.parse(tokens.expires_at) - Date.parse(tokens.refreshed_at)) / 1000;
    const left = tokens.expires_in_seconds - age;
    return now() - activeAt < Math.min(RECENT, idle / 4) * 1000
      && ((idleIn < endsIn && idle - idleIn + age >= idle / 4)
        || (left + age < endsIn && left <= Math.min(AHEAD, life * AHEAD_SHARE) && life - left >= FRESH));
  };

  const timer = setInterval(() => {
    const passed = Date.now() - wall;
    wall = Date.now();
    // After a sleep, or if the clock was set; how long it was is for the gateway to say.
    if (Math.abs(passed) > ASLEEP_MS) wake();
    else check();
  }, TICK_MS);

  /** @param {Message} message */
  const hear = (message) => {
    if (message.up && message.keeper !== keeper) {
      clearInterval(timer);
      heard("message").delete(hear);
      source?.close();
      if (!globalThis.document) globalThis.close();
      return;
    }
    const found = known.session;
    if (message.session && found) {
      if (identity(found) !== which) {
        ending = undefined;
        idle = openAt = 0;
      }
      which = identity(found);
      if (found.active) idle = Math.max(idle, found.session.idle_in_seconds);
      else close();
      open();
    }
    if (message.hello) {
      if (!source) last ||= message.last ?? "";
      say({ all: true, session: present(), reach: known.reach, live: known.live });
      if (ending) tell("ending", { inSeconds: Math.max(0, Math.round((ending.at - now()) / 1000)), reason: ending.reason });
    }
    if (message.active) activeAt = now();
    if (message.reach && !message.keeper) tryAt = now() + waitMs(message.reach.retryAfter);
    if (message.probe) attempt(session);
    if (message.active) check();
    if (message.online) wake();
  };
  heard("message").add(hear);
  say({ up: true });
  attempt(session);
}

heard("keep").add(keep);
if (/** @type {any} */ (globalThis).name === KEEPER) {
  connect();
  keep();
}
