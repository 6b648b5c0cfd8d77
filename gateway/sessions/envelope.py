"""Turns sessions and grants into the sealed records that a store keeps, and back."""

from __future__ import annotations

import dataclasses
import json
import sys
from typing import TYPE_CHECKING, Any

from gateway.sessions.records import GrantRecord, SessionRecord
from gateway.sessions.session import Grant, Session, Tokens

if TYPE_CHECKING:
    from gateway.sessions.keyring import Keyring


def _session_place(of: Session | SessionRecord) -> bytes:
    # Whoever can write to the store still cannot point a session at somebody else's grant, nor list it as
    # somebody else's. All keys have one length, and where there are no index keys this is schema 1's place.
    return b"session" + of.key + of.grant_key + of.subject_key + (of.sid_key or b"")


def _grant_place(key: bytes, generation: int) -> bytes:
    return b"grant" + key + generation.to_bytes(8, "big")


def _write(members: dict[str, Any]) -> bytes:
    return json.dumps(members, separators=(",", ":")).encode()


def seal_session(session: Session, keyring: Keyring) -> SessionRecord:
    """Return the record of a session; its activity stays outside the seal, so that a store can note it."""
    inside = {
        "subject": session.subject,
        "claims": dict(session.claims),
        "created_at": session.created_at,
        "idle_seconds": session.idle_seconds,
        "ends_at": session.ends_at,
        "device": session.device,
        "address": session.address,
        "sid": session.sid,
    }
    if session.id_token is not None:
        inside["id_token"] = session.id_token
    return SessionRecord(
        key=session.key,
        grant_key=session.grant_key,
        created_at=session.created_at,
        last_seen_at=session.last_seen_at,
        idle_at=session.idle_at,
        ends_at=session.ends_at,
        sealed=keyring.seal(_write(inside), aad=_session_place(session)),
        subject_key=session.subject_key,
        sid_key=session.sid_key,
    )


def open_session(record: SessionRecord, keyring: Keyring) -> Session:
    """Return the session of a record, its end from under the seal; RecordUnreadable if it does not open."""
    inside = json.loads(keyring.open(record.sealed, aad=_session_place(record)))
    return Session(
        key=record.key,
        grant_key=record.grant_key,
        subject=inside["subject"],
        claims={sys.intern(name): value for name, value in inside["claims"].items()},
        created_at=inside["created_at"],
        last_seen_at=record.last_seen_at,
        idle_seconds=inside["idle_seconds"],
        ends_at=inside["ends_at"],
        # What thousands of sessions have in common is there once: they are kept in memory as they are used.
        device=sys.intern(inside.get("device", "")),
        address=inside.get("address"),
        sid=inside.get("sid"),
        id_token=inside.get("id_token"),
        subject_key=record.subject_key,
        sid_key=record.sid_key,
    )


def seal_grant(grant: Grant, keyring: Keyring) -> GrantRecord:
    """Return the record of a grant."""
    inside = {
        "issuer": grant.issuer,
        "client_id": grant.client_id,
        "subject": grant.subject,
        "connection_id": grant.connection_id,
        "tokens": dataclasses.asdict(grant.tokens),
    }
    return GrantRecord(
        key=grant.key,
        generation=grant.generation,
        created_at=grant.created_at,
        ends_at=grant.ends_at,
        sealed=keyring.seal(_write(inside), aad=_grant_place(grant.key, grant.generation)),
    )


def open_grant(record: GrantRecord, keyring: Keyring) -> Grant:
    """Return the grant of a record; RecordUnreadable if it does not open."""
    inside = json.loads(keyring.open(record.sealed, aad=_grant_place(record.key, record.generation)))
    return Grant(
        key=record.key,
        issuer=sys.intern(inside["issuer"]),
        client_id=sys.intern(inside["client_id"]),
        subject=inside["subject"],
        connection_id=inside["connection_id"],
        tokens=_build_tokens(inside["tokens"]),
        generation=record.generation,
        created_at=record.created_at,
        ends_at=record.ends_at,
    )


def _build_tokens(members: dict[str, Any]) -> Tokens:
    # While replicas are updated one by one, a newer one may have sealed a member that this one does not know.
    known = {field.name for field in dataclasses.fields(Tokens)}
    return Tokens(**{name: value for name, value in members.items() if name in known})
