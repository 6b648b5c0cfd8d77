"""Every error of the gateway, split by whose fault it is.

    GatewayError
    |-- BrowserError                  the request is at fault: 4xx
    |   |-- NavigationRequired            403 navigation_required
    |   |-- CrossSiteRefused              403 cross_site_refused, csrf_header_missing
    |   |-- SessionRequired               401 session_required
    |   |-- PathRefused                   400 path_refused
    |   |-- RouteUnknown                  404 route_unknown
    |   |-- MethodRefused                 405 method_refused
    |   |-- BudgetExhausted               429 budget_exhausted
    |   |-- TooManyStreams                429 too_many_streams
    |   |-- BodyTooLarge                  413 body_too_large
    |   |-- RequestInvalid                400 request_invalid
    |   |-- RequestTooSlow                408 request_too_slow
    |   |-- RequestHeadTooLarge           431 request_head_too_large
    |   |-- RequestTargetTooLong          414 request_target_too_long
    |   |-- ParameterRepeated             400 parameter_repeated
    |   |-- StateUnknown                  400 state_unknown
    |   |-- LoginAttemptExpired           400 login_attempt_expired
    |   |-- AuthorizationResponseSpent    400 authorization_response_spent
    |   |-- IssuerMismatch                400 issuer_mismatch
    |   |-- AuthorizationDenied           403 access_denied
    |   |-- LogoutTokenInvalid            400 logout_token_invalid
    |   |-- WebhookSignatureInvalid       401 webhook_signature_invalid
    |   |-- WebhookInvalid                400 webhook_invalid
    |   |-- WebhookOutdated               400 webhook_outdated
    |   `-- WebhookBusy                   429 webhook_busy
    |-- GatewayFull                   503 gateway_full: as many connections as it holds
    |-- AuthorizationServerError      the authorization server is at fault: 502, 503, 504
    |   |-- AuthorizationServerUnreachable  503 authorization_server_unreachable
    |   |-- AuthorizationServerBusy         503 authorization_server_busy
    |   |-- AuthorizationServerTimeout      504 authorization_server_timeout
    |   |-- AuthorizationRefused            502 authorization_refused
    |   |-- TokenRequestRefused             502 token_request_refused
    |   |   |-- GrantRefused                    502 invalid_grant: the grant is dead
    |   |   `-- ClientRefused                   503 client_refused: the operator's to mend
    |   |-- TokenResponseInvalid            502 token_response_invalid
    |   |-- MetadataInvalid                 502 metadata_invalid
    |   |-- IdTokenInvalid                  502 id_token_invalid
    |   |   |-- KeyUnknown                      502 id_token_invalid: fetch the keys again
    |   |   `-- IdTokenUntimely                 502 id_token_invalid: one of the clocks is wrong
    |   `-- IdentityInvalid                 502 identity_invalid
    |-- ResourceServerError           the resource server is at fault: 502, 503, 504
    |   |-- ResourceServerUnreachable       502 resource_server_unreachable
    |   |-- ResourceServerTimeout           504 resource_server_timeout
    |   |-- ResourceServerBroken            502 resource_server_broken
    |   |-- UpstreamFull                    503 upstream_full
    |   |-- ResendRequired                  503 resend_required
    |   `-- NotCached                       504 not_cached: the request forbade to ask the resource server
    |-- DevServerError                the dev server of `--dev` is at fault: 502
    |   |-- DevServerUnreachable            502 dev_server_unreachable
    |   `-- DevServerBroken                 502 dev_server_broken
    |-- StoreError                    the session store is at fault: 503
    |   |-- StoreUnavailable                503 store_unavailable
    |   |-- RecordUnreadable                503 record_unreadable
    |   `-- ClockSkewed                     503 clock_skewed
    `-- ConfigurationError            the operator is asked, at boot: every problem at once

`detail` is public: it reaches browsers. `log_detail` is for the operator's log alone. Neither ever holds a
token, code, secret or session id.
"""

from __future__ import annotations

from typing import ClassVar


