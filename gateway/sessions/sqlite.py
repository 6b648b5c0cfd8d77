"""Sessions in a SQLite file: they survive a restart, and several processes on one machine share them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.sessions.records import (
    SWEEP_SESSIONS,
    TOMBSTONE_SECONDS,
    EndedSessions,
    GrantRecord,
    SessionRecord,
    Tombstone,
)
from gateway.sessions.session import why_ended
from gateway.sessions.sqlite_answers import SqliteAnswers, sweep_answers
from gateway.sessions.sqlite_claims import SqliteClaims
from gateway.sessions.sqlite_rows import (
    build_grant,
    build_session,
    end,
    grant_values,
    note,
    session_values,
)
from gateway.sessions.sqlite_turns import SqliteTurns

if TYPE_CHECKING:
    import sqlite3

    from gateway.sessions.session import EndReason

_ADD_GRANT = """INSERT INTO grants (key, generation, created_at, ends_at, sealed) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (key) DO UPDATE SET
        sealed = CASE WHEN excluded.generation > generation THEN excluded.sealed ELSE sealed END,
        claim_owner = CASE WHEN excluded.generation > generation THEN NULL ELSE claim_owner END,
        generation = max(generation, excluded.generation),
        ends_at = max(ends_at, excluded.ends_at)"""
_ADD_SESSION = """INSERT INTO sessions
    (key, grant_key, created_at, last_seen_at, idle_at, ends_at, sealed, subject_key, sid_key)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_WAS_USED = "SELECT 1 FROM sessions WHERE key = ?1 UNION ALL SELECT 1 FROM tombstones WHERE key = ?1"
_READ_SESSION = """SELECT
    key, grant_key, created_at, last_seen_at, idle_at, ends_at, sealed, subject_key, sid_key
    FROM sessions WHERE key = ?"""
_READ_TOMBSTONE = "SELECT key, reason, ended_at FROM tombstones WHERE key = ?"
_READ_GRANT = "SELECT key, generation, created_at, ends_at, sealed FROM grants WHERE key = ?"
_LIST = """SELECT
    key, grant_key, created_at, last_seen_at, idle_at, ends_at, sealed, subject_key, sid_key
    FROM sessions WHERE subject_key = ?1 OR sid_key = ?1"""
_TOUCH = """UPDATE sessions SET last_seen_at = max(last_seen_at, :last_seen_at),
        idle_at = min(max(idle_at, :idle_at), ends_at), sealed = coalesce(:sealed, sealed)
    WHERE key = :key AND idle_at > :last_seen_at"""
_REPLACE_GRANT = """UPDATE grants
    SET generation = ?2, ends_at = max(ends_at, ?4), sealed = ?5, claim_owner = NULL
    WHERE key = ?1 AND generation = ?6 AND generation < ?2 AND created_at = ?3"""
_MEMBERS = """SELECT sessions.key FROM grants JOIN sessions ON sessions.grant_key = grants.key
    WHERE grants.key = ?1 AND generation = coalesce(?2, generation)
    AND grants.created_at = coalesce(?3, grants.created_at)"""
_SPEND = """INSERT INTO spent (key, expires_at) VALUES (?1, ?2)
    ON CONFLICT (key) DO UPDATE SET expires_at = ?2 WHERE expires_at <= ?3"""
_SPENT = "SELECT expires_at FROM spent WHERE key = ? AND expires_at > ?"
_PAST_END = "SELECT key, idle_at, ends_at FROM sessions WHERE idle_at <= ? ORDER BY idle_at LIMIT ?"


