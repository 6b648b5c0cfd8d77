"""The tables of the store in memory, and the steps that keep them in agreement."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from gateway.sessions.memory_answers import MemoryAnswers
from gateway.sessions.records import (
    HANDED_SECONDS,
    REVOCATION_SECONDS,
    TOKENS_DEAD,
    TOMBSTONE_SECONDS,
    GrantRecord,
    SessionRecord,
    Tombstone,
)

if TYPE_CHECKING:
    from gateway.sessions.change_log import ChangeLog
    from gateway.sessions.claim import Lease
    from gateway.sessions.memory_events import MemoryEvents
    from gateway.sessions.session import EndReason
    from gateway.sessions.turn import Turns

_EntryKey = tuple[bytes, int, float]


@dataclass(slots=True)
class _Entry:
    record: GrantRecord
    due_at: float
    forgotten_at: float


@dataclass(slots=True)
class Tables:
    """Everything that the store holds."""

    changes: ChangeLog
    events: MemoryEvents
    sessions: dict[bytes, SessionRecord] = field(default_factory=dict[bytes, SessionRecord])
    grants: dict[bytes, GrantRecord] = field(default_factory=dict[bytes, GrantRecord])
    members: dict[bytes, set[bytes]] = field(default_factory=dict[bytes, set[bytes]])
    leases: dict[bytes, Lease] = field(default_factory=dict[bytes, "Lease"])
    tombstones: dict[bytes, Tombstone] = field(default_factory=dict[bytes, Tombstone])
    revocations: dict[_EntryKey, _Entry] = field(default_factory=dict[_EntryKey, _Entry])
    spent: dict[bytes, float] = field(default_factory=dict[bytes, float])
    budgets: dict[bytes, Turns] = field(default_factory=dict[bytes, "Turns"])
    answers: MemoryAnswers = field(default_factory=MemoryAnswers)

    def offer(self, grant: GrantRecord) -> None:
        """Put a sign-in's grant in, beside or in place of what is there."""
        known = self.grants.get(grant.key)
        if known is None:
            self.grants[grant.key] = grant
            return
        newest = known
        if grant.generation > known.generation:
            newest = grant
            self.leases.pop(grant.key, None)
        ends_at = max(known.ends_at, grant.ends_at)
        self.grants[grant.key] = replace(newest, created_at=known.created_at, ends_at=ends_at)
        self.changes.note(grant.key)

    def bury(
        self, key: bytes, reason: EndReason, *, ended_at: float, now: float, handed_out: bool = True
    ) -> GrantRecord | None:
        """End a session; return and queue its grant if that was the last, unless its tokens are dead.

        A grant that is not handed out to somebody who revokes it is due at once.
        """
        session = self.sessions.pop(key, None)
        if session is None:
            return None
        self.tombstones[key] = Tombstone(key=key, reason=reason, ended_at=ended_at)
        self.changes.note(key)
        members = self.members[session.grant_key]
        members.discard(key)
        if members:
            return None
        del self.members[session.grant_key]
        self.leases.pop(session.grant_key, None)
        self.changes.note(session.grant_key)
        orphan = self.grants.pop(session.grant_key)
        if reason not in TOKENS_DEAD:
            self.queue(orphan, due_at=now + HANDED_SECONDS if handed_out else now, now=now)
        return orphan

    def queue(self, record: GrantRecord, *, due_at: float, now: float) -> None:
        """Queue a grant whose tokens nobody will use again."""
        entry = _Entry(record, due_at, forgotten_at=now + REVOCATION_SECONDS)
        self.revocations[record.key, record.generation, record.created_at] = entry

    def take(self, *, now: float, limit: int, retry_at: float) -> list[GrantRecord]:
        """Hand out what is due in the queue, the longest due first."""
        due = [row for row in self.revocations.values() if row.due_at <= now < row.forgotten_at]
        taken = sorted(due, key=lambda entry: entry.due_at)[:limit]
        for entry in taken:
            entry.due_at = retry_at
        return [entry.record for entry in taken]

    def forget(self, now: float) -> None:
        """Drop what is past its time."""
        oldest = now - TOMBSTONE_SECONDS
        self.tombstones = {key: row for key, row in self.tombstones.items() if row.ended_at > oldest}
        self.spent = {key: expires_at for key, expires_at in self.spent.items() if expires_at > now}
        self.revocations = {key: row for key, row in self.revocations.items() if row.forgotten_at > now}
        self.answers.sweep(now)
        self.budgets = {key: turns for key, turns in self.budgets.items() if turns.idle_at > now}
