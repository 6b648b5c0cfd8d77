"""An opened session: what a call needs, and until when it may be used without a look at the store (PURE)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gateway.sessions.refresh_step import find_ahead

if TYPE_CHECKING:
    from gateway.sessions.session import Grant, Session


@dataclass(slots=True, eq=False, kw_only=True)
class OpenedSession:
    """A session with its grant; not frozen, for whoever holds one is to see that it was forgotten."""

    session: Session
    grant: Grant
    bearer: bytes = field(repr=False)
    """`Bearer <access token>`; one object for all sessions that share this generation of the grant."""
    serves_until: float
    """Seconds since the epoch until when a call may use it without looking at the store."""
    is_live: bool = False
    """Whether it is remembered. False says "ask again", not that the session ended; it never turns back."""
    lapses_at: float = float("-inf")
    """The same as `serves_until` on the process's own clock, which no correction sets back."""
    redactor: Any = field(default=None, repr=False)
    """What the data plane has made to find the token in answers; it goes with the session."""
    cookies: tuple[bytes, ...] = field(default=(), repr=False)
    """The Cookie fields that lead to it, the latest first."""


def open_for_calls(session: Session, grant: Grant) -> OpenedSession:
    """Return a session as calls use it: to its end, its token's refresh or the next note of its activity."""
    return OpenedSession(
        session=session,
        grant=grant,
        bearer=b"Bearer " + grant.tokens.access_token.encode(),
        serves_until=min(session.touch_at, session.idle_at, session.ends_at, find_ahead(grant.tokens)),
    )
