"""Sessions in this process's memory: for tests and trials, gone when it stops."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from gateway.errors import StoreUnavailable
from gateway.sessions.session import why_ended
from gateway.sessions.store import SWEEP_SESSIONS, TOMBSTONE_SECONDS, GrantRecord, SessionRecord, Tombstone

if TYPE_CHECKING:
    from gateway.sessions.session import EndReason


@dataclass(slots=True)
class _Tables:
    sessions: dict[bytes, SessionRecord] = field(default_factory=dict[bytes, SessionRecord])
    grants: dict[bytes, GrantRecord] = field(default_factory=dict[bytes, GrantRecord])
    members: dict[bytes, set[bytes]] = field(default_factory=dict[bytes, set[bytes]])
    tombstones: dict[bytes, Tombstone] = field(default_factory=dict[bytes, Tombstone])
    spent: dict[bytes, float] = field(default_factory=dict[bytes, float])

    def bury(self, key: bytes, reason: EndReason, ended_at: float) -> GrantRecord | None:
        session = self.sessions.pop(key, None)
        if session is None:
            return None
        self.tombstones[key] = Tombstone(key=key, reason=reason, ended_at=ended_at)
        members = self.members[session.grant_key]
        members.discard(key)
        if members:
            return None
        del self.members[session.grant_key]
        return self.grants.pop(session.grant_key)


class MemoryStore:
    """A SessionStore for one event loop: no operation gives way to another in its middle."""

    def __init__(self) -> None:
        self._tables: _Tables | None = None

    def _opened(self) -> _Tables:
        if self._tables is None:
            raise StoreUnavailable(log_detail="the memory store is closed")
        return self._tables

    async def open(self) -> None:
        """Begin empty."""
        self._tables = _Tables()

    async def close(self) -> None:
        """Forget everything."""
        self._tables = None

    async def ping(self) -> None:
        """Return if open."""
        self._opened()

    async def add(
        self, session: SessionRecord, grant: GrantRecord, *, replaces: bytes | None, now: float
    ) -> GrantRecord | None:
        """Add a session and its grant; see SessionStore."""
        tables = self._opened()
        if session.key in tables.sessions or session.key in tables.tombstones:
            raise ValueError("the session key was used before")
        known = tables.grants.get(grant.key, grant)
        newest = max(known, grant, key=lambda record: record.generation)
        tables.grants[grant.key] = replace(
            newest, created_at=known.created_at, ends_at=max(known.ends_at, grant.ends_at)
        )
        tables.members.setdefault(grant.key, set()).add(session.key)
        tables.sessions[session.key] = session
        return None if replaces is None else tables.bury(replaces, "replaced", now)

    async def read_session(self, key: bytes) -> SessionRecord | Tombstone | None:
        """Return the session, its tombstone or None."""
        tables = self._opened()
        return tables.sessions.get(key) or tables.tombstones.get(key)

    async def read_grant(self, key: bytes) -> GrantRecord | None:
        """Return the grant or None."""
        return self._opened().grants.get(key)

    async def touch(
        self, key: bytes, *, last_seen_at: float, idle_at: float, sealed: bytes | None = None
    ) -> bool:
        """Note activity; see SessionStore."""
        tables = self._opened()
        session = tables.sessions.get(key)
        if session is None or session.idle_at <= last_seen_at:
            return False
        tables.sessions[key] = replace(
            session,
            last_seen_at=max(session.last_seen_at, last_seen_at),
            idle_at=min(max(session.idle_at, idle_at), session.ends_at),
            sealed=session.sealed if sealed is None else sealed,
        )
        return True

    async def replace_grant(self, record: GrantRecord, *, expected_generation: int) -> bool:
        """Compare and set; see SessionStore."""
        grants = self._opened().grants
        known = grants.get(record.key)
        if known is None or known.generation != expected_generation or record.generation <= known.generation:
            return False
        if known.created_at != record.created_at:
            return False
        grants[record.key] = replace(record, ends_at=max(known.ends_at, record.ends_at))
        return True

    async def end_session(self, key: bytes, *, reason: EndReason, now: float) -> GrantRecord | None:
        """End a session; see SessionStore."""
        return self._opened().bury(key, reason, now)

    async def end_grant(self, key: bytes, *, reason: EndReason, now: float) -> int:
        """End a grant and its sessions; see SessionStore."""
        tables = self._opened()
        members = list(tables.members.get(key, ()))
        for member in members:
            tables.bury(member, reason, now)
        return len(members)

    async def spend_once(self, key: bytes, *, expires_at: float, now: float) -> bool:
        """Return True once; see SessionStore."""
        spent = self._opened().spent
        if expires_at <= now or spent.get(key, now) > now:
            return False
        spent[key] = expires_at
        return True

    async def count_sessions(self, now: float) -> int:
        """Return how many sessions live."""
        return sum(session.idle_at > now for session in self._opened().sessions.values())

    async def remove_expired(self, now: float) -> list[GrantRecord]:
        """End what is past its end; see SessionStore."""
        tables = self._opened()
        orphans: list[GrantRecord] = []
        for session in [row for row in tables.sessions.values() if row.idle_at <= now][:SWEEP_SESSIONS]:
            reason = why_ended(now, idle_at=session.idle_at, ends_at=session.ends_at)
            orphan = tables.bury(session.key, reason or "idle", session.idle_at)
            if orphan is not None:
                orphans.append(orphan)
        forgotten = now - TOMBSTONE_SECONDS
        tables.tombstones = {key: row for key, row in tables.tombstones.items() if row.ended_at > forgotten}
        tables.spent = {key: expires_at for key, expires_at in tables.spent.items() if expires_at > now}
        return orphans
