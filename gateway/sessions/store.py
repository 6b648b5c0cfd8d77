"""What the gateway asks of a session store, and what a store gets to see."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from gateway.sessions.session import EndReason

TOMBSTONE_SECONDS = 3600
"""How long the store remembers why a session ended."""

SWEEP_SESSIONS = 1000
"""How many sessions one call of `remove_expired` ends at most, so that it never holds others up for long."""


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


class SessionStore(Protocol):
    """Keeps sessions and grants; every implementation passes the suite in tests/contract.

    A grant is there as long as a session of it is: the operation that takes the last one takes the grant too,
    and hands it out so that its tokens can be revoked. A session past its end counts as one until
    `remove_expired` has met it. A session that ended leaves a tombstone with the first reason given, for
    `TOMBSTONE_SECONDS`, and its key never becomes a session again.

    Time: `now` and all times are seconds since the epoch, on the caller's clock; clocks of replicas may
    differ a little, so nothing that only ever moves forward (activity, generation, a grant's end) moves
    back.

    Atomicity: each operation happens whole or not at all, whoever else is at work, in this process or
    another. What an operation returned, every later call anywhere sees.

    Failure: trouble of the store's own is StoreUnavailable, `from` its cause. A caller of a writing operation
    then does not know whether it happened, and may call again; only `add` wants a new session key first, and
    `spend_once` may have spent the key. Before `open` and after `close` every operation raises it.

    Cancellation: a call that is cancelled happens all the same or not at all, never by half.
    """

    async def open(self) -> None:
        """Make the store ready; raises StoreUnavailable if it cannot be."""
        ...

    async def close(self) -> None:
        """Finish what is under way and let go of everything; a second call does nothing."""
        ...

    async def ping(self) -> None:
        """Return if the store could read and write now; StoreUnavailable if not."""
        ...

    async def add(
        self, session: SessionRecord, grant: GrantRecord, *, replaces: bytes | None, now: float
    ) -> GrantRecord | None:
        """Add a session and its grant, and end the session that it `replaces` with the reason "replaced".

        A grant that is already there keeps its contents unless `grant` is of a newer generation, its
        `ends_at` unless the new one is later, and its `created_at` always. Returns the replaced session's
        grant if that was its last session. ValueError if the session's key is or was a session's.
        """
        ...

    async def read_session(self, key: bytes) -> SessionRecord | Tombstone | None:
        """Return the session, past its end or not; or what is left of it; or None."""
        ...

    async def read_grant(self, key: bytes) -> GrantRecord | None:
        """Return the grant, or None if no session has it."""
        ...

    async def touch(
        self, key: bytes, *, last_seen_at: float, idle_at: float, sealed: bytes | None = None
    ) -> bool:
        """Note activity, and put `sealed` in the place of what is stored if given.

        True if the session lives and is now known to have been active then or later. False, and nothing
        changed, if it ended or its idle end had come by `last_seen_at`: activity never brings one back.
        """
        ...

    async def replace_grant(self, record: GrantRecord, *, expected_generation: int) -> bool:
        """Compare and set: True if the grant had the expected generation and is now `record`, a newer one.

        False, and nothing changed, if it moved on or is gone, or has another `created_at` because it was gone
        and a new sign-in brought it back: a late writer overwrites nothing and revives nothing. The stored
        `ends_at` only ever grows.
        """
        ...

    async def end_session(self, key: bytes, *, reason: EndReason, now: float) -> GrantRecord | None:
        """End a session; returns its grant if that was its last session. Unknown or ended already: None."""
        ...

    async def end_grant(self, key: bytes, *, reason: EndReason, now: float) -> int:
        """End a grant and all its sessions; returns how many they were."""
        ...

    async def spend_once(self, key: bytes, *, expires_at: float, now: float) -> bool:
        """Return True to exactly one caller for a key until it expires; False to the others and the late."""
        ...

    async def count_sessions(self, now: float) -> int:
        """Return how many sessions live."""
        ...

    async def remove_expired(self, now: float) -> list[GrantRecord]:
        """End up to `SWEEP_SESSIONS` sessions whose end has come; returns the grants left without one.

        Their tombstones say "idle" or "expired" and date from that end. Tombstones after their hour and
        spent keys after their expiry go too.
        """
        ...
