// @ts-check
/** Starts the app, and keeps what is on the screen true to the session: whose it is, that it ended, that it goes on. */

import { NetworkError, ProblemError, events, onSession, onSignInNeeded, session } from "/auth/client.js";
import { h } from "./dom.js";
import { isAborted } from "./faults.js";
import { loaded, whenIdle } from "./late.js";
import { forget, readProfile } from "./lexoffice.js";
import { listen } from "./live.js";
import { nameOf } from "./menu.js";
import { forgetNames } from "./names.js";
import { showEnding, showMessage } from "./notices.js";
import { t } from "./preferences.js";
import { followReach } from "./reach.js";
import { followLink } from "./router.js";
import { buildShell, showLive } from "./shell.js";
import { signedOutPage, unreachablePage } from "./signed-out.js";
import { showTitle } from "./title.js";
import { isVeiled, veilWhenLeft } from "./veil.js";
import { leave, visit } from "./visits.js";

/** @typedef {import("/auth/client.js").ActiveSession} ActiveSession */
/** @typedef {import("/auth/client.js").InactiveReason} InactiveReason */

const ASK_AGAIN_SECONDS = 5;
/** Nobody ended the session on purpose: what is on the screen may stay for whoever sits there, under a dialog. */
const RAN_OUT = new Set(["idle", "expired", "refresh_lost"]);
const OTHER_PERSON = "lexgate.other-person";

/** @type {ActiveSession | undefined} whose data are on the screen */
let present;
let wasUsed = false; // somebody's data were on the screen, and may still be known
let hasAsked = false; // this page itself
let isEnded = false; // the dialog is over it, or on its way
/** @type {(() => void) | undefined} */
let giveUpCalls;
let shell = buildShell(undefined, () => {});
/** @type {InactiveReason | undefined} */
let outReason;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let nextTry;

const loadSessionEnd = () => loaded(() => import("./session-end.js"), "dialogs");
const loadNews = () => loaded(() => import("./news.js"), "news");

async function start() {
  clearTimeout(nextTry);
  try {
    const now = await session();
    hasAsked = true;
    keepUp(now);
  } catch (error) {
    hasAsked = true;
    showUnreachable(error);
  }
}

/** @param {import("/auth/client.js").Session} now what is new about it, in this tab or any other */
function keepUp(now) {
  if (!now.active) return tellEnd(now.reason);
  if (!present) return wasUsed || (outReason && outReason !== "none") ? startAnew(now) : showApp(now);
  if (!isSamePerson(now, present)) return startAnew(now);
  present = now;
  return isEnded ? goOn() : undefined;
}

/** @param {ActiveSession} one @param {ActiveSession} other */
const isSamePerson = (one, other) =>
  one.subject === other.subject && one.claims.organization_id === other.claims.organization_id;

/** @param {ActiveSession} found */
function showApp(found) {
  const isFirst = present === undefined;
  present = found;
  wasUsed = true;
  outReason = undefined;
  shell = buildShell(found, () => showApp(present ?? found));
  visit({ shell, session: found }, false);
  if (!found.claims.organization) nameCompany(shell);
  if (!isFirst) return void loadNews().then(({ placeNews }) => placeNews(), () => {});
  clearTimeout(nextTry);
  listen();
  events({ ending: showEnding, extended: () => showEnding(undefined), live: showLive });
  tellWhoseItIs(found);
  whenIdle(() => { // the dialog has to be there when nothing can be loaded any more
    loadSessionEnd().catch(() => {});
    loadNews().then(({ followNews }) => followNews(), () => {});
  });
}

/** @param {InactiveReason} reason told at once, wherever the reader is */
function tellEnd(reason) {
  showEnding(undefined);
  if (present && RAN_OUT.has(reason)) return cover(reason);
  if (present && isEnded && reason === "none") return; // why it ended is known better already
  giveUpCalls?.();
  if (reason.startsWith("signed_out")) forgetDrafts();
  if (!present) return showSignedOut(reason);
  leave();
  forget();
  forgetNames();
  uncover();
  showSignedOut(reason);
  shell.main.querySelector("h1")?.focus();
}

