// @ts-check
/** The person's own sessions, in whatever browser: which there are, and how they are ended. */

import { ProblemError, endSessions, logout, sessions } from "/auth/client.js";
import * as texts from "../../i18n/sessions.js";
import { confirmed } from "../confirm.js";
import { h, icon } from "../dom.js";
import { explain, isSessionEnd } from "../faults.js";
import { announce, errorState, heading, retryWhenOnline, skeleton } from "../parts.js";
import { inLanguage, keepSettings } from "../preferences.js";
import { ago, moment } from "../times.js";

/** @typedef {import("/auth/client.js").OwnSession} OwnSession */
/** @typedef {(session: OwnSession) => void} End */

const AGING_MS = 20_000;
const GONE = 404;

/**
 * @param {import("../router.js").Visit} visit
 * @returns {import("../parts.js").View}
 */
export function sessionsView({ signal }) {
  const s = inLanguage(texts);
  const said = h("p", { class: "said", role: "status", tabindex: -1, "data-testid": "said" });
  const list = h("div", { class: "part", "aria-busy": "true", tabindex: -1 }, h("div", { class: "panel" }, skeleton(5)));
  const ways = h("div", { class: "actions session-ways" });
  const page = new Page(signal, list, ways, said);
  page.read();
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && page.read(), { signal });
  const aging = setInterval(() => page.age(), AGING_MS);
  signal.addEventListener("abort", () => clearInterval(aging));
  return { title: s.title, node: h("div", { class: "sessions" }, heading(s.title), h("p", { class: "lead" }, s.lead), list, said, ways) };
}

class Page {
  /**
   * @param {AbortSignal} signal of the visit
   * @param {HTMLElement} list
   * @param {HTMLElement} ways
   * @param {HTMLElement} said
   */
  constructor(signal, list, ways, said) {
    this.s = inLanguage(texts);
    this.signal = signal;
    this.list = list;
    this.ways = ways;
    this.said = said;
    /** @type {OwnSession[]} */
    this.known = [];
    this.isBusy = false;
  }

  async read() {
    try {
      this.known = (await sessions()).sort((one, other) => Number(other.current) - Number(one.current));
    } catch (error) {
      return this.fail(error);
    }
    return this.signal.aborted ? undefined : this.show();
  }

  /** @param {unknown} error */
  fail(error) {
    if (this.signal.aborted || isSessionEnd(error)) return;
    const again = () => this.read();
    retryWhenOnline(error, this.signal, again);
    if (this.known.length > 0) return; // what is shown is still the best there is
    this.list.removeAttribute("aria-busy");
    this.list.replaceChildren(errorState(error, again));
  }

  show() {
    const others = this.known.filter(({ current }) => !current);
    const focused = this.list.contains(document.activeElement) ? document.activeElement : null;
    const id = focused?.closest("li")?.dataset.key;
    this.list.removeAttribute("aria-busy");
    this.list.replaceChildren(
      h("ul", { class: "session-list panel", role: "list", "aria-label": this.s.list, "data-testid": "sessions" },
        this.known.map((one) => this.row(one))),
      others.length === 0 ? this.nothingElse() : "");
    this.ways.replaceChildren(...[
      others.length > 0 && h("button", { type: "button", class: "button button-quiet", "data-testid": "end-others",
        onclick: () => this.endOthers(others.length) }, this.s.others),
      h("button", { type: "button", class: "button button-quiet", "data-testid": "everywhere", onclick: () => this.leave() },
        this.s.everywhere)].filter((way) => way instanceof Node));
    this.age();
    if (!focused) return;
    const same = this.list.querySelector(`li[data-key="${CSS.escape(id ?? "")}"] button`);
    (same instanceof HTMLElement ? same : this.list).focus();
  }

  nothingElse() {
    return h("div", { class: "only", "data-testid": "only" }, icon("devices"),
      h("div", {}, h("h2", {}, this.s.only), h("p", { class: "quiet" }, this.s.onlyText)));
  }

  /** @param {OwnSession} one */
  row(one) {
    const { s } = this;
    const button = h("button", { type: "button", class: "button button-quiet",
      "aria-label": one.current ? undefined : s.endOf(one.device),
      onclick: () => (one.current ? this.signOut() : this.end(one)) }, one.current ? s.signOut : s.end);
    return h("li", { "data-key": one.id, "data-testid": one.current ? "session-current" : "session" },
      h("div", { class: "session-what" },
        h("p", { class: "session-device" }, h("strong", {}, one.device), one.current && h("span", { class: "pill pill-open" }, s.current)),
        h("p", { class: "quiet" }, one.address ? s.address(readable(one.address)) : s.unknownPlace)),
      h("dl", { class: "session-times" },
        time(s.seen, one.last_seen_at, true), time(s.since, one.created_at), time(s.ends, one.ends_at)),
      button);
  }

  /** Says anew how long ago everything was. */
  age() {
    for (const place of this.list.querySelectorAll("[data-ago]")) {
      place.textContent = ago(/** @type {HTMLElement} */ (place).dataset.ago ?? "", this.s.now);
    }
  }

  /**
   * @param {() => Promise<string | void>} work says what was done; or nothing, when this page is left
   * @param {string} [meanwhile]
   */
  async change(work, meanwhile = "") {
    if (this.isBusy) return;
    this.isBusy = true;
    this.said.textContent = meanwhile;
    try {
      const done = await work();
      if (done === undefined) return;
      this.said.textContent = done;
    } catch (error) {
      const { title, text } = explain(error);
      this.said.textContent = isSessionEnd(error) ? "" : `${title}. ${text}`;
    }
    this.isBusy = false;
    await this.read();
    if (document.activeElement === document.body) this.said.focus(); // what had the focus is gone
  }

  /** @param {OwnSession} one */
  end({ id, device }) {
    return this.change(async () => {
      const ended = await endSessions(id).catch((error) => {
        if (error instanceof ProblemError && error.status === GONE) return 0;
        throw error;
      });
      return ended > 0 ? this.s.ended(device) : this.s.gone(device);
    }, this.s.ending(device));
  }

  /** @param {{title: string, text: string, yes: string}} question */
  ask = (question) => confirmed({ ...question, signal: this.signal });

  /** @param {number} number */
  async endOthers(number) {
    if (!(await this.ask(this.s.askOthers(number)))) return;
    await this.change(async () => this.s.othersEnded(await endSessions()));
  }

  async signOut() {
    if (await this.ask(this.s.askSignOut)) await this.change(() => (keepSettings(), logout()));
  }

  async leave() {
    if (!(await this.ask(this.s.askEverywhere(this.known.length)))) return;
    announce(this.s.askEverywhere(this.known.length).yes);
    await this.change(() => (keepSettings(), logout({ everywhere: true })));
  }
}

/** @param {string} address or a network, as 192.0.2.0/24, of which the rest is not kept */
function readable(address) {
  const [network = "", bits] = address.split("/");
  if (bits === undefined) return network;
  if (network.includes(":")) return `${network.replace(/::?$/, "")}:…`;
  const known = Math.floor(Number(bits) / 8);
  return network.split(".").map((part, index) => (index < known ? part : "x")).join(".");
}

/**
 * @param {string} name
 * @param {string} iso
 * @param {boolean} [isRelative] how long ago, too
 */
function time(name, iso, isRelative = false) {
  return h("div", {}, h("dt", {}, name), h("dd", {},
    isRelative && h("span", { "data-ago": iso }), h("time", { datetime: iso, class: isRelative ? "quiet" : undefined }, moment(iso))));
}
