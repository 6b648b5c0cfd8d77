"""Records for the contract suite: short names, plain times, a clock that starts at `NOW`.

`NOW` is in the year 2096, so that no store with a clock of its own finds anything expired. What is called
"far" something has keys that Redis keeps apart from the others.
"""

from __future__ import annotations

import hashlib

from gateway.sessions.records import GrantRecord, SessionRecord, Tombstone

NOW = 4_000_000_000.0
IDLE = 1800
LONGEST = 36000


def key(name: str) -> bytes:
    """Return a 32-byte key that stands for `name`."""
    place = b"\xff" if name.startswith("far") else b"\x00"
    return place + hashlib.sha256(name.encode()).digest()[1:]


def session_record(
    name: str,
    grant: str = "grant",
    *,
    at: float = NOW,
    idle: float = IDLE,
    longest: float = LONGEST,
    subject: str = "subject",
    sid: str | None = None,
) -> SessionRecord:
    """Return a session that begins `at`."""
    return SessionRecord(
        key=key(name),
        grant_key=key(grant),
        created_at=at,
        last_seen_at=at,
        idle_at=min(at + idle, at + longest),
        ends_at=at + longest,
        sealed=b"sealed " + name.encode(),
        subject_key=key(subject),
        sid_key=None if sid is None else key(sid),
    )


def grant_record(
    name: str = "grant", *, generation: int = 1, at: float = NOW, ends_at: float = NOW + LONGEST
) -> GrantRecord:
    """Return a grant of some generation, created `at`."""
    return GrantRecord(
        key=key(name),
        generation=generation,
        created_at=at,
        ends_at=ends_at,
        sealed=f"sealed {name} {generation}".encode(),
    )


def tombstone(name: str, reason: str, ended_at: float) -> Tombstone:
    """Return what a session leaves."""
    return Tombstone(key=key(name), reason=reason, ended_at=ended_at)  # type: ignore[arg-type] # any word
