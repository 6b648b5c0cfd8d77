"""Each sign-in attempt in a sealed cookie of its own, so that tabs do not fight; five of them at most."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import TYPE_CHECKING

from gateway.browser.cookie import LOGIN_COOKIE_PREFIX, build_clear_cookie, build_set_cookie
from gateway.browser.login_attempt import (
    LOGIN_ATTEMPT_LIFETIME,
    MAX_LOGIN_ATTEMPTS,
    LoginAttempt,
    build_login_cookie_name,
    select_surplus_attempts,
)
from gateway.errors import RecordUnreadable, StateUnknown
from gateway.sessions.authentication import read_cookies

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.sessions.keyring import Keyring


class AttemptCookies:
    """Seals attempts into Set-Cookie values and opens them again; the cookie's name is bound by the seal."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def build(
        self, attempt: LoginAttempt, headers: Iterable[tuple[bytes, bytes]], *, now: float
    ) -> list[str]:
        """Build the Set-Cookie values that add this attempt and clear the stale, broken and surplus ones."""
        name = build_login_cookie_name(attempt.state)
        sealed = self._keyring.seal(attempt.to_bytes(), aad=name.encode())
        value = urlsafe_b64encode(sealed).decode().rstrip("=")
        present = {
            other: self._created_at(other, values[0], now)
            for other, values in read_cookies(headers).items()
            if other.startswith(LOGIN_COOKIE_PREFIX)
        }
        surplus = select_surplus_attempts(present, keep=MAX_LOGIN_ATTEMPTS - 1)
        added = build_set_cookie(name, value, same_site="Lax", max_age=LOGIN_ATTEMPT_LIFETIME)
        return [added, *(build_clear_cookie(other, same_site="Lax") for other in surplus)]

    def find(self, state: str | None, headers: Iterable[tuple[bytes, bytes]]) -> LoginAttempt:
        """Return this browser's attempt with this state; raises StateUnknown for any other (login CSRF)."""
        if not state:
            raise StateUnknown
        name = build_login_cookie_name(state)
        values = read_cookies(headers).get(name, [])
        attempt = self._open(name, values[0]) if len(values) == 1 else None
        if attempt is None:
            raise StateUnknown
        return attempt

    def build_clear(self, attempt: LoginAttempt) -> str:
        """Build the Set-Cookie value that ends an attempt."""
        return build_clear_cookie(build_login_cookie_name(attempt.state), same_site="Lax")

    def _created_at(self, name: str, value: str, now: float) -> float | None:
        attempt = self._open(name, value)
        if attempt is None or now - attempt.created_at > LOGIN_ATTEMPT_LIFETIME:
            return None
        return attempt.created_at

    def _open(self, name: str, value: str) -> LoginAttempt | None:
        try:
            sealed = urlsafe_b64decode(value + "=" * (-len(value) % 4))
            return LoginAttempt.from_bytes(self._keyring.open(sealed, aad=name.encode()))
        except (ValueError, RecordUnreadable):
            return None
