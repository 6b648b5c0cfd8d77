// @ts-check
/** Starts the app: asks for the session, then shows the view of the address, again at every change of either. */

import { NetworkError, ProblemError, events, onSessionEnded, session } from "/auth/client.js";
import { h } from "./dom.js";
import { isAborted } from "./faults.js";
import { forget, readProfile } from "./lexoffice.js";
import { listen } from "./live.js";
import { showEnding } from "./notices.js";
import { t } from "./preferences.js";
import { followLink } from "./router.js";
import { showSessionEnd } from "./session-end.js";
import { buildShell, showLive } from "./shell.js";
import { signedOutPage, unreachablePage } from "./signed-out.js";
import { showTitle } from "./title.js";
import { leave, visit } from "./visits.js";

/** @typedef {import("/auth/client.js").ActiveSession} ActiveSession */

const ASK_AGAIN_SECONDS = 5;
/** Nobody ended the session on purpose: what is on the screen may stay for whoever sits there, under a dialog. */
const RAN_OUT = new Set(["idle", "expired", "refresh_lost"]);

/** @type {ActiveSession | undefined} */
let present;
let shell = buildShell(undefined, () => {});
/** @type {ReturnType<typeof setTimeout> | undefined} */
let nextTry;

async function start() {
  clearTimeout(nextTry);
  try {
    const found = await session();
    if (found.active) {
      showApp(found);
      listen();
      events({ ending: showEnding, extended: () => showEnding(undefined), live: showLive });
    } else {
      showSignedOut(found.reason);
    }
  } catch (error) {
    showUnreachable(error);
  }
}

/** @param {ActiveSession} found */
function showApp(found) {
  present = found;
  shell = buildShell(found, () => showApp(found));
  visit({ shell, session: found }, false);
  if (!found.claims.organization) nameCompany(shell);
}

/** @param {import("/auth/client.js").SessionEnd} end told at once, wherever the reader is */
function tellEnd(end) {
  showEnding(undefined);
  if (!present || RAN_OUT.has(end.reason)) return showSessionEnd(end);
  leave();
  forget();
  showSignedOut(end.reason);
  return shell.main.querySelector("h1")?.focus();
}

/** @param {import("/auth/client.js").InactiveReason} reason */
function showSignedOut(reason) {
  present = undefined;
  shell = buildShell(undefined, () => showSignedOut(reason));
  shell.main.replaceChildren(signedOutPage(reason));
  showTitle(t.signedOut.title);
}

/** @param {unknown} error */
function showUnreachable(error) {
  if (!(error instanceof ProblemError || error instanceof NetworkError)) throw error;
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
  if (!present) return;
  session().catch(() => {}); // a view of remembered answers alone would not notice that the session has ended
  visit({ shell, session: present }, true);
}

const isDialogOpen = () => document.querySelector("dialog[open]") !== null;

/** Whoever comes back to this tab may have signed out, or in as somebody else, in another. */
async function lookAgain() {
  if (document.visibilityState !== "visible") return;
  const shown = isDialogOpen() ? undefined : present;
  const now = await session().catch(() => undefined); // an outage is no news of the session
  if (now?.active && now.subject !== shown?.subject) location.reload();
  // Back to the page after signing out: the browser kept it as it was, but it is nobody's any more.
  if (now?.active === false && present && !isDialogOpen()) location.reload();
}

onSessionEnded(tellEnd);
document.addEventListener("click", followLink);
addEventListener("popstate", move);
addEventListener("lexgate:visit", move);
addEventListener("pageshow", (event) => event.persisted && lookAgain());
document.addEventListener("visibilitychange", lookAgain);
addEventListener("unhandledrejection", (event) => isAborted(event.reason) && event.preventDefault());

shell.main.replaceChildren(h("p", { class: "visually-hidden", role: "status" }, t.loading));
await start();
