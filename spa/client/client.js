// @ts-check
/** The browser's side of the gateway: session, sign-in, sign-out, events, and calls with the CSRF header. */

import "./keeper.js";
import { ProblemError, fetchAs, own, session } from "./calls.js";
import { isLossy, take } from "./resume.js";
import { end, gateway, identity, known, present, reachNow, send, telling } from "./tabs.js";

export { NetworkError, ProblemError, fetch, keepAlive, retryAfter, session } from "./calls.js";
export { onSignInNeeded } from "./resume.js";
export { setGateway } from "./tabs.js";
export { onWaiting } from "./waiting.js";

const AGAIN_MS = 2000;

/** @type {typeof import("./client.js").onSession} */
export const onSession = telling("session", present);
/** @type {typeof import("./client.js").onSessionEnded} */
export const onSessionEnded = telling("ended");
/** @type {typeof import("./client.js").onReach} */
export const onReach = telling("reach", reachNow);

/** @type {typeof import("./client.js").events} */
export function events(listeners) {
  /** @param {keyof typeof listeners} name @param {unknown[]} news */
  const hear = (name, ...news) => /** @type {any} */ (listeners[name])?.(...news);
  const stop = telling("event")(hear);
  if (known.live !== undefined) hear("live", known.live);
  send({ hello: true, last: known.last }); // an end that is near is told again
  return stop;
}

/** @param {string} path of the page's origin, as the gateway knows it */
const back = (path) => (gateway === location.origin ? path : new URL(path, location.href).href);

/** @type {Promise<import("./client.js").ActiveSession> | undefined} */
let signingIn;

/** @type {typeof import("./client.js").login} */
export async function login({ returnTo = location.pathname + location.search, popup = false } = {}) {
  /** @param {string} to */
  const address = (to) => `${gateway}/auth/login?return_to=${encodeURIComponent(to)}`;
  if (popup) {
    const opened = open(address("/auth/signed-in"), "lexgate", "popup,width=520,height=720");
    if (opened) {
      opened.opener = null; // the authorization server's page has no business with this one
      return (signingIn ??= signedIn());
    }
    if (isLossy()) throw Object.assign(new Error("The browser blocked the window"), { code: "popup_blocked" });
  }
  location.assign(address(back(returnTo)));
  return new Promise(() => {});
}

/** @returns {Promise<import("./client.js").ActiveSession>} */
function signedIn() {
  const before = identity(known.session);
  // The channel ends at the origin: no word comes from the gateway's page to an app on another.
  const timer = gateway === location.origin ? undefined : setInterval(() => session().catch(() => {}), AGAIN_MS);
  return new Promise((resolve) => {
    const stop = telling("session")((/** @type {import("./client.js").Session} */ found) => {
      if (!found.active || identity(found) === before) return;
      stop();
      clearInterval(timer);
      signingIn = undefined;
      resolve(found);
    });
  });
}

/** @type {typeof import("./client.js").logout} */
export async function logout({ everywhere = false, returnTo = "/" } = {}) {
  known.leaves = true; // its end is what was asked for here, not news
  let url;
  try {
    ({ logout_url: url } = await own(`/auth/logout?everywhere=${everywhere}&return_to=${encodeURIComponent(back(returnTo))}`, "POST"));
  } catch (error) {
    if (!(error instanceof ProblemError && error.status === 401)) {
      known.leaves = false;
      throw error;
    }
  }
  end("signed_out");
  location.assign(url ?? returnTo);
}

/** @type {typeof import("./client.js").sessions} */
export const sessions = async () => (await own("/auth/sessions")).sessions;

/** @type {typeof import("./client.js").endSessions} */
export const endSessions = async (id) => (await own(id ? `/auth/sessions/${encodeURIComponent(id)}` : "/auth/sessions", "DELETE")).ended;

/** @type {typeof import("./client.js").resume} */
export function resume(name) {
  const kept = take(name);
  return kept && session().catch(() => known.session).then((found) => {
    const { subject, error, url, init } = kept;
    if (found?.active && subject && found.subject !== subject) throw Object.assign(new ProblemError(new Response(null, { status: 401 }), error), error);
    return fetchAs(subject, url, init);
  });
}
