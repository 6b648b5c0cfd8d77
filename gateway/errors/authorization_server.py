"""The authorization server is at fault."""

from __future__ import annotations

from gateway.errors.gateway_error import GatewayError


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
