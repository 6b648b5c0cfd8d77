// @ts-check
/**
 * Keeps the session of a whole browser: the one stream of events, and the timers. It runs in a worker whose name says so, or in
 * a page. Of several the newest goes on.
 */

import { askAnew, keepAlive, session } from "./calls.js";
import { KEEPER, connect, end, gateway, heard, known, now, present, send } from "./tabs.js";

/** @typedef {import("./tabs.js").Message} Message */

const TICK_MS = 2000;
const ASLEEP_MS = 70_000; // a hidden page's timers may be a minute late
const APART_MS = 5000;
const LONGEST_PAUSE = 60;
/** Earlier than the gateway's own (a quarter of the token's life, 60 s at most), so that no call is the first to need it. */
const AHEAD = 90;
const AHEAD_SHARE = 0.4;
const RECENT = 90;

/** @param {number} fails */
const pauseMs = (fails, least = 0) => Math.min(Math.max(least, 2 ** fails / (1 + Math.random())), LONGEST_PAUSE) * 1000;

function keep() {
  const keeper = performance.timeOrigin + now() + Math.random(); // when it came up
  let idle = 0, // the whole idle time, as far as it was seen
    activeAt = -Infinity, busy = false, fails = 0, tryAt = 0, losses = 0, wall = Date.now(), { last } = known,
    openAt = Infinity; // not before a tab has said after which event
  /** @type {EventSource | undefined} */
  let source;
  /** @type {{at: number, reason: string} | undefined} */
  let ending;

  /** @param {Message} news */
  const say = (news) => send({ keeper, last, ...news });
  /** @param {[name: string, ...news: unknown[]]} event */
  const tell = (...event) => say({ event });
  const notLive = () => known.live !== false && say({ live: false });

  const tellEnding = () =>
    ending && tell("ending", { reason: ending.reason, inSeconds: Math.max(0, Math.round((ending.at - now()) / 1000)) });

  /** @param {() => Promise<unknown>} ask */
  const attempt = async (ask) => {
    if (busy) return;
    busy = true;
    try {
      await ask();
      fails = 0;
      tryAt = ask === keepAlive ? now() + APART_MS : 0;
    } catch (error) {
      const { status, retryAfter } = /** @type {Partial<import("./client.js").ProblemError>} */ (error);
      tryAt = now() + pauseMs(fails++, retryAfter);
      if (status !== 401) say({ reach: status ? { state: "outage", retryAfter } : { state: "offline" } });
    }
    busy = false;
    check();
  };

  const open = () => {
    if (source || !known.session?.active || now() < openAt) return;
    source = new EventSource(`${gateway}/auth/events?last_event_id=${last}`, { withCredentials: true });
    source.onerror = lost;
    for (const [name, take] of Object.entries(takes)) {
      source.addEventListener(name, ({ lastEventId, data }) => {
        const after = last;
        last = lastEventId || last;
        take(JSON.parse(data || "{}"), after);
      });
    }
  };
  const close = () => {
    source?.close();
    source = ending = undefined; // another stream tells anew what is near
    notLive();
  };
  /** A connection that broke comes again by itself; after a refusal nothing does. */
  const lost = () => {
    notLive();
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
    openAt = fails = 0;
    attempt(askAnew);
  };

  /** @type {Record<string, (data: any, after: string) => void>} */
  const takes = {
    hello(_, after) {
      losses = tryAt = 0;
      say({ live: true, after });
    },
    lexoffice: ({ type, resource_id: resourceId, date }) => tell("changed", { type, resourceId, date }),
    missed: () => tell("missed"),
    "session.ending"({ in_seconds: inSeconds, reason }) {
      ending = { at: now() + inSeconds * 1000, reason };
      tellEnding();
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
    const { session: found, at, reach } = known;
    if (busy || now() < tryAt) return;
    const well = reach.state === "online";
    const age = (now() - at) / 1000;
    if (!found?.active) {
      if (!found || !well) attempt(session);
      return;
    }
    const { tokens, session: { idle_in_seconds: idleIn, ends_in_seconds: endsIn } } = found;
    const life = (Date.parse(tokens.expires_at) - Date.parse(tokens.refreshed_at)) / 1000;
    const old = tokens.expires_in_seconds < endsIn && tokens.expires_in_seconds - age <= Math.min(AHEAD, life * AHEAD_SHARE);
    // Calls slide the session too, which nobody tells: what is known may be old.
    if ((old || (idleIn < endsIn && idle - idleIn + age >= idle / 4)) && now() - activeAt < Math.min(RECENT, idle / 4) * 1000) attempt(well && age > 2 ? session : keepAlive);
    else if (well && age <= idleIn + 1) open();
    else attempt(session);
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
    const { session: found } = known;
    const { keeper: other = keeper } = message;
    if (message.up && other < keeper) say({ up: true }); // both came up at once: only one of them goes
    if (message.up && other > keeper) {
      clearInterval(timer);
      heard("message").delete(hear);
      source?.close();
      openAt = Infinity; // whatever is still under way
      if (!globalThis.document) globalThis.close();
      return;
    }
    if (message.session && found) {
      if (found.active) idle = Math.max(idle, found.session.idle_in_seconds);
      else if (source) close();
      open();
    }
    if (message.hello) {
      if (!source) last ||= message.last ?? "";
      if (openAt === Infinity) openAt = 0;
      open();
      say({ session: found?.active ? present() : undefined, reach: known.reach, live: known.live });
      if (!found?.active && now() >= tryAt) attempt(session); // nobody tells a keeper that somebody signed in
      tellEnding();
    }
    if (message.active) {
      activeAt = now();
      say({}); // somebody is here to do it
      check();
    }
    if (message.reach && !message.keeper) tryAt = now() + pauseMs(0, message.reach.retryAfter);
    if (message.probe) attempt(session);
    if (message.online) wake();
  };
  heard("message").add(hear);
  say({ up: true });
  attempt(session);
}

heard("keep").add(keep);
if (/** @type {any} */ (globalThis).name?.startsWith(KEEPER)) {
  connect();
  keep();
}
