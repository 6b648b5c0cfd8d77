"""Opened sessions over a real store that can be counted, interrupted and taken away."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import time
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from gateway.authorization_server import AuthorizationServer
from gateway.browser.cookie import SESSION_COOKIE, SessionCookie
from gateway.errors import StoreUnavailable
from gateway.oauth.token import TokenResponse
from gateway.observability.audit import Audit
from gateway.observability.metrics import Metrics
from gateway.sessions.authentication import Authentication
from gateway.sessions.keyring import Keyring
from gateway.sessions.opened import OpenedSessions
from gateway.sessions.refresh import Refresher
from gateway.sessions.refresh_flight import RefreshFlight
from gateway.sessions.vault import Vault

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from gateway.errors import AuthorizationServerError
    from gateway.sessions.store import SessionStore


class CountedStore:
    """Passes every operation on to a store, and counts it; `before` and `after` say what comes in between."""

    def __init__(self, store: SessionStore) -> None:
        self._store = store
        self.calls: Counter[str] = Counter()
        self.is_away = False
        self.before: dict[str, Callable[[], Awaitable[object]]] = {}
        """Done once, before the operation of that name reaches the store."""
        self.after: dict[str, Callable[[], Awaitable[object]]] = {}
        """Done once, when the store has answered and the caller does not have the answer yet."""

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        operation = getattr(self._store, name)

        async def call(*values: object, **named: object) -> Any:  # noqa: ANN401 - whatever the store answers
            self.calls[name] += 1
            if (interruption := self.before.pop(name, None)) is not None:
                await interruption()
            if self.is_away:
                raise StoreUnavailable(log_detail="away")
            answer = await operation(*values, **named)
            if (interruption := self.after.pop(name, None)) is not None:
                await interruption()
            return answer

        return call

    def taken(self) -> dict[str, int]:
        """Return the operations since the last time, but for looks at what changed."""
        calls, self.calls = dict(self.calls), Counter()
        calls.pop("changes", None)
        return calls


class TokenEndpoint(AuthorizationServer):
    """Refreshes every token, or fails as it is told to."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__(
            issuer="https://as.example",
            metadata=None,
            client_id="client",
            client_secret=None,
            client_auth=None,
            redirect_uri="https://app.example/auth/callback",
            profile_url=None,
            clock=clock,
        )
        self.refreshes = 0
        self.trouble: AuthorizationServerError | None = None

    async def refresh(self, refresh_token: str) -> TokenResponse:
        """Answer with tokens that are numbered."""
        assert refresh_token
        self.refreshes += 1
        if self.trouble is not None:
            raise self.trouble
        return TokenResponse(
            access_token=f"access refreshed {self.refreshes}",
            expires_in=14399,
            refresh_token=f"refresh {self.refreshes}",
            scope=None,
            id_token=None,
        )


async def until(is_so: Callable[[], bool], seconds: float = 10.0) -> None:
    """Return when it is so; AssertionError if that takes too long."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if is_so():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it never came to be so")


def id_of(name: str) -> str:
    """Return a session id that looks like one."""
    return base64.urlsafe_b64encode(hashlib.sha256(name.encode()).digest()).rstrip(b"=").decode()


@dataclass
class Stage:
    """One process: its vault, what it remembers, and the authorization server that it asks."""

    vault: Vault
    opened: OpenedSessions
    server: TokenEndpoint
    refresher: Refresher
    keyring: Keyring = field(repr=False)

    def cookie(self, name: str = "id") -> bytes:
        """Return the Cookie field of a browser that has the session of this name alone."""
        return self.field_of(id_of(name))

    def field_of(self, session_id: str) -> bytes:
        """Return the same for a session id."""
        value = SessionCookie(self.keyring.signing_keys).sign(session_id)
        return f"{SESSION_COOKIE}={value}".encode()

    async def look(self) -> None:
        """Look at the store as comes several times a second by itself."""
        await self.opened._looks.look()  # noqa: SLF001 - a test says when


@asynccontextmanager
async def build_opened(
    store: SessionStore | CountedStore,
    *secrets: str,
    clock: Callable[[], float],
    monotonic: Callable[[], float] | None = None,
) -> AsyncIterator[Stage]:
    """Build a process over an open store; with a `monotonic` clock it looks only when it is told to."""
    keyring = Keyring(secrets)
    vault = Vault(cast("SessionStore", store), keyring, idle_seconds=1800, max_seconds=36000)
    server = TokenEndpoint(clock)
    flight = RefreshFlight(
        vault=vault,
        authorization_server=server,
        clock=clock,
        metrics=Metrics("0"),
        audit=Audit(),
        keyring=keyring,
    )
    refresher = Refresher(vault=vault, flight=flight, clock=clock)
    authentication = Authentication(
        vault=vault, session_cookie=SessionCookie(keyring.signing_keys), clock=clock
    )
    parts: dict[str, Any] = {"authentication": authentication, "refresher": refresher, "vault": vault}
    if monotonic is not None:
        parts["monotonic"] = monotonic
    opened = OpenedSessions(**parts, clock=clock)
    if monotonic is None:
        await opened.open()
    try:
        yield Stage(vault, opened, server, refresher, keyring)
    finally:
        await opened.close()
        await refresher.drain()
        await server.close()
