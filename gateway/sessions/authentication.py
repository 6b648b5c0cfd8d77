"""Finds the session that a request presents by its cookie."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.browser.cookie import SESSION_COOKIE, parse_cookies
from gateway.errors import SessionRequired
from gateway.sessions.session import Session, build_session_key
from gateway.sessions.vault import Ended

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gateway.browser.cookie import SessionCookie
    from gateway.sessions.vault import Vault


class Authentication:
    """Reads raw request headers (lower-case names); a forged cookie costs no look-up in the store."""

    def __init__(self, *, vault: Vault, session_cookie: SessionCookie, clock: Callable[[], float]) -> None:
        self._vault = vault
        self._session_cookie = session_cookie
        self._clock = clock

    def presented_key(self, headers: Iterable[tuple[bytes, bytes]]) -> bytes | None:
        """Return the key of the session that the cookie names, live or not; None without a valid cookie."""
        values = read_cookies(headers).get(SESSION_COOKIE, [])
        # Two cookies of this name: one of them was planted, and nothing tells which.
        session_id = self._session_cookie.verify(values[0]) if len(values) == 1 else None
        return None if session_id is None else build_session_key(session_id)

    async def check(self, headers: Iterable[tuple[bytes, bytes]]) -> Session | Ended:
        """Return the live session, or why there is none; raises StoreError when the store cannot say."""
        key = self.presented_key(headers)
        if key is None:
            return Ended("none")
        return await self._vault.read(key, now=self._clock())

    async def require(self, headers: Iterable[tuple[bytes, bytes]]) -> Session:
        """Return the live session; raises SessionRequired with the reason why there is none."""
        found = await self.check(headers)
        if isinstance(found, Ended):
            raise SessionRequired(found.reason)
        return found

    async def explain(
        self, error: SessionRequired, headers: Iterable[tuple[bytes, bytes]]
    ) -> SessionRequired:
        """Return the error with the session's own reason, of which a grant that is gone knows nothing."""
        key = self.presented_key(headers)
        return SessionRequired("none") if key is None else await self.explain_end(error, key)

    async def explain_end(self, error: SessionRequired, session_key: bytes) -> SessionRequired:
        """Return the same of a session that is known by its key."""
        found = await self._vault.read(session_key, now=self._clock())
        return SessionRequired(found.reason) if isinstance(found, Ended) else error


def read_cookies(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, list[str]]:
    """Collect the cookies of all Cookie fields, which HTTP/2 lets a client split (RFC 9113 §8.2.3)."""
    joined = b"; ".join(value for name, value in headers if name == b"cookie")
    return parse_cookies(joined.decode("latin-1")) if joined else {}