class GatewayError(Exception):
    """Root of the tree; `code` is stable, `status` an HTTP status, `title` a short public sentence.

    `problem_type` is a URI that says more of it to programs (RFC 9457 §3.1.1).
    """

    code: str = "internal_error"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "The gateway failed"
    problem_type: ClassVar[str] = "about:blank"

    def __init__(self, detail: str = "", *, log_detail: str = "", retry_after: int | None = None) -> None:
        super().__init__(log_detail or detail or self.title)
        self.detail = detail
        self.log_detail = log_detail
        self.retry_after = retry_after
        """Seconds after which trying again makes sense, or None."""


class BrowserError(GatewayError):
    """The browser's request is at fault."""

    code = "request_refused"
    status = 400
    title = "The request was refused"


class NavigationRequired(BrowserError):
    """A page that starts a sign-in was requested by something other than a top-level navigation."""

    code = "navigation_required"
    status = 403
    title = "This address is for top-level navigation only"


class CrossSiteRefused(BrowserError):
    """The request did not provably come from the app's own origin."""

    code = "cross_site_refused"
    status = 403
    title = "The request did not come from this app"

    def __init__(self, detail: str = "", *, cause: str) -> None:
        super().__init__(detail, log_detail=cause)
        self.cause = cause
        """Which check refused: a short constant, fit for a metric label."""
        if cause == "csrf_header_missing":
            self.code = cause


class SessionRequired(BrowserError):
    """There is no live session; `reason` says why: none, idle, expired, signed_out, grant_ended, ..."""

    code = "session_required"
    status = 401
    title = "Sign in first"

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.reason = reason


class PathRefused(BrowserError):
    """The path could be read in two ways, so it is read in none."""

    code = "path_refused"
    title = "The path is not allowed"


class RouteUnknown(BrowserError):
    """No route leads anywhere from this path."""

    code = "route_unknown"
    status = 404
    title = "There is nothing at this address"


class MethodRefused(BrowserError):
    """The route does not allow the method."""

    code = "method_refused"
    status = 405
    title = "The method is not allowed here"

    def __init__(self, allowed: tuple[str, ...]) -> None:
        super().__init__()
        self.allowed = allowed


class WebSocketRefused(BrowserError):
    """The route allows no WebSockets, or the resource server refused this one."""

    code = "websocket_refused"
    status = 403
    title = "No WebSocket can be opened here"


class SessionBusy(BrowserError):
    """The session has as many calls or WebSockets open as it may (RFC 6585 §4)."""

    code = "session_busy"
    status = 429
    title = "Too many calls at once"


class BudgetExhausted(BrowserError):
    """The call's turn within the API's rate limit would come later than its caller would wait.

    `policy` and `limit` are the RateLimit-Policy and RateLimit fields that go with the answer.
    """

    code = "budget_exhausted"
    status = 429
    title = "Too many calls are waiting for the API"
    problem_type = "https://iana.org/assignments/http-problem-types#quota-exceeded"
    policy_name: ClassVar[str] = "default"

    def __init__(self, *, retry_after: int, policy: str, limit: str) -> None:
        super().__init__(retry_after=retry_after)
        self.policy = policy
        self.limit = limit


class TooManyStreams(BrowserError):
    """The session has as many streams of events open as it may (RFC 6585 §4)."""

    code = "too_many_streams"
    status = 429
    title = "Too many streams of events at once"


class BodyTooLarge(BrowserError):
    """The request body exceeds the route's limit."""

    code = "body_too_large"
    status = 413
    title = "The request body is too large"


class RequestInvalid(BrowserError):
    """A parameter or header is malformed."""

    code = "request_invalid"
    title = "The request is malformed"


class RequestTooSlow(BrowserError):
    """The head of the request, or its body, did not come in time."""

    code = "request_too_slow"
    status = 408
    title = "The request took too long to arrive"


class RequestHeadTooLarge(BrowserError):
    """The request line and header fields are more than the gateway takes (RFC 6585 §5)."""

    code = "request_head_too_large"
    status = 431
    title = "The request head is too large"


class RequestTargetTooLong(BrowserError):
    """The path and query string are longer than the gateway takes (RFC 9110 §15.5.15)."""

    code = "request_target_too_long"
    status = 414
    title = "The address is too long"


