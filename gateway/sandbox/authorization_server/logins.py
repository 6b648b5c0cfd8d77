"""Who is signed in to the sandbox itself, and the sign-ins that are under way."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.sandbox.accounts import User
    from gateway.sandbox.authorization_server.authorization_request import AuthorizationRequest

COOKIE = "sandbox-login"
ATTEMPT_LIFETIME = 600
"""Seconds that the login and consent pages wait for an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """A person signed in to the authorization server; `auth_time` in Unix seconds."""

    sid: str
    user: User
    auth_time: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """An authorization request that waits for the person."""

    id: str
    request: AuthorizationRequest
    started_at: float

    def accepts(self, login: Login, *, now: float) -> bool:
        """Whether this login is fresh enough for the request's `prompt` and `max_age`."""
        if login.auth_time >= self.started_at:
            return True
        request = self.request
        if request.prompt & {"login", "select_account"}:
            return False
        return request.max_age is None or now - login.auth_time <= request.max_age


class Logins:
    """Logins by the value of their cookie, attempts by their id, consents by person and client."""

    def __init__(self) -> None:
        self._logins: dict[str, Login] = {}
        self._attempts: dict[str, Attempt] = {}
        self._consents: set[tuple[str, str, str]] = set()

    def begin(self, request: AuthorizationRequest, *, now: float) -> Attempt:
        """Return a new attempt; those that nobody finished are forgotten."""
        self._attempts = {
            key: value for key, value in self._attempts.items() if now - value.started_at <= ATTEMPT_LIFETIME
        }
        attempt = Attempt(id=secrets.token_urlsafe(24), request=request, started_at=now)
        self._attempts[attempt.id] = attempt
        return attempt

    def attempt(self, attempt_id: str, *, now: float) -> Attempt | None:
        """Return the attempt, if it still waits."""
        attempt = self._attempts.get(attempt_id)
        return attempt if attempt and now - attempt.started_at <= ATTEMPT_LIFETIME else None

    def finish(self, attempt: Attempt) -> None:
        """Return an attempt is answered once."""
        self._attempts.pop(attempt.id, None)

    def sign_in(self, user: User, *, now: float) -> Login:
        """Return a new login with an id of its own."""
        login = Login(sid=secrets.token_urlsafe(24), user=user, auth_time=now)
        self._logins[login.sid] = login
        return login

    def find(self, sid: str | None) -> Login | None:
        """Return the login of a cookie's value."""
        return self._logins.get(sid or "")

    def sign_out(self, sid: str | None) -> None:
        """End a login; the tokens that came of it live on."""
        self._logins.pop(sid or "", None)

    def remember_consent(self, login: Login, request: AuthorizationRequest) -> None:
        """Note what the person agreed to, for `prompt=none`."""
        client_id = request.address.client.id
        self._consents |= {(login.user.id, client_id, name) for name in request.scope}

    def has_consent(self, login: Login, request: AuthorizationRequest) -> bool:
        """Whether the person agreed to all of this before."""
        client_id = request.address.client.id
        return all((login.user.id, client_id, name) in self._consents for name in request.scope)
