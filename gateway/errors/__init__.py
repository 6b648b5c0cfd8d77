"""Every error of the gateway, split by whose fault it is.

    GatewayError
    |-- BrowserError                  the request is at fault: 4xx
    |   |-- NavigationRequired            403 navigation_required
    |   |-- CrossSiteRefused              403 cross_site_refused, csrf_header_missing
    |   |-- SessionRequired               401 session_required
    |   |-- PathRefused                   400 path_refused
    |   |-- RouteUnknown                  404 route_unknown
    |   |-- MethodRefused                 405 method_refused
    |   |-- WebSocketRefused              403 websocket_refused
    |   |-- SessionBusy                   429 session_busy
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

from gateway.errors.authorization_server import (
    AuthorizationRefused,
    AuthorizationServerBusy,
    AuthorizationServerError,
    AuthorizationServerTimeout,
    AuthorizationServerUnreachable,
    ClientRefused,
    GrantRefused,
    IdentityInvalid,
    IdTokenInvalid,
    IdTokenUntimely,
    KeyUnknown,
    MetadataInvalid,
    TokenRequestRefused,
    TokenResponseInvalid,
)
from gateway.errors.configuration import ConfigurationError
from gateway.errors.dev_server import DevServerBroken, DevServerError, DevServerUnreachable
from gateway.errors.gateway_error import GatewayError, GatewayFull
from gateway.errors.request import (
    BodyTooLarge,
    BrowserError,
    CrossSiteRefused,
    MethodRefused,
    NavigationRequired,
    ParameterRepeated,
    PathRefused,
    RequestHeadTooLarge,
    RequestInvalid,
    RequestTargetTooLong,
    RequestTooSlow,
    RouteUnknown,
    WebSocketRefused,
)
from gateway.errors.resource_server import (
    NotCached,
    ResendRequired,
    ResourceServerBroken,
    ResourceServerError,
    ResourceServerTimeout,
    ResourceServerUnreachable,
    UpstreamFull,
)
from gateway.errors.sign_in import (
    AuthorizationDenied,
    AuthorizationResponseSpent,
    IssuerMismatch,
    LoginAttemptExpired,
    LogoutTokenInvalid,
    SessionRequired,
    StateUnknown,
)
from gateway.errors.store import (
    ClockSkewed,
    RecordUnreadable,
    StoreError,
    StoreUnavailable,
)
from gateway.errors.too_many_requests import BudgetExhausted, SessionBusy, TooManyStreams
from gateway.errors.webhook import (
    WebhookBusy,
    WebhookInvalid,
    WebhookOutdated,
    WebhookSignatureInvalid,
)

__all__ = [
    "AuthorizationDenied",
    "AuthorizationRefused",
    "AuthorizationResponseSpent",
    "AuthorizationServerBusy",
    "AuthorizationServerError",
    "AuthorizationServerTimeout",
    "AuthorizationServerUnreachable",
    "BodyTooLarge",
    "BrowserError",
    "BudgetExhausted",
    "ClientRefused",
    "ClockSkewed",
    "ConfigurationError",
    "CrossSiteRefused",
    "DevServerBroken",
    "DevServerError",
    "DevServerUnreachable",
    "GatewayError",
    "GatewayFull",
    "GrantRefused",
    "IdTokenInvalid",
    "IdTokenUntimely",
    "IdentityInvalid",
    "IssuerMismatch",
    "KeyUnknown",
    "LoginAttemptExpired",
    "LogoutTokenInvalid",
    "MetadataInvalid",
    "MethodRefused",
    "NavigationRequired",
    "NotCached",
    "ParameterRepeated",
    "PathRefused",
    "RecordUnreadable",
    "RequestHeadTooLarge",
    "RequestInvalid",
    "RequestTargetTooLong",
    "RequestTooSlow",
    "ResendRequired",
    "ResourceServerBroken",
    "ResourceServerError",
    "ResourceServerTimeout",
    "ResourceServerUnreachable",
    "RouteUnknown",
    "SessionBusy",
    "SessionRequired",
    "StateUnknown",
    "StoreError",
    "StoreUnavailable",
    "TokenRequestRefused",
    "TokenResponseInvalid",
    "TooManyStreams",
    "UpstreamFull",
    "WebSocketRefused",
    "WebhookBusy",
    "WebhookInvalid",
    "WebhookOutdated",
    "WebhookSignatureInvalid",
]
