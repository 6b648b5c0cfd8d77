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

/** No answer came: offline, connection lost, or blocked. The request may have been performed. */
export class NetworkError extends Error {
  constructor(cause: unknown);
  readonly name: "NetworkError";
}

/**
 * Asks the gateway for the session. Never slides it; calls under way are shared.
 * @throws ProblemError when the gateway cannot tell (503: nobody is signed out), NetworkError
 */
export function session(): Promise<Session>;

/** Leaves the page to sign in, and comes back to `returnTo`: a path of this origin, by default the present one. */
export function login(options?: { returnTo?: string }): void;

/**
 * Ends the session, then leaves the page, for the authorization server's logout page or for `/`.
 * @throws ProblemError, NetworkError when the session goes on
 */
export function logout(): Promise<void>;

/**
 * The platform's `fetch` for calls of this origin: adds the CSRF header and the session cookie. Other answers than
 * problem documents come back as they are, errors of the resource server included.
 * @throws ProblemError for a problem document that is not 2xx, NetworkError, and `AbortError` as the platform's
 */
export function fetch(input: RequestInfo | URL, init?: CallInit): Promise<Response>;

export interface CallInit extends RequestInit {
  /** Which calls go first where the resource server's limit makes them wait (RFC 9218): 0 the first, 7 the last, 3 by default. */
  urgency?: number;
  /** Seconds that the call may wait for its turn, at most 25; when it cannot be had in time, 429 comes at once. */
  patience?: number;
}

/** Keeps the session from ending for lack of use, and renews the access token. */
export function keepAlive(): Promise<Session>;

/** Seconds until the answer asks to be called again (`Retry-After`: seconds or a date), or undefined. */
export function retryAfter(response: Response): number | undefined;

/** Calls back once each time a session that was there is found gone; answers a function that stops this. */
export function onSessionEnded(callback: (end: SessionEnd) => void): () => void;

/** Calls of `/api` that have no answer yet. */
export interface Waiting {
  /** How many; 0 when the wait is over. */
  calls: number;
  /** What one call takes while the gateway lets them pass in turn; undefined as long as nothing tells. */
  secondsPerCall: number | undefined;
}

/** Calls back when a call is late (0.7 s), then whenever one begins or ends, up to the last; answers a function that stops this. */
export function onWaiting(callback: (waiting: Waiting) => void): () => void;

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
 * Listens to the gateway's events, with one stream for all listeners of a page: closed while the page is hidden for
 * long, opened again with what came in between, and after any failure. A session that ends is told by
 * `onSessionEnded`. Answers a function that stops this.
 */
export function events(listeners: EventListeners): () => void;