class SqliteStore(SqliteClaims, SqliteTurns, SqliteAnswers):
    """A SessionStore in one file, with mode 0600 when it is created here; a folder made for it has 0700.

    A committed write survives the end of the process however sudden; a power cut may take the last ones back,
    whole transactions at a time. Writers wait for each other, at most `busy_seconds`.
    """

    async def open(self) -> None:
        """Create or migrate the file as needed."""
        await self._file.open()

    async def close(self) -> None:
        """Finish what is under way, and close."""
        await self._file.close()

    async def ping(self) -> None:
        """Take the write lock for a moment."""
        await self._file.write(lambda _: None)

    async def add(
        self, session: SessionRecord, grant: GrantRecord, *, replaces: bytes | None, now: float
    ) -> GrantRecord | None:
        """Add a session and its grant; see SessionStore."""

        def work(connection: sqlite3.Connection) -> GrantRecord | None:
            if connection.execute(_WAS_USED, (session.key,)).fetchone():
                raise ValueError("the session key was used before")
            if connection.execute(_READ_GRANT, (grant.key,)).fetchone():
                note(connection, grant.key)
            connection.execute(_ADD_GRANT, grant_values(grant))
            connection.execute(_ADD_SESSION, session_values(session))
            return None if replaces is None else end(connection, replaces, "replaced", ended_at=now, now=now)

        return await self._file.write(work)

    async def read_session(self, key: bytes) -> SessionRecord | Tombstone | None:
        """Return the session, its tombstone or None."""

        def work(connection: sqlite3.Connection) -> SessionRecord | Tombstone | None:
            if row := connection.execute(_READ_SESSION, (key,)).fetchone():
                return build_session(row)
            # A session that ends between the two look-ups has its tombstone by the second.
            if row := connection.execute(_READ_TOMBSTONE, (key,)).fetchone():
                return Tombstone(key=row[0], reason=row[1], ended_at=row[2])
            return None

        return await self._file.read(work)

    async def read_grant(self, key: bytes) -> GrantRecord | None:
        """Return the grant or None."""

        def work(connection: sqlite3.Connection) -> GrantRecord | None:
            row = connection.execute(_READ_GRANT, (key,)).fetchone()
            return build_grant(row) if row else None

        return await self._file.read(work)

    async def list_sessions(self, index_key: bytes) -> list[SessionRecord]:
        """Return the sessions of a subject or `sid`."""
        return await self._file.read(
            lambda connection: [build_session(row) for row in connection.execute(_LIST, (index_key,))]
        )

    async def touch(
        self, key: bytes, *, last_seen_at: float, idle_at: float, sealed: bytes | None = None
    ) -> bool:
        """Note activity; see SessionStore."""
        values = {"key": key, "last_seen_at": last_seen_at, "idle_at": idle_at, "sealed": sealed}
        return await self._file.write(lambda connection: connection.execute(_TOUCH, values).rowcount == 1)

    async def replace_grant(self, record: GrantRecord, *, expected_generation: int) -> bool:
        """Compare and set; see SessionStore."""

        def work(connection: sqlite3.Connection) -> bool:
            replaced = connection.execute(_REPLACE_GRANT, (*grant_values(record), expected_generation))
            if replaced.rowcount == 1:
                note(connection, record.key)
            return replaced.rowcount == 1

        return await self._file.write(work)

    async def end_session(self, key: bytes, *, reason: EndReason, now: float) -> GrantRecord | None:
        """End a session; see SessionStore."""
        return await self._file.write(lambda connection: end(connection, key, reason, ended_at=now, now=now))

    async def end_sessions(
        self, index_key: bytes, *, except_key: bytes | None, reason: EndReason, now: float
    ) -> EndedSessions:
        """End the sessions of a subject or `sid`; see SessionStore."""

        def work(connection: sqlite3.Connection) -> EndedSessions:
            found = [row[0] for row in connection.execute(_LIST, (index_key,)).fetchall()]
            keys = tuple(key for key in found if key != except_key)
            orphans = [end(connection, key, reason, ended_at=now, now=now) for key in keys]
            return EndedSessions(keys, tuple(orphan for orphan in orphans if orphan is not None))

        return await self._file.write(work)

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

        def work(connection: sqlite3.Connection) -> int:
            values = (key, expected_generation, expected_created_at)
            members = connection.execute(_MEMBERS, values).fetchall()
            for (member,) in members:
                end(connection, member, reason, ended_at=now, now=now, handed_out=False)
            return len(members)

        return await self._file.write(work)

    async def spend_once(self, key: bytes, *, expires_at: float, now: float) -> bool:
        """Return True once; see SessionStore."""
        values = (key, expires_at, now)
        return expires_at > now and await self._file.write(
            lambda connection: connection.execute(_SPEND, values).rowcount == 1
        )

    async def spent_until(self, key: bytes, *, now: float) -> float | None:
        """Return when a spent key expires; see SessionStore."""

        def work(connection: sqlite3.Connection) -> float | None:
            row = connection.execute(_SPENT, (key, now)).fetchone()
            return None if row is None else float(row[0])

        return await self._file.read(work)

    async def count_sessions(self, now: float) -> int:
        """Return how many sessions live."""

        def work(connection: sqlite3.Connection) -> int:
            row = connection.execute("SELECT count(*) FROM sessions WHERE idle_at > ?", (now,)).fetchone()
            return int(row[0])

        return await self._file.read(work)

    async def remove_expired(self, now: float) -> list[GrantRecord]:
        """End what is past its end; see SessionStore."""

        def work(connection: sqlite3.Connection) -> list[GrantRecord]:
            orphans: list[GrantRecord] = []
            for key, idle_at, ends_at in connection.execute(_PAST_END, (now, SWEEP_SESSIONS)).fetchall():
                reason = why_ended(now, idle_at=idle_at, ends_at=ends_at) or "idle"
                orphan = end(connection, key, reason, ended_at=idle_at, now=now)
                if orphan is not None:
                    orphans.append(orphan)
            connection.execute("DELETE FROM tombstones WHERE ended_at <= ?", (now - TOMBSTONE_SECONDS,))
            connection.execute("DELETE FROM spent WHERE expires_at <= ?", (now,))
            connection.execute("DELETE FROM revocations WHERE forgotten_at <= ?", (now,))
            sweep_answers(connection, now)
            connection.execute("DELETE FROM budgets WHERE forgotten_at <= ?", (now,))
            return orphans

        return await self._file.write(work)
