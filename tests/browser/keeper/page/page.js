// @ts-check
/** An app that is nothing but its client: notes what it is told, for the tests to read. */

import * as client from "/auth/client.js";

/** @type {{kind: string, data: any, at: number}[]} */
const told = [];
/** @param {string} kind @returns {(data?: any) => void} */
const tell = (kind) => (data) => told.push({ kind, data: data ?? null, at: Date.now() });
/** @param {any} failure */
const plain = ({ name: error, code, status, reason }) => ({ error, code, status, reason });

/**
 * Calls, and notes the answer under a name; a call that is never answered notes nothing.
 * @param {string} name
 * @param {RequestInfo | URL} input
 * @param {import("/auth/client.js").CallInit} [init]
 */
function call(name, input, init) {
  follow(name, client.fetch(input, init));
}

/** @param {string} name @param {Promise<Response>} answer */
function follow(name, answer) {
  answer.then(
    async (response) => tell("answer")({ name, status: response.status, text: await response.text() }),
    (error) => tell("failed")({ name, ...plain(error) }),
  );
}

/** @param {import("/auth/client.js").LoginOptions} options */
function signIn(options) {
  client.login(options).then(tell("login"), (error) => tell("login-failed")(plain(error)));
}

const everyByte = () => Uint8Array.from({ length: 76_800 }, (_, at) => at % 256);
/** @type {Record<string, (text: string) => BodyInit>} */
const bodies = {
  text: (text) => text,
  bytes: everyByte,
  blob: () => new Blob([everyByte()]),
  form: () => new URLSearchParams({ a: "ä&", b: "1" }),
};

client.onSession(tell("session"));
client.onSessionEnded(tell("ended"));
client.onReach(tell("reach"));
client.events({
  changed: tell("changed"),
  missed: tell("missed"),
  ending: tell("ending"),
  extended: tell("extended"),
  refreshed: tell("refreshed"),
  live: tell("live"),
});
/** @type {import("/auth/client.js").SignInNeeded | undefined} */
let needed;
const listen = () => client.onSignInNeeded((told) => {
  needed = told;
  tell("needed")({ reason: told.reason, loginUrl: told.loginUrl });
});
if (location.search.includes("waits")) listen();
if (location.search.includes("by-itself")) signIn({ popup: true });
document.getElementById("popup")?.addEventListener("click", () => signIn({ popup: true }));
Object.assign(window, { client, told, bodies, call, follow, signIn, listen, giveUp: () => needed?.giveUp() });
client.session().then(tell("ready"), (error) => tell("ready")(plain(error)));
