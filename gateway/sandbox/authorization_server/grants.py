"""Codes, connections and their tokens, in memory.

A connection has one access token and one refresh token. A refresh ends both and gives two new ones. A code or
refresh token that comes a second time ends the connection: one of the two who sent it has stolen it.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from uuid import uuid4

from gateway.sandbox.authorization_server.pkce import is_verifier_of
from gateway.sandbox.authorization_server.refusals import TokenRefusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.sandbox.accounts import User
    from gateway.sandbox.authorization_server.authorization_request import AuthorizationRequest
    from gateway.sandbox.authorization_server.clients import Client
    from gateway.sandbox.authorization_server.logins import Login
    from gateway.sandbox.counters import Counters
    from gateway.sandbox.faults import Faults
    from gateway.sandbox.options import SandboxOptions

CODE_LIFETIME = 300
"""Seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """What a client may do for a user; `died_at` is when the access token really dies, in Unix seconds."""

    id: str
    client: Client
    user: User
    scope: tuple[str, ...]
    name: str
    sid: str
    auth_time: float
    nonce: str | None
    ends_at: float
    access_token: str = field(default="", repr=False)
    refresh_token: str = field(default="", repr=False)
    died_at: float = 0.0
    expires_in: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Code:
    request: AuthorizationRequest
    login: Login
    expires_at: float
    connection_id: str | None = None
    spent: bool = False


