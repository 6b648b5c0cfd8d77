"""What is worth telling of a session's life while it goes on: its end is near, or put off; newer tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from gateway.sessions.session import Grant, Session

WARNING_SECONDS = 60.0
"""How long before its end a session is told to be ending, or half of a shorter idle time."""
ASKING_AGAIN_SECONDS = 2.0
"""How soon after a warning the store is asked whether activity, of which no change tells, put the end off."""


class Ending(NamedTuple):
    """The session ends unless something is heard of it; where the reason is "expired", whatever is."""

    in_seconds: int
    reason: Literal["idle", "expired"]


class Extended(NamedTuple):
    """The end that was near is not any more."""

    in_seconds: int


class Refreshed(NamedTuple):
    """The grant has newer tokens; `expires_at` is in seconds since the epoch."""

    expires_at: float
    generation: int


LifeEvent = Ending | Extended | Refreshed


@dataclass(slots=True)
class SessionLife:
    """What was told so far of one session that lives."""

    known: tuple[float, int]
    """Which tokens: a grant that was gone and came back counts from 1 again."""
    warned_of: float | None = None
    """The end that was told to be near."""

    def look_at(self, session: Session, grant: Grant, *, now: float) -> tuple[list[LifeEvent], float]:
        """Return what is to be told of a session, alive at `now` within its grant's tokens.

        And from when on there may be more, even if no change is heard of.
        """
        events: list[LifeEvent] = []
        if (tokens := tokens_of(grant)) > self.known:
            self.known = tokens
            events.append(Refreshed(grant.tokens.expires_at, grant.generation))
        end = session.idle_at
        warn_at = end - min(WARNING_SECONDS, session.idle_seconds / 2)
        if now >= warn_at:
            if end != self.warned_of:
                self.warned_of = end
                reason: Literal["idle", "expired"] = "idle" if end < session.ends_at else "expired"
                events.append(Ending(max(0, int(end - now)), reason))
            return events, min(end, now + ASKING_AGAIN_SECONDS)
        if self.warned_of is not None:
            self.warned_of = None
            events.append(Extended(int(end - now)))
        return events, warn_at


def tokens_of(grant: Grant) -> tuple[float, int]:
    """Return what orders the tokens that were ever kept under one grant's key."""
    return grant.created_at, grant.generation
