"""There is no session, or no sign-in or sign-out can come of what was presented."""

from __future__ import annotations

from gateway.errors.request import BrowserError


class SessionRequired(BrowserError):
    """There is no live session; `reason` says why: none, idle, expired, signed_out, grant_ended, ..."""

    code = "session_required"
    status = 401
    title = "Sign in first"

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.reason = reason


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
