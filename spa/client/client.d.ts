/** The browser's side of the gateway, served as `/auth/client.js`. It is the only code of an app that knows `/auth/*`. */

/** Why there is no session. */
export type InactiveReason = "none" | "idle" | "expired" | "signed_out"
  | "signed_out_elsewhere" | "grant_ended" | "refresh_lost" | "replaced";

/** What the authorization server says of the person; display strings. */
export interface Claims {
  name?: string;
  email?: string;
  organization?: string;
  organization_id?: string;
  [claim: string]: unknown;
}

export interface ActiveSession {
  active: true;
  subject: string;
  claims: Claims;
  csrf_header: Record<string, string>;
  /** RFC 3339 UTC times, and the same as whole seconds from now. */
  session: {
    created_at: string;
    ends_at: string;
    idle_at: string;
    ends_in_seconds: number;
    idle_in_seconds: number;
  };
  tokens: { expires_at: string; refreshed_at: string; expires_in_seconds: number; generation: number };
}

export interface InactiveSession {
  active: false;
  reason: InactiveReason;
  login_url: string;
  csrf_header: Record<string, string>;
}

export type Session = ActiveSession | InactiveSession;

export interface SessionEnd {
  reason: InactiveReason;
  loginUrl: string;
}

/** A problem document (RFC 9457) that the gateway answered. */
export class ProblemError extends Error {
  constructor(response: Response, problem: Record<string, unknown>);
  readonly name: "ProblemError";
  /** Stable, made for programs: `session_required`, `store_unavailable`, ... */
  readonly code: string;
  readonly status: number;
  /** A public sentence for people, in English. */
  readonly title: string;
  readonly detail: string;
  /** Why there is no session; with 401 only. */
  readonly reason: InactiveReason | undefined;
  /** Where to sign in; with 401 only. */
  readonly loginUrl: string | undefined;
  /** Seconds after which trying again makes sense. */
  readonly retryAfter: number | undefined;
  /** Names the request in the gateway's log. */
  readonly requestId: string | undefined;
}

/** No answer came: offline, connection lost, blocked, or nothing for 30 s on a call of `/auth`. The request may have been performed. */
export class NetworkError extends Error {
  constructor(cause: unknown);
  readonly name: "NetworkError";
}

/**
 * Asks the gateway for the session. Never slides it; calls under way are shared.
 * @throws ProblemError when the gateway cannot tell (503: nobody is signed out), NetworkError
 */
export function session(): Promise<Session>;

/**
 * Calls back with the session whenever something about it is new: found, refreshed, prolonged, ended, signed in anew (perhaps as
 * somebody else: compare `subject`), in this tab or any other. At once with what is known already. Answers a function that stops this.
 */
export function onSession(callback: (session: Session) => void): () => void;

/** Calls back once each time a session that was there is found gone; answers a function that stops this. */
export function onSessionEnded(callback: (end: SessionEnd) => void): () => void;

export interface LoginOptions {
  /** Where to come back to: a path of this origin, by default the present one. Not for popups. */
  returnTo?: string;
  /**
   * In a window of its own, so that the page stays as it is: call it in a click. Where the browser blocks the window, the page
   * itself is left, as without `popup`, unless that would lose a write that waits for the sign-in: then `login` fails with an
   * Error whose `code` is `popup_blocked`. `false` by default.
   */
  popup?: boolean;
}

/**
 * Signs in. With `popup` the promise is kept with the session once somebody has signed in, in that window or in another tab;
 * whoever closes the window can be asked again. Without, the page is left, and the promise stays open.
 */
export function login(options?: LoginOptions): Promise<Session>;

/**
 * Ends the session, or with `everywhere` all sessions of the person, then leaves the page: for the authorization server's logout
 * page, or for `returnTo`, by default `/`.
 * @throws ProblemError, NetworkError when the session goes on
 */
export function logout(options?: { everywhere?: boolean; returnTo?: string }): Promise<void>;

/** One of the person's own sessions, in whatever browser. */
export interface OwnSession {
  id: string;
  /** This one. */
  current: boolean;
  /** As "Firefox on Windows". */
  device: string;
  /** As much of the address as the operator keeps; or null. */
  address: string | null;
  created_at: string;
  last_seen_at: string;
  ends_at: string;
}

/** The person's own sessions, the last active one first. @throws ProblemError, NetworkError */
export function sessions(): Promise<OwnSession[]>;

/** Ends one of them, or without an id all but this one; answers how many. @throws ProblemError, NetworkError */
export function endSessions(id?: string): Promise<number>;

/** Keeps the session from ending for lack of use, and renews the access token. @throws ProblemError, NetworkError */
export function keepAlive(): Promise<Session>;

