"""Records for the contract suite: short names, plain times, a clock that starts at `NOW`."""

from __future__ import annotations

import hashlib

from gateway.sessions.store import GrantRecord, SessionRecord, Tombstone

NOW = 1_800_000_000.0
IDLE = 1800
LONGEST = 36000


def key(name: str) -> bytes:
    """Return a 32-byte key that stands for `name`."""
    return hashlib.sha256(name.encode()).digest()


def session_record(
    name: str, grant: str = "grant", *, at: float = NOW, idle: float = IDLE, longest: float = LONGEST
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
