"""Sessions in a SQLite file: they survive a restart, and several processes on one machine share them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.sessions.session import why_ended
from gateway.sessions.sqlite_file import SqliteFile
from gateway.sessions.store import SWEEP_SESSIONS, TOMBSTONE_SECONDS, GrantRecord, SessionRecord, Tombstone

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    from gateway.sessions.session import EndReason

_MIGRATIONS = (
    (
        """CREATE TABLE grants (
            key BLOB PRIMARY KEY, generation INTEGER NOT NULL, created_at REAL NOT NULL,
            ends_at REAL NOT NULL, sealed BLOB NOT NULL)""",
        """CREATE TABLE sessions (
            key BLOB PRIMARY KEY, grant_key BLOB NOT NULL, created_at REAL NOT NULL,
            last_seen_at REAL NOT NULL, idle_at REAL NOT NULL, ends_at REAL NOT NULL, sealed BLOB NOT NULL
        ) WITHOUT ROWID""",
        "CREATE INDEX sessions_by_grant ON sessions (grant_key)",
        "CREATE INDEX sessions_by_idle_at ON sessions (idle_at)",
        """CREATE TABLE tombstones (
            key BLOB PRIMARY KEY, reason TEXT NOT NULL, ended_at REAL NOT NULL) WITHOUT ROWID""",
        "CREATE INDEX tombstones_by_ended_at ON tombstones (ended_at)",
        "CREATE TABLE spent (key BLOB PRIMARY KEY, expires_at REAL NOT NULL) WITHOUT ROWID",
        "CREATE INDEX spent_by_expires_at ON spent (expires_at)",
    ),
)

_ADD_GRANT = """INSERT INTO grants (key, generation, created_at, ends_at, sealed) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (key) DO UPDATE SET
        sealed = CASE WHEN excluded.generation > generation THEN excluded.sealed ELSE sealed END,
        generation = max(generation, excluded.generation),
        ends_at = max(ends_at, excluded.ends_at)"""
_ADD_SESSION = """INSERT INTO sessions (key, grant_key, created_at, last_seen_at, idle_at, ends_at, sealed)
    VALUES (?, ?, ?, ?, ?, ?, ?)"""
_WAS_USED = "SELECT 1 FROM sessions WHERE key = ?1 UNION ALL SELECT 1 FROM tombstones WHERE key = ?1"
_READ_SESSION = """SELECT grant_key, created_at, last_seen_at, idle_at, ends_at, sealed
    FROM sessions WHERE key = ?"""
_READ_TOMBSTONE = "SELECT reason, ended_at FROM tombstones WHERE key = ?"
_READ_GRANT = "SELECT generation, created_at, ends_at, sealed FROM grants WHERE key = ?"
_TOUCH = """UPDATE sessions SET last_seen_at = max(last_seen_at, :last_seen_at),
        idle_at = min(max(idle_at, :idle_at), ends_at), sealed = coalesce(:sealed, sealed)
    WHERE key = :key AND idle_at > :last_seen_at"""
_REPLACE_GRANT = """UPDATE grants SET generation = ?2, ends_at = max(ends_at, ?4), sealed = ?5
    WHERE key = ?1 AND generation = ?6 AND generation < ?2 AND created_at = ?3"""
_END_SESSION = "DELETE FROM sessions WHERE key = ? RETURNING grant_key"
_BURY = "INSERT INTO tombstones (key, reason, ended_at) VALUES (?, ?, ?)"
_TAKE_ORPHAN = """DELETE FROM grants
    WHERE key = ?1 AND NOT EXISTS (SELECT 1 FROM sessions WHERE grant_key = ?1)
    RETURNING key, generation, created_at, ends_at, sealed"""
_SPEND = """INSERT INTO spent (key, expires_at) VALUES (?1, ?2)
    ON CONFLICT (key) DO UPDATE SET expires_at = ?2 WHERE expires_at <= ?3"""
_PAST_END = "SELECT key, idle_at, ends_at FROM sessions WHERE idle_at <= ? ORDER BY idle_at LIMIT ?"


def _end(
    connection: sqlite3.Connection, key: bytes, reason: EndReason, ended_at: float
) -> GrantRecord | None:
    ended = connection.execute(_END_SESSION, (key,)).fetchall()
    if not ended:
        return None
    connection.execute(_BURY, (key, reason, ended_at))
    orphan = connection.execute(_TAKE_ORPHAN, ended[0]).fetchall()
    return _build_grant(*orphan[0]) if orphan else None


def _build_grant(
    key: bytes, generation: int, created_at: float, ends_at: float, sealed: bytes
) -> GrantRecord:
    return GrantRecord(key=key, generation=generation, created_at=created_at, ends_at=ends_at, sealed=sealed)


def _grant_values(grant: GrantRecord) -> tuple[bytes, int, float, float, bytes]:
    return grant.key, grant.generation, grant.created_at, grant.ends_at, grant.sealed


class SqliteStore:
    """A SessionStore in one file, with mode 0600 when it is created here; a folder made for it has 0700.

    A committed write survives the end of the process however sudden; a power cut may take the last ones back,
    whole transactions at a time. Writers wait for each other, at most `busy_seconds`.
    """

    def __init__(self, path: Path, *, busy_seconds: float = 5.0) -> None:
        self._file = SqliteFile(path, _MIGRATIONS, busy_seconds=busy_seconds)

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
            connection.execute(_ADD_GRANT, _grant_values(grant))
            connection.execute(
                _ADD_SESSION,
                (
                    session.key,
                    session.grant_key,
                    session.created_at,
                    session.last_seen_at,
                    session.idle_at,
                    session.ends_at,
                    session.sealed,
                ),
            )
            return None if replaces is None else _end(connection, replaces, "replaced", now)

        return await self._file.write(work)

    async def read_session(self, key: bytes) -> SessionRecord | Tombstone | None:
        """Return the session, its tombstone or None."""

        def work(connection: sqlite3.Connection) -> SessionRecord | Tombstone | None:
            if row := connection.execute(_READ_SESSION, (key,)).fetchone():
                grant_key, created_at, last_seen_at, idle_at, ends_at, sealed = row
                return SessionRecord(
                    key=key,
                    grant_key=grant_key,
                    created_at=created_at,
                    last_seen_at=last_seen_at,
                    idle_at=idle_at,
                    ends_at=ends_at,
                    sealed=sealed,
                )
            # A session that ends between the two look-ups has its tombstone by the second.
            if row := connection.execute(_READ_TOMBSTONE, (key,)).fetchone():
                return Tombstone(key=key, reason=row[0], ended_at=row[1])
            return None

        return await self._file.read(work)

    async def read_grant(self, key: bytes) -> GrantRecord | None:
        """Return the grant or None."""

        def work(connection: sqlite3.Connection) -> GrantRecord | None:
            row = connection.execute(_READ_GRANT, (key,)).fetchone()
            return _build_grant(key, *row) if row else None

        return await self._file.read(work)

    async def touch(
        self, key: bytes, *, last_seen_at: float, idle_at: float, sealed: bytes | None = None
    ) -> bool:
        """Note activity; see SessionStore."""
        values = {"key": key, "last_seen_at": last_seen_at, "idle_at": idle_at, "sealed": sealed}
        return await self._file.write(lambda connection: connection.execute(_TOUCH, values).rowcount == 1)

    async def replace_grant(self, record: GrantRecord, *, expected_generation: int) -> bool:
        """Compare and set; see SessionStore."""
        values = (*_grant_values(record), expected_generation)
        return await self._file.write(
            lambda connection: connection.execute(_REPLACE_GRANT, values).rowcount == 1
        )

    async def end_session(self, key: bytes, *, reason: EndReason, now: float) -> GrantRecord | None:
        """End a session; see SessionStore."""
        return await self._file.write(lambda connection: _end(connection, key, reason, now))

    async def end_grant(self, key: bytes, *, reason: EndReason, now: float) -> int:
        """End a grant and its sessions; see SessionStore."""

        def work(connection: sqlite3.Connection) -> int:
            members = connection.execute("SELECT key FROM sessions WHERE grant_key = ?", (key,)).fetchall()
            for (member,) in members:
                _end(connection, member, reason, now)
            return len(members)

        return await self._file.write(work)

    async def spend_once(self, key: bytes, *, expires_at: float, now: float) -> bool:
        """Return True once; see SessionStore."""
        values = (key, expires_at, now)
        return expires_at > now and await self._file.write(
            lambda connection: connection.execute(_SPEND, values).rowcount == 1
        )

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
                orphan = _end(connection, key, reason, idle_at)
                if orphan is not None:
                    orphans.append(orphan)
            connection.execute("DELETE FROM tombstones WHERE ended_at <= ?", (now - TOMBSTONE_SECONDS,))
            connection.execute("DELETE FROM spent WHERE expires_at <= ?", (now,))
            return orphans

        return await self._file.write(work)
