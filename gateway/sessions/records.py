"""What a session store keeps and hands out: hashed keys, times, and the rest sealed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from gateway.sessions.session import EndReason

TOMBSTONE_SECONDS = 3600
"""How long the store remembers why a session ended."""

SWEEP_SESSIONS = 1000
"""How many sessions one call of `remove_expired` ends at most, so that it never holds others up for long."""

HANDED_SECONDS = 60
"""How long whoever was handed a grant may take to revoke it before the queue offers it to others."""

REVOCATION_SECONDS = 7 * 86400
"""How long after its last session a grant stays in the queue; no store can see when its tokens expire."""

CHANGES_KEPT = 10_000
"""How far `changes` reaches back; whoever asks less often is told that anything may have changed."""

TOKENS_DEAD: frozenset[EndReason] = frozenset({"grant_ended", "refresh_lost"})
"""Reasons that say that the tokens are dead already: nothing is left to revoke."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRecord:
    """A session as stores see it: hashed key, its ends, and the rest sealed."""

    key: bytes = field(repr=False)
    grant_key: bytes = field(repr=False)
    created_at: float
    last_seen_at: float
    idle_at: float
    """When the session ends for want of activity; never later than `ends_at`."""
    ends_at: float
    sealed: bytes = field(repr=False)
    subject_key: bytes = field(default=b"", repr=False)
    """Keyed hash of issuer, client and subject; empty where a gateway before schema 2 began the session."""
    sid_key: bytes | None = field(default=None, repr=False)
    """Keyed hash of issuer and `sid`, where the authorization server named its own session."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantRecord:
    """A grant as stores see it."""

    key: bytes = field(repr=False)
    generation: int
    created_at: float
    """Tells the grant from an earlier one under the same key, whose generations began at 1 as well."""
    ends_at: float
    sealed: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tombstone:
    """What is left of a session for an hour: why it ended, and when."""

    key: bytes = field(repr=False)
    reason: EndReason
    ended_at: float


@dataclass(frozen=True, slots=True)
class EndedSessions:
    """Sessions that one call ended, by key, and the grants that this left without a session."""

    keys: tuple[bytes, ...] = field(default=(), repr=False)
    orphans: tuple[GrantRecord, ...] = ()


ClaimOutcome = Literal["granted", "granted_abandoned", "held", "lapsed", "superseded", "gone"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshClaim:
    """What came of the wish to spend a grant's refresh token.

    | outcome           | meaning                                                                         |
    |-------------------|---------------------------------------------------------------------------------|
    | granted           | yours until `until`: spend the token of `grant`                                 |
    | granted_abandoned | the same, but an earlier owner's lease ended: it may have spent the token       |
    | held              | somebody else's until `until`                                                   |
    | lapsed            | somebody else's, whose lease ended at `until` without a word; not taken         |
    | superseded        | `grant` is of another generation than the one that was to be refreshed          |
    | gone              | there is no such grant                                                          |
    """

    outcome: ClaimOutcome
    until: float | None = None
    """When the lease ends, on the clock of whoever asked."""
    grant: GrantRecord | None = None
    """The grant as it is under the claim; None only if it is gone."""


Cursor = tuple[int, int]
"""How far somebody has read the changes of one store; what the numbers mean is the store's own business."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed since a cursor, and the cursor to ask with next."""

    cursor: Cursor
    keys: frozenset[bytes] | None = field(repr=False)
    """Sessions that ended, and grants that changed or are gone; None: whatever is remembered may be stale."""
