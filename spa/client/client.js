// @ts-check
/** The browser's side of the gateway: session, sign-in, sign-out, events, and calls with the CSRF header. */

import "./keeper.js";
import { ProblemError, fetch, own, session } from "./calls.js";
import { claim, isLossy, put, stamp, take } from "./resume.js";
import { end, gateway, who, whose, known, present, reachNow, hello, on } from "./tabs.js";

export { NetworkError, ProblemError, fetch, keepAlive, retryAfter, session } from "./calls.js";
export { onSignInNeeded } from "./resume.js";
export { setGateway } from "./tabs.js";
export { onWaiting } from "./waiting.js";

/** @type {typeof import("./client.js").onSession} */
export const onSession = on("session", present);
/** @type {typeof import("./client.js").onSessionEnded} */
export const onSessionEnded = on("ended");
/** @type {typeof import("./client.js").onReach} */
export const onReach = on("reach", reachNow);

/** @type {typeof import("./client.js").events} */
export function events(listeners) {
  /** @param {keyof typeof listeners} name @param {unknown[]} news */
  const hear = (name, ...news) => /** @type {any} */ (listeners[name])?.(...news);
  const stop = on("event")(hear);
  if (known.live !== undefined) hear("live", known.live);
  hello(); // an end that is near is told again
  return stop;
}

/** @param {string} path of the page's origin, as the gateway knows it */
const back = (path) => (gateway === location.origin ? path : location.origin + path);

/** @type {typeof import("./client.js").login} */
export async function login({ returnTo = location.pathname + location.search, popup = false } = {}) {
  /** @param {string} to */
  const address = (to) => `${gateway}/auth/login?return_to=${encodeURIComponent(to)}`;
  if (popup) {
    const opened = open(address("/auth/signed-in"), "_blank", "width=500,height=700");
    if (opened) {
      opened.opener = null; // the authorization server's page has no business with this one
      return signedIn();
    }
    if (isLossy()) throw coded("popup_blocked");
  }
  location.assign(address(back(returnTo)));
  return new Promise(() => {});
}

/** @returns {Promise<import("./client.js").ActiveSession>} */
function signedIn() {
  const before = who(known.session);
  // The channel ends at the origin: no word comes from the gateway's page to an app on another. But then people look here again.
  const look = () => session().catch(() => {});
  addEventListener("focus", look);
  return new Promise((resolve) => {
    const stop = on("session")((/** @type {import("./client.js").Session} */ found) => {
      if (!found.active || before === who(found)) return;
      stop();
      removeEventListener("focus", look);
      resolve(found);
    });
  });
}

/** @type {typeof import("./client.js").logout} */
export async function logout({ everywhere = false, returnTo = "/" } = {}) {
  known.leaves = true; // its end is what was asked for here, not news
  const path = `/auth/logout?everywhere=${everywhere}&return_to=${encodeURIComponent(back(returnTo))}`;
  const answer = await own(path, "POST").catch((error) => {
    if (error.status === 401) return {};
    known.leaves = false;
    throw error;
  });
  end("signed_out");
  location.assign(answer.logout_url ?? returnTo);
}

/** @type {typeof import("./client.js").sessions} */
export const sessions = async () => (await own("/auth/sessions")).sessions;

/** @type {typeof import("./client.js").endSessions} */
export const endSessions = async (id) => (await own("/auth/sessions" + (id ? "/" + encodeURIComponent(id) : ""), "DELETE")).ended;

/** @param {string} code */
const coded = (code) => Object.assign(new Error(code), { code });

/** @type {typeof import("./client.js").resume} */
export function resume(name) {
  const kept = take(name);
  /** @param {any} error */
  const keep = (error) => {
    put(name, JSON.stringify(kept));
    throw error;
  };
  return kept && session().then(async (found) => {
    const { subject, error, url, init } = kept;
    if (found.active && whose(found) !== (subject ?? whose(found))) throw Object.assign(new ProblemError(new Response("", { status: 401 }), {}), error);
    if (!(await claim(name, kept))) throw coded("sent_elsewhere");
    return fetch(url, init, subject).catch((failure) => {
      kept.at = stamp(); // the former one is claimed
      // By these the gateway says that it passed nothing on; after any other failure nobody knows.
      if (/503|429/.test(failure.status)) keep(failure);
      throw failure;
    });
  }, keep); // nobody can say who came back
}
