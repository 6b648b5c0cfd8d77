// @ts-check
/** The one stream of events that a page holds: opened while it is seen, given up while it is not, never left broken. */

/** @typedef {import("./client.js").EventListeners} EventListeners */
/**
 * @typedef {{session: typeof import("./client.js").session, subjectNow: () => string | undefined, began: () => void,
 *   ended: (end: import("./client.js").SessionEnd) => void}} Client
 */

const EVENTS_URL = "/auth/events";
const HIDDEN_MS = 30_000;
const LONGEST_PAUSE_SECONDS = 60;

/**
 * @param {Client} client
 * @returns {typeof import("./client.js").events}
 */
export function eventsOf({ session, subjectNow, began, ended }) {
  /** @type {Set<EventListeners>} */
  const listeners = new Set();
  /** @type {EventSource | undefined} */
  let source;
  /** @type {BroadcastChannel | undefined} */
  let tabs;
  let lastEventId = "";
  let failures = 0;
  /** @type {boolean | undefined} */
  let isLive;
  let isBlind = false; // without an id, nothing of a failed beginning can be asked for again
  let isOver = false; // with the session: the next one begins with a page of its own
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  /**
   * @template {keyof EventListeners} Name
   * @param {Name} name
   * @param {Parameters<NonNullable<EventListeners[Name]>>} news
   */
  const tell = (name, ...news) => {
    for (const listener of [...listeners]) /** @type {any} */ (listener[name])?.(...news);
  };
  /** @param {boolean} now */
  const live = (now) => {
    if (now !== isLive) tell("live", (isLive = now));
  };

  const open = () => {
    clearTimeout(timer);
    if (isOver || source || listeners.size === 0 || document.visibilityState === "hidden") return;
    // Of the six connections that HTTP/1.1 has for one host, a tab that nobody sees should hold none.
    tabs ??= new BroadcastChannel("lexgate.events");
    tabs.onmessage = () => document.visibilityState === "hidden" && close();
    tabs.postMessage("shown");
    source = new EventSource(lastEventId ? `${EVENTS_URL}?${new URLSearchParams({ last_event_id: lastEventId })}` : EVENTS_URL);
    source.onopen = () => {
      failures = 0;
      live(true);
    };
    source.onerror = lost;
    for (const [name, take] of Object.entries(takes)) source.addEventListener(name, received(take));
  };

  const close = () => {
    clearTimeout(timer);
    source?.close();
    source = undefined;
    live(false);
  };

  /** A connection that broke comes again by itself; after a refusal nothing does. */
  const lost = async () => {
    live(false);
    isBlind ||= lastEventId === "";
    if (source?.readyState !== EventSource.CLOSED) return;
    close();
    const found = await session().catch(() => undefined); // an outage is no news of the session
    isOver ||= found?.active === false;
    if (isOver) return;
    const pause = Math.min(2 ** ++failures, LONGEST_PAUSE_SECONDS) * (0.5 + Math.random() / 2);
    timer = setTimeout(open, pause * 1000);
  };

  /** @param {(data: any) => void} take @returns {(event: MessageEvent) => void} */
  const received = (take) => (event) => {
    lastEventId = event.lastEventId || lastEventId;
    take(JSON.parse(event.data || "{}"));
  };

  /** @type {Record<string, (data: any) => void>} */
  const takes = {
    hello: () => {
      began();
      if (isBlind) tell("missed");
      isBlind = false;
    },
    lexoffice: ({ type, resource_id: resourceId, date }) => tell("changed", { type, resourceId, date }),
    missed: () => tell("missed"),
    "session.ending": ({ in_seconds: inSeconds, reason }) => tell("ending", { inSeconds, reason }),
    "session.extended": () => tell("extended"),
    "session.refreshed": ({ expires_at: expiresAt, generation }) => tell("refreshed", { expiresAt, generation }),
    "session.ended": async ({ reason, login_url: loginUrl }) => {
      close();
      const subject = subjectNow();
      const found = reason === "replaced" ? await session().catch(() => undefined) : undefined;
      // The same person signed in anew, in another tab: this one goes on with that session.
      if (found?.active && found.subject === subject) return open();
      isOver = true;
      close();
      ended({ reason, loginUrl });
    },
  };

  const shownOrHidden = () => {
    if (document.visibilityState === "visible") return open();
    clearTimeout(timer);
    timer = setTimeout(close, HIDDEN_MS);
  };
  const leave = () => {
    close();
    tabs?.close();
    tabs = undefined;
  };
  const again = () => {
    close();
    open();
  };

  return (listener) => {
    if (listeners.size === 0) {
      document.addEventListener("visibilitychange", shownOrHidden);
      addEventListener("pagehide", leave);
      addEventListener("pageshow", open);
      addEventListener("online", again); // after a sleep, a dead connection does not know it
    }
    listeners.add(listener);
    open();
    return () => {
      listeners.delete(listener);
      if (listeners.size > 0) return;
      document.removeEventListener("visibilitychange", shownOrHidden);
      removeEventListener("pagehide", leave);
      removeEventListener("pageshow", open);
      removeEventListener("online", again);
      leave();
    };
  };
}
