"""Sessions in this process's memory: for tests and trials, gone when it stops."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gateway.sessions.claim import decide_claim, decide_release
from gateway.sessions.memory_shared import MemoryShared
from gateway.sessions.records import SWEEP_SESSIONS, EndedSessions, RefreshClaim
from gateway.sessions.session import why_ended

if TYPE_CHECKING:
    from gateway.sessions.records import Changes, Cursor, GrantRecord, SessionRecord, Tombstone
    from gateway.sessions.session import EndReason


class MemoryStore(MemoryShared):
    """A SessionStore for one event loop: no operation gives way to another in its middle."""

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
        tables.offer(grant)
        tables.members.setdefault(grant.key, set()).add(session.key)
        tables.sessions[session.key] = session
        return None if replaces is None else tables.bury(replaces, "replaced", ended_at=now, now=now)

    async def read_session(self, key: bytes) -> SessionRecord | Tombstone | None:
        """Return the session, its tombstone or None."""
        tables = self._opened()
        return tables.sessions.get(key) or tables.tombstones.get(key)

    async def read_grant(self, key: bytes) -> GrantRecord | None:
        """Return the grant or None."""
        return self._opened().grants.get(key)

    async def list_sessions(self, index_key: bytes) -> list[SessionRecord]:
        """Return the sessions of a subject or `sid`."""
        rows = self._opened().sessions.values()
        return [row for row in rows if index_key in (row.subject_key, row.sid_key)]

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
        tables = self._opened()
        known = tables.grants.get(record.key)
        if known is None or known.generation != expected_generation or record.generation <= known.generation:
            return False
        if known.created_at != record.created_at:
            return False
        tables.grants[record.key] = replace(record, ends_at=max(known.ends_at, record.ends_at))
        tables.leases.pop(record.key, None)
        tables.changes.note(record.key)
        return True

    async def end_session(self, key: bytes, *, reason: EndReason, now: float) -> GrantRecord | None:
        """End a session; see SessionStore."""
        return self._opened().bury(key, reason, ended_at=now, now=now)

    async def end_sessions(
        self, index_key: bytes, *, except_key: bytes | None, reason: EndReason, now: float
    ) -> EndedSessions:
        """End the sessions of a subject or `sid`; see SessionStore."""
        tables = self._opened()
        keys = tuple(row.key for row in await self.list_sessions(index_key) if row.key != except_key)
        orphans = [tables.bury(key, reason, ended_at=now, now=now) for key in keys]
        return EndedSessions(keys, tuple(orphan for orphan in orphans if orphan is not None))

    async def end_grant(
        self,
        key: bytes,
        *,
        reason: EndReason,
        now: float,
        expected_generation: int | None = None,
        expected_created_at: float | None = None,
    ) -> int:
        """End a grant and its sessions; see SessionStore."""
        tables = self._opened()
        known = tables.grants.get(key)
        if known is None or expected_generation not in (None, known.generation):
            return 0
        if expected_created_at not in (None, known.created_at):
            return 0
        members = list(tables.members[key])
        for member in members:
            tables.bury(member, reason, ended_at=now, now=now, handed_out=False)
        return len(members)

    async def time(self) -> float | None:
        """Return None: its clock is this machine's."""
        return None

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
        """Claim a refresh; see SessionStore."""
        tables = self._opened()
        grant = tables.grants.get(grant_key)
        if grant is None:
            return RefreshClaim(outcome="gone")
        if grant.generation != generation:
            return RefreshClaim(outcome="superseded", grant=grant)
        outcome, lease = decide_claim(
            tables.leases.get(grant_key),
            owner=owner,
            until=now + lease_seconds,
            now=now,
            takes_lapsed=takes_lapsed,
        )
        tables.leases[grant_key] = lease
        return RefreshClaim(outcome=outcome, until=lease.until, grant=grant)

    async def renew_claim(self, grant_key: bytes, *, owner: bytes, lease_seconds: float, now: float) -> bool:
        """Renew a lease; see SessionStore."""
        leases = self._opened().leases
        lease = leases.get(grant_key)
        if lease is None or lease.owner != owner:
            return False
        leases[grant_key] = replace(lease, until=now + lease_seconds)
        return True

    async def release_claim(self, grant_key: bytes, *, owner: bytes, spent_unknown: bool, now: float) -> None:
        """Let go of a claim; see SessionStore."""
        leases = self._opened().leases
        lease = leases.get(grant_key)
        if lease is None or lease.owner != owner:
            return
        del leases[grant_key]
        left = decide_release(lease, spent_unknown=spent_unknown, now=now)
        if left is not None:
            leases[grant_key] = left

    async def queue_revocation(self, record: GrantRecord, *, due_at: float, now: float) -> None:
        """Queue a revocation; see SessionStore."""
        self._opened().queue(record, due_at=due_at, now=now)

    async def take_revocations(self, *, now: float, limit: int, retry_at: float) -> list[GrantRecord]:
        """Hand out what is due; see SessionStore."""
        return self._opened().take(now=now, limit=limit, retry_at=retry_at)

    async def settle_revocation(self, key: bytes, *, generation: int, created_at: float) -> None:
        """Take out of the queue what was revoked."""
        self._opened().revocations.pop((key, generation, created_at), None)

    async def spend_once(self, key: bytes, *, expires_at: float, now: float) -> bool:
        """Return True once; see SessionStore."""
        spent = self._opened().spent
        if expires_at <= now or spent.get(key, now) > now:
            return False
        spent[key] = expires_at
        return True

    async def spent_until(self, key: bytes, *, now: float) -> float | None:
        """Return when a spent key expires; see SessionStore."""
        expires_at = self._opened().spent.get(key, now)
        return expires_at if expires_at > now else None

    async def changes(self, since: Cursor | None) -> Changes:
        """Return what changed; see SessionStore."""
        return self._opened().changes.since(since)

    async def count_sessions(self, now: float) -> int:
        """Return how many sessions live."""
        return sum(session.idle_at > now for session in self._opened().sessions.values())

    async def remove_expired(self, now: float) -> list[GrantRecord]:
        """End what is past its end; see SessionStore."""
        tables = self._opened()
        orphans: list[GrantRecord] = []
        for session in [row for row in tables.sessions.values() if row.idle_at <= now][:SWEEP_SESSIONS]:
            reason = why_ended(now, idle_at=session.idle_at, ends_at=session.ends_at) or "idle"
            orphan = tables.bury(session.key, reason, ended_at=session.idle_at, now=now)
            if orphan is not None:
                orphans.append(orphan)
        tables.forget(now)
        return orphans
