"""Rows of the SQLite store: how they become records, and the steps that several operations share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.sessions.claim import Lease
from gateway.sessions.records import (
    CHANGES_KEPT,
    HANDED_SECONDS,
    REVOCATION_SECONDS,
    TOKENS_DEAD,
    GrantRecord,
    SessionRecord,
)

if TYPE_CHECKING:
    import sqlite3

    from gateway.sessions.session import EndReason

_END_SESSION = "DELETE FROM sessions WHERE key = ? RETURNING grant_key"
_BURY = "INSERT INTO tombstones (key, reason, ended_at) VALUES (?, ?, ?)"
_TAKE_ORPHAN = """DELETE FROM grants
    WHERE key = ?1 AND NOT EXISTS (SELECT 1 FROM sessions WHERE grant_key = ?1)
    RETURNING key, generation, created_at, ends_at, sealed"""
_QUEUE = """INSERT INTO revocations (key, generation, created_at, ends_at, sealed, due_at, forgotten_at)
    VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (key, generation, created_at) DO UPDATE
        SET ends_at = excluded.ends_at, sealed = excluded.sealed,
            due_at = excluded.due_at, forgotten_at = excluded.forgotten_at"""
_SET_CLAIM = "UPDATE grants SET claim_owner = ?2, claim_until = ?3, claim_abandoned = ?4 WHERE key = ?1"
_PRUNE_EVERY = 500


def build_session(row: tuple[Any, ...]) -> SessionRecord:
    """Turn a row of a session, its columns in the order of the record's fields, into the record."""
    key, grant_key, created_at, last_seen_at, idle_at, ends_at, sealed, subject_key, sid_key = row
    return SessionRecord(
        key=key,
        grant_key=grant_key,
        created_at=created_at,
        last_seen_at=last_seen_at,
        idle_at=idle_at,
        ends_at=ends_at,
        sealed=sealed,
        subject_key=subject_key,
        sid_key=sid_key,
    )


def session_values(session: SessionRecord) -> tuple[Any, ...]:
    """Return a session's values in the order of the record's fields."""
    return (
        session.key,
        session.grant_key,
        session.created_at,
        session.last_seen_at,
        session.idle_at,
        session.ends_at,
        session.sealed,
        session.subject_key,
        session.sid_key,
    )


def build_grant(row: tuple[Any, ...]) -> GrantRecord:
    """Turn a row that begins with a grant's columns into the record."""
    key, generation, created_at, ends_at, sealed, *_ = row
    return GrantRecord(key=key, generation=generation, created_at=created_at, ends_at=ends_at, sealed=sealed)


def grant_values(grant: GrantRecord) -> tuple[bytes, int, float, float, bytes]:
    """Return a grant's values in the order of the record's fields."""
    return grant.key, grant.generation, grant.created_at, grant.ends_at, grant.sealed


def build_lease(row: tuple[Any, ...]) -> Lease | None:
    """Turn a row that ends with owner, end and doubt of a claim into the lease that stands, if any."""
    owner, until, abandoned = row[-3:]
    return None if owner is None else Lease(owner, until, bool(abandoned))


def write_lease(connection: sqlite3.Connection, grant_key: bytes, lease: Lease | None) -> None:
    """Put a lease in the grant's row, or none."""
    values = (None, None, None) if lease is None else (lease.owner, lease.until, lease.abandoned)
    connection.execute(_SET_CLAIM, (grant_key, *values))


def note(connection: sqlite3.Connection, key: bytes) -> None:
    """Write down that what is kept under a key changed."""
    last = connection.execute("INSERT INTO changes (key) VALUES (?)", (key,)).lastrowid or 0
    if last % _PRUNE_EVERY == 0:
        connection.execute("DELETE FROM changes WHERE id <= ?", (last - CHANGES_KEPT,))


def queue(connection: sqlite3.Connection, record: GrantRecord, *, due_at: float, now: float) -> None:
    """Queue a grant whose tokens nobody will use again."""
    connection.execute(_QUEUE, (*grant_values(record), due_at, now + REVOCATION_SECONDS))


def end(
    connection: sqlite3.Connection,
    key: bytes,
    reason: EndReason,
    *,
    ended_at: float,
    now: float,
    handed_out: bool = True,
) -> GrantRecord | None:
    """End a session; return and queue its grant if that was the last, unless its tokens are dead.

    A grant that is not handed out to somebody who revokes it is due at once.
    """
    ended = connection.execute(_END_SESSION, (key,)).fetchall()
    if not ended:
        return None
    connection.execute(_BURY, (key, reason, ended_at))
    note(connection, key)
    rows = connection.execute(_TAKE_ORPHAN, ended[0]).fetchall()
    if not rows:
        return None
    orphan = build_grant(rows[0])
    note(connection, orphan.key)
    if reason not in TOKENS_DEAD:
        queue(connection, orphan, due_at=now + HANDED_SECONDS if handed_out else now, now=now)
    return orphan