class Grants:
    """Every code and connection; `mint` makes an access token for a connection at a time.

    `on_end` is told of every connection that ends, unless it was the client that ended it.
    """

    def __init__(
        self,
        options: SandboxOptions,
        counters: Counters,
        mint: Callable[[Connection, float], str],
        faults: Callable[[], Faults],
        on_end: Callable[[Connection], None],
    ) -> None:
        self._options = options
        self._counters = counters
        self._mint = mint
        self._faults = faults
        self._on_end = on_end
        self._codes: dict[str, _Code] = {}
        self._connections: dict[str, Connection] = {}
        self._by_access: dict[str, str] = {}
        self._by_refresh: dict[str, str] = {}
        self.issued: list[str] = []
        """Every code and token ever given out, for tests that search for them where they must not be."""

    def issue_code(self, request: AuthorizationRequest, login: Login, *, now: float) -> str:
        """Return a new code of 128 characters, good for five minutes and one use."""
        code = self._random(128)
        self._codes[code] = _Code(request=request, login=login, expires_at=now + CODE_LIFETIME)
        return code

    def redeem(
        self, code: str, client: Client, *, redirect_uri: str | None, code_verifier: str | None, now: float
    ) -> Connection:
        """Return the connection of a code; whatever goes wrong, the code is spent.

        Raises:
            TokenRefusal: invalid_grant.

        """
        record = self._codes.get(code)
        if record is None:
            raise TokenRefusal("invalid_grant", "unknown code")
        if record.spent:
            # RFC 6749 §4.1.2: the second use of a code revokes what the first one gave (stolen code)
            self._counters.events["code_reuse"] += 1
            self.end(record.connection_id)
            raise TokenRefusal("invalid_grant", "the code was used before")
        self._codes[code] = replace(record, spent=True)
        _check_code(record, client, redirect_uri, code_verifier, now)
        connection = self._rotated(self._connect(record, now), now)
        self._codes[code] = replace(record, spent=True, connection_id=connection.id)
        return connection

    def refresh(self, refresh_token: str, client: Client, *, now: float) -> Connection:
        """Return the connection with two new tokens.

        Raises:
            TokenRefusal: invalid_grant.

        """
        connection = self._alive(self._by_refresh.get(refresh_token), now)
        if connection is None or connection.client != client:
            raise TokenRefusal("invalid_grant", "unknown refresh token")
        if connection.refresh_token != refresh_token:
            # RFC 9700 §4.14.2: a spent refresh token came again, so it is in two hands
            self._counters.events["refresh_reuse"] += 1
            self.end(connection.id)
            raise TokenRefusal("invalid_grant", "the refresh token was used before")
        return self._rotated(connection, now)

    def connection_of(self, access_token: str, *, now: float) -> Connection | None:
        """Return the connection whose current, living access token this is."""
        connection = self._alive(self._by_access.get(access_token), now)
        if connection is None or connection.access_token != access_token or now >= connection.died_at:
            return None
        return connection

    def revoke(self, token: str, client: Client) -> None:
        """End the connection of either token, if it is this client's (RFC 7009 §2.1)."""
        connection = self._connections.get(self._by_refresh.get(token) or self._by_access.get(token) or "")
        if connection and connection.client == client:
            self._counters.events["revoked_tokens"] += 1
            self._forget(connection.id)

    def end(self, connection_id: str | None) -> None:
        """Forgets a connection; its tokens are dead."""
        connection = self._forget(connection_id)
        if connection is not None:
            self._on_end(connection)

    def _forget(self, connection_id: str | None) -> Connection | None:
        connection = self._connections.pop(connection_id or "", None)
        if connection is not None:
            self._counters.events["ended_connections"] += 1
        return connection

    def end_all(self) -> None:
        """Forgets every connection."""
        for connection_id in tuple(self._connections):
            self.end(connection_id)

    def kill_access_tokens(self) -> None:
        """Every access token dies; the refresh tokens live on."""
        for connection in tuple(self._connections.values()):
            self._connections[connection.id] = replace(connection, died_at=0.0)

    def connections(self) -> tuple[Connection, ...]:
        """Those that live."""
        return tuple(self._connections.values())

    def _alive(self, connection_id: str | None, now: float) -> Connection | None:
        connection = self._connections.get(connection_id or "")
        if connection and now >= connection.ends_at:
            self.end(connection.id)
            return None
        return connection

    def _connect(self, record: _Code, now: float) -> Connection:
        request, login = record.request, record.login
        self._counters.events["connections"] += 1
        fault = self._faults().take("connection_revoked")
        return Connection(
            id=self._connection_id(request, login),
            client=request.address.client,
            user=login.user,
            scope=request.scope,
            name=request.connection_name,
            sid=login.sid,
            auth_time=login.auth_time,
            nonce=request.nonce,
            ends_at=now + fault.seconds(0, "after") if fault else float("inf"),
        )

    def _connection_id(self, request: AuthorizationRequest, login: Login) -> str:
        wanted = (request.address.client, login.user)
        for known in self._connections.values() if self._options.reconnect == "replace" else ():
            if (known.client, known.user) == wanted:
                self._on_end(known)  # its tokens are dead, though the id lives on
                return known.id
        return str(uuid4())

    def _rotated(self, connection: Connection, now: float) -> Connection:
        expires_in = self._options.lifetime_of(connection.client.picture)
        fault = self._faults().take("access_token_death")
        rotated = replace(
            connection,
            access_token=self._mint(connection, now),
            refresh_token=self._random(128),
            expires_in=expires_in,
            died_at=now + min(expires_in, fault.seconds(expires_in, "after") if fault else expires_in),
        )
        self.issued.append(rotated.access_token)
        self._connections[rotated.id] = rotated
        self._by_access[rotated.access_token] = rotated.id
        self._by_refresh[rotated.refresh_token] = rotated.id
        return rotated

    def _random(self, length: int) -> str:
        self.issued.append(new_opaque(length))
        return self.issued[-1]


def new_opaque(length: int) -> str:
    """Random characters that are safe in a URL."""
    return secrets.token_urlsafe(length)[:length]


def _check_code(
    record: _Code, client: Client, redirect_uri: str | None, code_verifier: str | None, now: float
) -> None:
    address = record.request.address
    if address.client != client:  # RFC 6749 §4.1.3: the code was issued to this client
        raise TokenRefusal("invalid_grant", "the code belongs to another client")
    if now >= record.expires_at:
        raise TokenRefusal("invalid_grant", "the code has expired")
    if redirect_uri != address.redirect_uri:
        raise TokenRefusal("invalid_grant", "redirect_uri differs from the authorization request's")
    if not is_verifier_of(code_verifier, record.request.code_challenge):
        raise TokenRefusal("invalid_grant", "code_verifier does not fit")
