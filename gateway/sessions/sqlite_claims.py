"""What the SQLite store knows beside sessions: who refreshes, what is to be revoked, what changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.sessions.claim import decide_claim, decide_release
from gateway.sessions.records import Changes, RefreshClaim
from gateway.sessions.sqlite_events import SqliteEvents
from gateway.sessions.sqlite_file import SqliteFile
from gateway.sessions.sqlite_rows import (
    build_grant,
    build_lease,
    queue,
    write_lease,
)
from gateway.sessions.sqlite_schema import MIGRATIONS

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    from gateway.sessions.event_log import EventBatch, EventId
    from gateway.sessions.records import Cursor, GrantRecord

_READ_CLAIM = """SELECT key, generation, created_at, ends_at, sealed,
    claim_owner, claim_until, claim_abandoned FROM grants WHERE key = ?"""
_RENEW = "UPDATE grants SET claim_until = ?3 WHERE key = ?1 AND claim_owner = ?2"
# Written as IN (SELECT ...), since SQLite is mostly built without UPDATE ... LIMIT.
_TAKE_DUE = """UPDATE revocations SET due_at = ?3 WHERE rowid IN (
        SELECT rowid FROM revocations WHERE due_at <= ?1 AND forgotten_at > ?1 ORDER BY due_at LIMIT ?2)
    RETURNING key, generation, created_at, ends_at, sealed"""
_SETTLE = "DELETE FROM revocations WHERE key = ? AND generation = ? AND created_at = ?"


class SqliteClaims:
    """The part of SqliteStore that is not about sessions."""

    def __init__(self, path: Path, *, busy_seconds: float = 5.0) -> None:
        self._file = SqliteFile(path, MIGRATIONS, busy_seconds=busy_seconds)
        self._events = SqliteEvents(self._file)

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

        def work(connection: sqlite3.Connection) -> RefreshClaim:
            row = connection.execute(_READ_CLAIM, (grant_key,)).fetchone()
            if row is None:
                return RefreshClaim(outcome="gone")
            grant = build_grant(row)
            if grant.generation != generation:
                return RefreshClaim(outcome="superseded", grant=grant)
            outcome, lease = decide_claim(
                build_lease(row),
                owner=owner,
                until=now + lease_seconds,
                now=now,
                takes_lapsed=takes_lapsed,
            )
            write_lease(connection, grant_key, lease)
            return RefreshClaim(outcome=outcome, until=lease.until, grant=grant)

        return await self._file.write(work)

    async def renew_claim(self, grant_key: bytes, *, owner: bytes, lease_seconds: float, now: float) -> bool:
        """Renew a lease; see SessionStore."""
        values = (grant_key, owner, now + lease_seconds)
        return await self._file.write(lambda connection: connection.execute(_RENEW, values).rowcount == 1)

    async def release_claim(self, grant_key: bytes, *, owner: bytes, spent_unknown: bool, now: float) -> None:
        """Let go of a claim; see SessionStore."""

        def work(connection: sqlite3.Connection) -> None:
            row = connection.execute(_READ_CLAIM, (grant_key,)).fetchone()
            lease = None if row is None else build_lease(row)
            if lease is not None and lease.owner == owner:
                left = decide_release(lease, spent_unknown=spent_unknown, now=now)
                write_lease(connection, grant_key, left)

        await self._file.write(work)

    async def queue_revocation(self, record: GrantRecord, *, due_at: float, now: float) -> None:
        """Queue a revocation; see SessionStore."""
        await self._file.write(lambda connection: queue(connection, record, due_at=due_at, now=now))

    async def take_revocations(self, *, now: float, limit: int, retry_at: float) -> list[GrantRecord]:
        """Hand out what is due; see SessionStore."""

        def work(connection: sqlite3.Connection) -> list[GrantRecord]:
            return [build_grant(row) for row in connection.execute(_TAKE_DUE, (now, limit, retry_at))]

        return await self._file.write(work)

    async def settle_revocation(self, key: bytes, *, generation: int, created_at: float) -> None:
        """Take out of the queue what was revoked."""
        values = (key, generation, created_at)
        await self._file.write(lambda connection: connection.execute(_SETTLE, values))

    async def changes(self, since: Cursor | None) -> Changes:
        """Return what changed; see SessionStore.

        The cursor is SQLite's own count of changes to the file, which makes a look that finds none cheap, and
        the number of the last change that was read.
        """

        def work(connection: sqlite3.Connection) -> Changes:
            version, known = since or (0, 0)
            (current,) = connection.execute("PRAGMA data_version").fetchone()
            if since is not None and current == version:
                return Changes(since, frozenset())
            connection.execute("BEGIN")
            try:
                (last,) = connection.execute("SELECT coalesce(max(id), 0) FROM changes").fetchone()
                (first,) = connection.execute("SELECT coalesce(min(id), 0) FROM changes").fetchone()
                rows = connection.execute("SELECT key FROM changes WHERE id > ?", (known,)).fetchall()
            finally:
                connection.execute("COMMIT")
            is_whole = since is not None and first <= known + 1 and last >= known
            return Changes((current, last), frozenset(key for (key,) in rows) if is_whole else None)

        return await self._file.read(work)

    async def append_event(self, sealed: bytes, *, now: float) -> EventId:
        """Add an event to the log; see SessionStore."""
        return await self._events.append(sealed, now=now)

    async def read_events(self, after: EventId | None, *, wait_seconds: float, limit: int) -> EventBatch:
        """Return what came after a place; see SessionStore."""
        return await self._events.read(after, wait_seconds=wait_seconds, limit=limit)
