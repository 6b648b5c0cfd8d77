"""What the gateway asks of a session store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.sessions.event_log import EventBatch, EventId
    from gateway.sessions.kept_answers import AnswerClaim
    from gateway.sessions.records import (
        Changes,
        Cursor,
        EndedSessions,
        GrantRecord,
        RefreshClaim,
        SessionRecord,
        Tombstone,
    )
    from gateway.sessions.session import EndReason
    from gateway.sessions.turn import Pace, Turn, Waiting


class SessionStore(Protocol):
    """Keeps sessions and grants; every implementation passes the suite in tests/contract.

    A grant is there as long as a session of it is: the operation that takes the last one takes the grant too,
    and puts it into the revocation queue in the same step, so that no crash and no outage of the
    authorization server loses a token that is to be revoked. A session past its end counts as one until
    `remove_expired` has met it. A session that ended leaves a tombstone with the first reason given, for
    `TOMBSTONE_SECONDS`, and its key never becomes a session again.

    Keys: a session's key and its grant's begin with the same byte, by which Redis keeps them together;
    ValueError from `add` otherwise, where it matters.

    Time: `now` and all times are seconds since the epoch, on the caller's clock; clocks of replicas may
    differ a little, so nothing that only ever moves forward (activity, generation, a grant's end) moves
    back. Only leases of refresh claims and turns run on the store's clock where it has one (Redis); `until`
    is on the caller's all the same.

    Atomicity: each operation happens whole or not at all, whoever else is at work, in this process or
    another. What an operation returned, every later call anywhere sees. Where the sessions of one call may
    lie apart (Redis), two operations are a row of steps instead, each whole: `add` first begins the new
    session and then ends the one it replaces, `end_sessions` ends one session after another. A crash in
    between leaves the old session, or the rest of them, as they were: nothing half, nothing lost.

    Failure: trouble of the store's own is StoreUnavailable, `from` its cause. A caller of a writing operation
    then does not know whether it happened, and may call again; only `add` wants a new session key first, and
    `spend_once` may have spent the key. Before `open` and after `close` every operation raises it. A power
    cut (SQLite) or a failover (Redis) may take the last writes back, whole operations at a time.

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

    async def time(self) -> float | None:
        """Return the time by the store's own clock; None where that is this machine's."""
        ...

    async def add(
        self, session: SessionRecord, grant: GrantRecord, *, replaces: bytes | None, now: float
    ) -> GrantRecord | None:
        """Add a session and its grant, and end the session that it `replaces` with the reason "replaced".

        A grant that is already there keeps its contents and its refresh claim unless `grant` is of a newer
        generation, its `ends_at` unless the new one is later, and its `created_at` always. Returns the
        replaced session's grant if that was its last session. ValueError if the session's key is or was a
        session's.
        """
        ...

    async def read_session(self, key: bytes) -> SessionRecord | Tombstone | None:
        """Return the session, past its end or not; or what is left of it; or None."""
        ...

    async def read_grant(self, key: bytes) -> GrantRecord | None:
        """Return the grant, or None if no session has it."""
        ...

    async def list_sessions(self, index_key: bytes) -> list[SessionRecord]:
        """Return all sessions with this `subject_key` or `sid_key`, past their end or not, in no order."""
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

        The refresh claim is fulfilled and gone, whoever's it was. False, and nothing changed, if the grant
        moved on or is gone, or has another `created_at` because it was gone and a new sign-in brought it
        back: a late writer overwrites nothing and revives nothing. The stored `ends_at` only ever grows.
        """
        ...

    async def end_session(self, key: bytes, *, reason: EndReason, now: float) -> GrantRecord | None:
        """End a session; returns its grant if that was its last session. Unknown or ended already: None.

        A grant that is handed out, here and by the operations that follow, is due in the revocation queue
        `HANDED_SECONDS` later: until then it is the caller's alone to revoke and settle.
        """
        ...

    async def end_sessions(
        self, index_key: bytes, *, except_key: bytes | None, reason: EndReason, now: float
    ) -> EndedSessions:
        """End all sessions with this `subject_key` or `sid_key` but the one with `except_key`.

        All that were added before the call began; after StoreUnavailable another call ends the rest.
        """
        ...

    async def end_grant(
        self,
        key: bytes,
        *,
        reason: EndReason,
        now: float,
        expected_generation: int | None = None,
        expected_created_at: float | None = None,
    ) -> int:
        """End a grant and all its sessions; returns how many they were.

        Only if it is still of the generation expected, and the one created then, where that is given; 0 and
        nothing changed otherwise: bad news of spent tokens does not end a grant that has newer ones. Due for
        revocation at once, unless the reason says that its tokens are dead.
        """
        ...

    async def claim_refresh(
        self,
        grant_key: bytes,
        *,
        generation: int,
        owner: bytes,
        lease_seconds: float,
        now: float,
        takes_lapsed: bool = True,
    ) -> RefreshClaim:
        """Record that `owner` is about to spend the refresh token of this generation; see RefreshClaim.

        At most one owner has a lease that runs. One who asks again while its own runs, say after
        StoreUnavailable, gets it anew with the same outcome. `owner` is random, not empty, and new for
        each attempt. Unless one `takes_lapsed`, a claim that another owner neither renewed in time nor let
        go of is left to it, and can be renewed by it still.
        """
        ...

    async def renew_claim(self, grant_key: bytes, *, owner: bytes, lease_seconds: float, now: float) -> bool:
        """Let the owner's lease end `lease_seconds` from now; False if the claim is no longer the owner's.

        A lease that ended is renewed too as long as nobody else has taken the claim.
        """
        ...

    async def release_claim(self, grant_key: bytes, *, owner: bytes, spent_unknown: bool, now: float) -> None:
        """Let go of a claim whose refresh brought no tokens; does nothing if it is not the owner's.

        With `spent_unknown` the next claim is "granted_abandoned". Without it the claim never was, except
        that a claim that was "granted_abandoned" itself stays so for the next.
        """
        ...

    async def queue_revocation(self, record: GrantRecord, *, due_at: float, now: float) -> None:
        """Put tokens into the revocation queue that never had a session, or lost it while being refreshed."""
        ...

    async def take_revocations(self, *, now: float, limit: int, retry_at: float) -> list[GrantRecord]:
        """Return up to `limit` grants whose tokens are due to be revoked; each is due again at `retry_at`.

        Until then nobody else is handed the same. `REVOCATION_SECONDS` after it was queued an entry is gone.
        """
        ...

    async def settle_revocation(self, key: bytes, *, generation: int, created_at: float) -> None:
        """Take out of the queue what was revoked; an entry of another grant under the same key stays."""
        ...

    async def spend_once(self, key: bytes, *, expires_at: float, now: float) -> bool:
        """Return True to exactly one caller for a key until it expires; False to the others and the late."""
        ...

    async def spent_until(self, key: bytes, *, now: float) -> float | None:
        """Return the `expires_at` with which the key was spent, or None if it was not or that has passed."""
        ...

    async def take_turn(
        self, key: bytes, *, owner: bytes, waiting: Sequence[Waiting], pace: Pace, now: float
    ) -> Turn:
        """Take the turn of a budget for a session of the owner's, if it is theirs; see turn.decide_turn.

        `key` names the budget and is of 32 bytes, `owner` is random, of 16 bytes, and stands for one process.
        `waiting` is all that waits there, each session once, the longest waiting first; nothing withdraws the
        owner. Whoever has something waiting asks again within `LEASE` seconds, or loses its place. What
        neither waits nor slows anything may be forgotten. A caller that is told of StoreUnavailable, or is
        cancelled, may have had a turn, which is then lost.
        """
        ...

    async def slow_down(self, key: bytes, *, pace: Pace, now: float) -> None:
        """Let a budget's calls come more seldom, for all, after one of them was refused.

        See turn.decide_slowdown.
        """
        ...

    async def changes(self, since: Cursor | None) -> Changes:
        """Return what changed since a cursor that this store handed out, or where to begin.

        Whatever an operation changed, here or in any other process, that returned before this call began is
        in the answer, unless it was in an earlier one. Activity is not: a session that somebody remembers may
        live longer than remembered, never shorter. The cost is that of a look-up, so four calls a second keep
        a cache within a second of the truth. A record that was read before a call is to be remembered
        only if its key is not in that call's answer.
        """
        ...

    async def append_event(self, sealed: bytes, *, now: float) -> EventId:
        """Add an event to the one log that all processes read, and return its place.

        Places are in the order of the calls, and numbered without a gap. An event is kept for
        `EVENTS_SECONDS`, but not more than `EVENTS_KEPT` of them.
        """
        ...

    async def read_events(self, after: EventId | None, *, wait_seconds: float, limit: int) -> EventBatch:
        """Return up to `limit` events after a place, the earliest first; with None only where the log ends.

        If there is none, waits for one for `wait_seconds`, a second at most: one of this process comes at
        once, another's within about 0.1 s. Where what followed the place was dropped before this call, or the
        place is of a log that was lost, the batch says that it is not whole, and holds what is kept.
        """
        ...

    async def claim_answer(
        self,
        place: bytes,
        key: bytes,
        *,
        scopes: Sequence[bytes],
        owner: bytes,
        lease_seconds: float,
        now: float,
    ) -> AnswerClaim:
        """Return an answer of the resource server that is kept, or say who fetches it; see AnswerClaim.

        `place`, of 32 bytes, names whose answers they are: nothing of one place has to do with another.
        `key`, of 32 bytes too, names the answer, and `scopes`, at most 255 bytes each, what it depends on;
        the same with every call about a key. `owner` is random, of 16 bytes, and stands for one fetch.
        """
        ...

    async def keep_answer(
        self,
        place: bytes,
        key: bytes,
        *,
        scopes: Sequence[bytes],
        owner: bytes,
        mark: int,
        sealed: bytes,
        seconds: float,
        now: float,
    ) -> bool:
        """Keep an answer for some seconds, `ANSWER_SECONDS` at most, and let go of the claim.

        False, and nothing kept, if anything in its scopes was forgotten since the claim with this `mark`.
        """
        ...

    async def release_answer(self, place: bytes, key: bytes, *, owner: bytes) -> None:
        """Let go of a claim that brought no answer; does nothing if it is not the owner's."""
        ...

    async def forget_answers(self, place: bytes, scopes: Sequence[bytes], *, now: float) -> None:
        """Let no answer of a place be found that depends on any of these scopes and was claimed before."""
        ...

    async def count_sessions(self, now: float) -> int:
        """Return how many sessions live."""
        ...

    async def remove_expired(self, now: float) -> list[GrantRecord]:
        """End up to `SWEEP_SESSIONS` sessions whose end has come; returns the grants left without one.

        Their tombstones say "idle" or "expired" and date from that end. Tombstones after their hour, spent
        keys after their expiry and revocations after their time go too.
        """
        ...