class ParameterRepeated(BrowserError):
    """A protocol parameter occurs twice (RFC 6749 §3.1)."""

    code = "parameter_repeated"
    title = "A parameter occurs more than once"


class StateUnknown(BrowserError):
    """No sign-in attempt of this browser has this state: stale, foreign or forged."""

    code = "state_unknown"
    title = "This sign-in was not started here"


class LoginAttemptExpired(BrowserError):
    """The sign-in attempt is older than its lifetime."""

    code = "login_attempt_expired"
    title = "The sign-in took too long"


class AuthorizationResponseSpent(BrowserError):
    """The same authorization response came a second time."""

    code = "authorization_response_spent"
    title = "This sign-in was already completed"


class IssuerMismatch(BrowserError):
    """The response names another authorization server than was asked (mix-up, RFC 9207)."""

    code = "issuer_mismatch"
    title = "The answer came from another authorization server"


class AuthorizationDenied(BrowserError):
    """The user, or the authorization server on their behalf, said no."""

    code = "access_denied"
    status = 403
    title = "Access was not granted"


class LogoutTokenInvalid(BrowserError):
    """What came as a logout token fails a check of OpenID Connect Back-Channel Logout 1.0 §2.6."""

    code = "logout_token_invalid"
    title = "The logout token is invalid"


class WebhookSignatureInvalid(BrowserError):
    """What came to the webhook has not exactly one signature, or one that is not lexoffice's."""

    code = "webhook_signature_invalid"
    status = 401
    title = "The signature is invalid"


class WebhookInvalid(BrowserError):
    """What came to the webhook is not the JSON that lexoffice documents."""

    code = "webhook_invalid"
    title = "The delivery is malformed"


class WebhookOutdated(BrowserError):
    """What came to the webhook is signed, but tells of an event too long ago, or of one to come."""

    code = "webhook_outdated"
    title = "The delivery is outdated"


class WebhookBusy(BrowserError):
    """One organization has more delivered than it has room for (RFC 6585 §4); lexoffice repeats it."""

    code = "webhook_busy"
    status = 429
    title = "Too many deliveries of one organization"


class GatewayFull(GatewayError):
    """The listener holds as many connections as it may."""

    code = "gateway_full"
    status = 503
    title = "The gateway is full just now"


class AuthorizationServerError(GatewayError):
    """The authorization server is at fault."""

    code = "authorization_server_error"
    status = 502
    title = "The authorization server failed"
    was_not_sent = False
    """Whether the request certainly did not reach it: a code or refresh token in it is then unspent."""


class AuthorizationServerUnreachable(AuthorizationServerError):
    """No connection, or it broke, or a 5xx: trying later makes sense."""

    code = "authorization_server_unreachable"
    status = 503
    title = "The authorization server cannot be reached"


class AuthorizationServerBusy(AuthorizationServerError):
    """429 from the token endpoint: wait `retry_after` seconds."""

    code = "authorization_server_busy"
    status = 503
    title = "The authorization server asks to wait"


class AuthorizationServerTimeout(AuthorizationServerError):
    """No answer within the limit."""

    code = "authorization_server_timeout"
    status = 504
    title = "The authorization server did not answer in time"


class AuthorizationRefused(AuthorizationServerError):
    """An error response at the authorization endpoint other than access_denied (RFC 6749 §4.1.2.1)."""

    code = "authorization_refused"
    title = "The authorization server refused the sign-in"


class TokenRequestRefused(AuthorizationServerError):
    """An error response of the token endpoint (RFC 6749 §5.2); `error` is its code."""

    code = "token_request_refused"
    title = "The authorization server refused the token request"

    def __init__(self, error: str, *, log_detail: str = "") -> None:
        super().__init__(log_detail=log_detail or error)
        self.error = error


class GrantRefused(TokenRequestRefused):
    """`invalid_grant`: the code or refresh token is dead, and with it the grant."""

    code = "invalid_grant"
    title = "The authorization server has ended this sign-in"


