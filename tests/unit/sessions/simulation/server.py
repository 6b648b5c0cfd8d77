"""An authorization server that rotates refresh tokens, and ends a connection at the second use of one."""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.errors import GrantRefused
from gateway.oauth.token import TokenResponse

USED_TWICE = "a refresh token was used twice"
LIFETIME = 300
"""Seconds that an access token lives."""


@dataclass(eq=False)
class Connection:
    """One person's connection: what it accepts now, and what ended it."""

    name: str
    current: str = ""
    issued: int = 0
    dead: str | None = None
    replaced: set[str] = field(default_factory=set[str])
    """Tokens that a later sign-in made useless, which are refused without harm."""
    spent: set[str] = field(default_factory=set[str])
    """Tokens in whose place a refresh has put others."""


class SimulatedServer:
    """Its state and its rules; who calls it when is the schedule's business."""

    def __init__(self) -> None:
        self.connections: dict[str, Connection] = {}

    def sign_in(self, name: str) -> TokenResponse:
        """Issue the tokens of a sign-in, in place of the connection's former ones."""
        connection = self.connections.get(name)
        if connection is None or connection.dead:
            issued = 0 if connection is None else connection.issued
            connection = self.connections[name] = Connection(name, issued=issued)
        if connection.current:
            connection.replaced.add(connection.current)
        return self._issue(connection)

    def refresh(self, token: str) -> TokenResponse:
        """Rotate; GrantRefused for a token that is not the newest."""
        connection = self.connection_of(token)
        if connection.dead or token in connection.replaced:
            raise GrantRefused("invalid_grant")
        if token != connection.current:
            connection.dead = USED_TWICE
            raise GrantRefused("invalid_grant")
        connection.spent.add(token)
        return self._issue(connection)

    def connection_of(self, token: str) -> Connection:
        """Return the connection that a token was issued for."""
        return self.connections[token.split()[1]]

    def accepts(self, token: str | None) -> bool:
        """Say whether a refresh token would be accepted now."""
        if token is None:
            return False
        connection = self.connection_of(token)
        return connection.dead is None and connection.current == token

    def _issue(self, connection: Connection) -> TokenResponse:
        connection.issued += 1
        connection.current = f"refresh {connection.name} {connection.issued}"
        return TokenResponse(
            access_token=f"access {connection.name} {connection.issued}",
            expires_in=LIFETIME,
            refresh_token=connection.current,
            scope=None,
            id_token=None,
        )
