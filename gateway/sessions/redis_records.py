"""Records as the bytes that Redis keeps; the layout is in lua/steps.lua."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, cast

from gateway.sessions.records import GrantRecord, SessionRecord, Tombstone

if TYPE_CHECKING:
    from gateway.sessions.session import EndReason

_TIMES = struct.Struct(">xdddd")
_GRANT = struct.Struct(">ddd")
_ENDED_AT = struct.Struct(">xd")


def pack_session(session: SessionRecord) -> bytes:
    """Return the value of a session."""
    times = _TIMES.pack(session.created_at, session.last_seen_at, session.idle_at, session.ends_at)
    keys = (session.grant_key, session.subject_key, session.sid_key or b"")
    framed = b"".join(bytes([len(key)]) + key for key in keys)
    return b"S" + times[1:] + framed + session.sealed


def unpack_session(key: bytes, value: bytes) -> SessionRecord | Tombstone:
    """Return the session, or what is left of it."""
    if value[:1] == b"T":
        (ended_at,) = _ENDED_AT.unpack_from(value)
        reason = cast("EndReason", value[_ENDED_AT.size :].decode())
        return Tombstone(key=key, reason=reason, ended_at=ended_at)
    created_at, last_seen_at, idle_at, ends_at = _TIMES.unpack_from(value)
    grant_key, subject_key, sid_key, sealed = _split(value[_TIMES.size :])
    return SessionRecord(
        key=key,
        grant_key=grant_key,
        created_at=created_at,
        last_seen_at=last_seen_at,
        idle_at=idle_at,
        ends_at=ends_at,
        sealed=sealed,
        subject_key=subject_key,
        sid_key=sid_key or None,
    )


def pack_grant(grant: GrantRecord) -> bytes:
    """Return the value of a grant."""
    return _GRANT.pack(grant.generation, grant.created_at, grant.ends_at) + grant.sealed


def unpack_grant(key: bytes, value: bytes) -> GrantRecord:
    """Return the grant of a value."""
    generation, created_at, ends_at = _GRANT.unpack_from(value)
    return GrantRecord(
        key=key,
        generation=int(generation),
        created_at=created_at,
        ends_at=ends_at,
        sealed=value[_GRANT.size :],
    )


def _split(framed: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    """Return three parts that each follow their length, and the rest."""
    parts: list[bytes] = []
    for _ in range(3):
        length = framed[0]
        parts.append(framed[1 : 1 + length])
        framed = framed[1 + length :]
    return parts[0], parts[1], parts[2], framed