class ClientRefused(TokenRequestRefused):
    """`invalid_client` or `unauthorized_client`: this gateway is not accepted, whoever the user is."""

    code = "client_refused"
    status = 503
    title = "The authorization server does not accept this gateway"

    def __init__(self, error: str, *, log_detail: str = "") -> None:
        super().__init__(error, log_detail=log_detail)
        self.retry_after = 15


class TokenResponseInvalid(AuthorizationServerError):
    """A success from the token endpoint that is not one by RFC 6749 §5.1."""

    code = "token_response_invalid"
    title = "The authorization server sent an invalid answer"


class MetadataInvalid(AuthorizationServerError):
    """The issuer's metadata or keys are not valid (RFC 8414, OpenID Connect Discovery)."""

    code = "metadata_invalid"
    title = "The authorization server's metadata are invalid"


class IdTokenInvalid(AuthorizationServerError):
    """The id_token fails a check of OpenID Connect Core §3.1.3.7."""

    code = "id_token_invalid"
    title = "The authorization server sent an invalid identity"


class KeyUnknown(IdTokenInvalid):
    """The id_token names a key that is not in the key set: fetching the keys again may help."""


class IdTokenUntimely(IdTokenInvalid):
    """The id_token is right but for its times: expired, or of a clock that goes another way than ours."""


class IdentityInvalid(AuthorizationServerError):
    """The profile that stands for the user's identity cannot be had or read."""

    code = "identity_invalid"
    title = "The user's profile cannot be read"


class ResourceServerError(GatewayError):
    """The resource server is at fault."""

    code = "resource_server_error"
    status = 502
    title = "The API failed"


class ResourceServerUnreachable(ResourceServerError):
    """No connection was made: the request was not sent."""

    code = "resource_server_unreachable"
    title = "The API cannot be reached"


class ResourceServerTimeout(ResourceServerError):
    """No answer within the route's limit."""

    code = "resource_server_timeout"
    status = 504
    title = "The API did not answer in time"


class ResourceServerBroken(ResourceServerError):
    """The connection was lost after the request was sent: it may have been performed."""

    code = "resource_server_broken"
    title = "The API broke off"


class UpstreamFull(ResourceServerError):
    """As many calls as may be are under way to the resource server, and wait for one another."""

    code = "upstream_full"
    status = 503
    title = "Too many calls to the API are under way"


class ResendRequired(ResourceServerError):
    """The access token died under a body too large to be kept: it was renewed, and nothing was performed."""

    code = "resend_required"
    status = 503
    title = "Send the call again"


class NotCached(ResourceServerError):
    """The request asked for what is stored and nothing else (RFC 9111 §5.2.1.7), and nothing is."""

    code = "not_cached"
    status = 504
    title = "No answer is stored"


class DevServerError(GatewayError):
    """The dev server of `--dev` is at fault."""

    code = "dev_server_error"
    status = 502
    title = "The dev server failed"


class DevServerUnreachable(DevServerError):
    """Nothing listens where `--dev` says; the detail says what to start."""

    code = "dev_server_unreachable"
    title = "The dev server is not running"


class DevServerBroken(DevServerError):
    """It broke off, or what it sent is no HTTP answer."""

    code = "dev_server_broken"
    title = "The dev server broke off"


class StoreError(GatewayError):
    """The session store is at fault; nobody is signed out for it."""

    code = "store_error"
    status = 503
    title = "Sessions cannot be read just now"


class StoreUnavailable(StoreError):
    """The store does not answer, or not in time."""

    code = "store_unavailable"


class RecordUnreadable(StoreError):
    """A sealed record cannot be opened with any of the configured secrets."""

    code = "record_unreadable"


class ClockSkewed(StoreError):
    """This machine's clock is far from the store's, so that it would end sessions which live for others."""

    code = "clock_skewed"


class ConfigurationError(GatewayError):
    """What the operator has to mend: one sentence a problem, each naming its setting and what to write."""

    code = "configuration_invalid"
    title = "The configuration is invalid"

    def __init__(self, problems: list[str]) -> None:
        super().__init__(log_detail="; ".join(problems))
        self.problems = problems
