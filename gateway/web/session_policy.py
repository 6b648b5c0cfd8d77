"""What the operator and the authorization server have to say of a session that begins."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from gateway.browser.client_address import coarsen_address
from gateway.sessions.refreshed_tokens import build_tokens
from gateway.sessions.session import ONLY_CONNECTION

if TYPE_CHECKING:
    from gateway.oauth.identity import Identity
    from gateway.oauth.token import TokenResponse
    from gateway.sessions.session import Tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionPolicy:
    """The operator's settings for new sessions; lifetimes in seconds."""

    grants: Literal["session", "connection"] = "session"
    address: Literal["full", "coarse", "none"] = "coarse"
    refresh_token_lifetime: int | None = None
    keeps_id_token: bool = False

    def connection_of(self, identity: Identity) -> str | None:
        """Return the connection by which sessions share a grant, or None for one of the session's own."""
        if identity.connection_id is None and self.grants == "connection":
            return ONLY_CONNECTION
        return identity.connection_id

    @staticmethod
    def sid_of(identity: Identity) -> str | None:
        """Return what the authorization server will call the session by when it ends it: see the webhook."""
        return identity.sid or identity.connection_id

    def tokens_of(self, response: TokenResponse, identity: Identity, *, now: float) -> Tokens:
        """Return the tokens of a sign-in."""
        tokens = build_tokens(response, now=now, refresh_token_lifetime=self.refresh_token_lifetime)
        return replace(tokens, auth_time=identity.auth_time)

    def address_of(self, address: str | None) -> str | None:
        """Return what the session keeps of the client's address."""
        if address is None or self.address == "none":
            return None
        return address if self.address == "full" else coarsen_address(address)


def build_ceilings(identity: Identity, *, max_age: int | None, now: float) -> tuple[float | None, ...]:
    """Return the ends that the authorization server sets the session itself, whatever its tokens do.

    They are counted from the id_token's `iat`, by the clock that wrote it. `max_age=0` asks for a sign-in
    at this very moment (OpenID Connect Core §3.1.2.1), and for no end.
    """
    session_end = None if identity.session_left is None else now + identity.session_left
    if not max_age or identity.auth_age is None:
        return (session_end,)
    return (session_end, now + max(0.0, max_age - identity.auth_age))