/** What was begun is kept for whoever comes back, but not beyond a sign-out on purpose. */
function forgetDrafts() {
  import("./invoice/keeping.js").then(({ forgetAllDrafts }) => forgetAllDrafts(), () => {});
}

/** @param {InactiveReason} reason */
async function cover(reason) {
  if (isEnded) return;
  isEnded = true;
  try {
    const { showSessionEnd } = await loadSessionEnd();
    if (isEnded) showSessionEnd(reason);
  } catch {
    if (!isEnded) return; // offline from the first moment on: without the dialog, the data do not stay
    leave();
    isEnded = false;
    showSignedOut(reason);
  }
}

/** @returns {boolean} whether there was a dialog; it is gone, and the focus is where it was */
function uncover() {
  const was = isEnded;
  isEnded = false;
  giveUpCalls = undefined;
  if (was) loadSessionEnd().then(({ hideSessionEnd }) => hideSessionEnd(), () => {});
  return was;
}

/** The same person is back: what was on the screen goes on. */
function goOn() {
  if (uncover()) showMessage(t.ended.back);
}

/** @param {ActiveSession} found somebody, where the page may still know things of somebody else: nothing of that remains */
function startAnew(found) {
  leave();
  forget();
  document.body.replaceChildren();
  const isOther = present !== undefined && !isSamePerson(found, present);
  if (isOther) remember(OTHER_PERSON, "yes");
  if (isOther) location.replace("/");
  else location.reload();
}

/** @param {ActiveSession} found who has just taken somebody else's place, perhaps unawares */
function tellWhoseItIs(found) {
  if (remember(OTHER_PERSON, null)) showMessage(t.otherPerson(nameOf(found)), { stays: true });
}

/**
 * @param {string} name
 * @param {string | null} value
 * @returns {string | null} what was there
 */
function remember(name, value) {
  try {
    const before = sessionStorage.getItem(name);
    if (value === null) sessionStorage.removeItem(name);
    else sessionStorage.setItem(name, value);
    return before;
  } catch {
    return null; // storage is switched off
  }
}

/** @param {InactiveReason} reason */
function showSignedOut(reason) {
  clearTimeout(nextTry);
  present = undefined;
  if (outReason === reason) return;
  drawSignedOut(reason);
}

/** @param {InactiveReason} reason */
function drawSignedOut(reason) {
  outReason = reason;
  shell = buildShell(undefined, () => drawSignedOut(reason));
  shell.main.replaceChildren(signedOutPage(reason));
  showTitle(t.signedOut.title);
}

/** @param {unknown} error */
function showUnreachable(error) {
  if (!(error instanceof ProblemError || error instanceof NetworkError)) throw error;
  if (present || outReason) return;
  shell = buildShell(undefined, () => showUnreachable(error));
  shell.main.replaceChildren(unreachablePage(start));
  showTitle(t.faults.startHeading);
  const seconds = error instanceof ProblemError ? error.retryAfter : undefined;
  clearTimeout(nextTry);
  nextTry = setTimeout(start, (seconds ?? ASK_AGAIN_SECONDS) * 1000);
}

/** @param {typeof shell} current the name is not in every authorization server's claims, but always in the profile */
async function nameCompany({ nameCompany: name }) {
  try {
    const profile = await readProfile(new AbortController().signal);
    name(profile.companyName ?? "");
  } catch (error) {
    if (!(error instanceof Error)) throw error; // the header can do without
  }
}

/** To the view of the address, which is another now. */
function move() {
  if (!present || isEnded) return;
  session().catch(() => {}); // a view of remembered answers alone would not notice that the session has ended
  visit({ shell, session: present }, true);
}

// What another tab was told may be older than this page, which perhaps comes from a sign-in of somebody else.
onSession((now) => (hasAsked && !isVeiled() ? keepUp(now) : undefined));
onSignInNeeded(({ reason, giveUp }) => {
  giveUpCalls = giveUp;
  tellEnd(reason);
});
followReach();
document.addEventListener("click", followLink);
addEventListener("popstate", move);
addEventListener("lexgate:visit", move);
veilWhenLeft(keepUp);
addEventListener("unhandledrejection", (event) => isAborted(event.reason) && event.preventDefault());

shell.main.replaceChildren(h("p", { class: "visually-hidden", role: "status" }, t.loading));
await start();