/**
 * The platform's `fetch` for calls of the gateway's origin: adds the CSRF header and the session cookie. Other answers than the
 * gateway's own problem documents come back as they are, errors of the resource server included. A call that is refused for want of a session
 * waits for `onSignInNeeded`, where somebody listens to that.
 * @throws ProblemError for a problem document of the gateway, NetworkError, and `AbortError` as the platform's
 */
export function fetch(input: RequestInfo | URL, init?: CallInit): Promise<Response>;

export interface CallInit extends RequestInit {
  /** Which calls go first where the resource server's limit makes them wait (RFC 9218): 0 the first, 7 the last, 3 by default. */
  urgency?: number;
  /** Seconds that the call may wait for its turn, at most 25; when it cannot be had in time, 429 comes at once. */
  patience?: number;
  /**
   * What becomes of the call if the session has ended: `false`, it fails at once; by default it waits for the sign-in of
   * `onSignInNeeded`; a name, and it also outlives this page (method, URL, headers and a text body of at most 256 KB, in this
   * tab alone, for an hour; here it fails when the page is left), to be had again by `resume`. One call for each name: a new one
   * takes the place of what was kept by it.
   */
  resume?: boolean | string;
}

/** Calls wait for somebody to sign in. */
export interface SignInNeeded {
  reason: InactiveReason;
  loginUrl: string;
  /** Lets them fail, each with its 401; those with a name are forgotten. */
  giveUp(): void;
}

/**
 * From now on, calls that meet the end of the session do not fail with 401 but wait, and this is called back, once for all of
 * them. When the same person has signed in again (`login`, or in another tab), each is sent again, once. If it is somebody
 * else, they fail. Answers a function that stops this.
 */
export function onSignInNeeded(callback: (needed: SignInNeeded) => void): () => void;

/**
 * Sends the call again that this tab kept under a name when it left to sign in: once, and only if the same person came back.
 * Undefined if there is none. Where the gateway says that it passed nothing on (503, 429), or nobody can say who came back, the
 * call is kept as it was, for another `resume`; after any other failure it is not, for it may have been performed.
 * @throws as `fetch`, and an Error whose `code` is `sent_elsewhere` where a duplicate of this tab sends it at the same time
 */
export function resume(name: string): Promise<Response> | undefined;

/** Seconds until the answer asks to be called again (`Retry-After`: seconds or a date), or undefined. */
export function retryAfter(response: Response): number | undefined;

/** Calls of `/api` that have no answer yet. */
export interface Waiting {
  /** How many; 0 when the wait is over. */
  calls: number;
  /** What one call takes while the gateway lets them pass in turn; undefined as long as nothing tells. */
  secondsPerCall: number | undefined;
}

/** Calls back when a call is late (0.7 s), then whenever one begins or ends, up to the last; answers a function that stops this. */
export function onWaiting(callback: (waiting: Waiting) => void): () => void;

/** How the gateway can be reached. Neither `offline` nor `outage` is news of the session: nobody is signed out. */
export interface Reach {
  /** `offline`: no answer comes. `outage`: the gateway says that something it needs is down (503). */
  state: "online" | "offline" | "outage";
  /** Seconds after which it is tried again; with `outage` only. */
  retryAfter?: number;
}

/** Calls back at once, and whenever it changes; the keeper tries again by itself. Answers a function that stops this. */
export function onReach(callback: (reach: Reach) => void): () => void;

/** Something changed at lexoffice. */
export interface LexofficeEvent {
  /** As lexoffice names it: `invoice.changed`, `contact.created`, `payment.changed`, ... */
  type: string;
  resourceId: string;
  date: string;
}

export interface EventListeners {
  /** Something changed in the books of the user's organization. */
  changed?(event: LexofficeEvent): void;
  /** Events may have been missed: all that is shown may be out of date. */
  missed?(): void;
  /** The session ends soon, unless it is used (`idle`), or come what may (`expired`). */
  ending?(ending: { inSeconds: number; reason: "idle" | "expired" }): void;
  /** The session does not end as soon as was told. */
  extended?(): void;
  /** The access token was renewed. */
  refreshed?(tokens: { expiresAt: string; generation: number }): void;
  /** Whether events come now, when that is known and whenever it changes. */
  live?(isLive: boolean): void;
}

/**
 * Listens to the gateway's events. One stream serves all tabs of the browser: the keeper holds it, opens it again after any
 * failure, and tells what came in between. A session that ends is told by `onSessionEnded`. Answers a function that stops this.
 */
export function events(listeners: EventListeners): () => void;

/** For an app that bundles this client and is not served by the gateway itself: the gateway's origin. To be called first. */
export function setGateway(origin: string): void;
