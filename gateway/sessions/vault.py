"""Keeps sessions and grants in a store that cannot read them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from gateway.errors import RecordUnreadable
from gateway.sessions.envelope import open_grant, open_session, seal_grant, seal_session
from gateway.sessions.session import (
    EndReason,
    Grant,
    Session,
    Tokens,
    build_grant_key,
    build_session_key,
    new_grant_key,
    why_ended,
)
from gateway.sessions.store import TOMBSTONE_SECONDS, GrantRecord, Tombstone

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.sessions.keyring import Keyring
    from gateway.sessions.store import SessionStore


@dataclass(frozen=True, slots=True)
class Ended:
    """There is no session: it ended for `reason`, or is unknown or long forgotten ("none")."""

    reason: EndReason | Literal["none"]


class Vault:
    """Sessions and grants for the gateway, sealed records for the store.

    A record of a session that lives but does not open raises RecordUnreadable (503), and is never taken for
    "none": it means that this replica lacks a secret that another one has, or that the store was tampered
    with, and signing people out would make a slip of the operator's final. An operator who removes a secret
    on purpose signs its users out all the same: their cookies were signed with it, are no longer believed,
    and lead to no look-up. Where a record has ended, the answer does not depend on opening it: signing out
    always works, and a grant that does not open is then not handed out, since there is nothing to revoke it
    with.

    `now` is in seconds since the epoch. Everything but the constructor may raise StoreUnavailable.
    """

    def __init__(self, store: SessionStore, keyring: Keyring, *, idle_seconds: int, max_seconds: int) -> None:
        self._store = store
        self._keyring = keyring
        self._idle_seconds = idle_seconds
        self._max_seconds = max_seconds

    async def begin(  # noqa: PLR0913 - a sign-in is that many facts; all are named
        self,
        *,
        session_id: str,
        issuer: str,
        client_id: str,
        subject: str,
        connection_id: str | None,
        claims: Mapping[str, str],
        tokens: Tokens,
        replaces: bytes | None,
        now: float,
    ) -> tuple[Session, Grant | None]:
        """Begin a session, and end the one it `replaces` (a session key).

        Without a `connection_id` the session has a grant of its own. With one it shares the grant of all
        sessions of the same issuer, client, subject and connection; that grant then holds whichever tokens
        are newest. Returns the session, and the replaced session's grant if that is to be revoked.
        """
        ends_at = now + self._max_seconds
        key = new_grant_key()
        if connection_id is not None:
            key = build_grant_key(
                issuer=issuer, client_id=client_id, subject=subject, connection_id=connection_id
            )
        grant = Grant(
            key=key,
            issuer=issuer,
            client_id=client_id,
            subject=subject,
            connection_id=connection_id,
            tokens=tokens,
            generation=1,
            created_at=now,
            ends_at=ends_at,
        )
        session = Session(
            key=build_session_key(session_id),
            grant_key=key,
            subject=subject,
            claims=claims,
            created_at=now,
            last_seen_at=now,
            idle_seconds=self._idle_seconds,
            ends_at=ends_at,
        )
        return session, await self._add(session, grant, replaces=replaces, now=now)

    async def read(self, session_key: bytes, *, now: float) -> Session | Ended:
        """Return the session, or why there is none; nothing is said of one that ended over an hour ago."""
        record = await self._store.read_session(session_key)
        if record is None:
            return Ended("none")
        if isinstance(record, Tombstone):
            return _ended(record.reason, record.ended_at, now)
        reason = why_ended(now, idle_at=record.idle_at, ends_at=record.ends_at)
        if reason is not None:
            return _ended(reason, record.idle_at, now)
        session = open_session(record, self._keyring)
        # The ends beside the seal are the store's; who can write there cannot make a session last longer.
        reason = session.why_ended(now)
        return session if reason is None else _ended(reason, session.idle_at, now)

    async def read_grant(self, grant_key: bytes) -> Grant | None:
        """Return the grant, or None if it is gone with its last session."""
        record = await self._store.read_grant(grant_key)
        return None if record is None else open_grant(record, self._keyring)

    async def keep_alive(self, session: Session, *, now: float) -> Session:
        """Note that the session is in use, at most once a minute; the write seals it with the newest secret.

        A session that ended meanwhile stays ended; the one given is then returned as it was.
        """
        if not session.needs_touch(now):
            return session
        record = seal_session(session.seen(now), self._keyring)
        touched = await self._store.touch(
            record.key, last_seen_at=record.last_seen_at, idle_at=record.idle_at, sealed=record.sealed
        )
        return session.seen(now) if touched else session

    async def replace_tokens(self, grant: Grant, tokens: Tokens) -> Grant | None:
        """Put new tokens in place of the grant's, and return its next generation.

        If another writer was first, returns the grant as that one left it, and `tokens` are nowhere; None
        if the grant is gone. After StoreUnavailable it may be called again with the same arguments.
        """
        renewed = grant.with_tokens(tokens)
        record = seal_grant(renewed, self._keyring)
        if await self._store.replace_grant(record, expected_generation=grant.generation):
            return renewed
        return await self.read_grant(grant.key)

    async def end(self, session_key: bytes, *, reason: EndReason, now: float) -> Grant | None:
        """End a session; returns its grant if that is to be revoked."""
        orphan = await self._store.end_session(session_key, reason=reason, now=now)
        return self._open_if_readable(orphan)

    async def end_grant(self, grant_key: bytes, *, reason: EndReason, now: float) -> int:
        """End a grant and all its sessions; returns how many they were."""
        return await self._store.end_grant(grant_key, reason=reason, now=now)

    async def sweep(self, now: float) -> list[Grant]:
        """Clear away what is past its end, in bounded portions; returns the grants that are to be revoked."""
        orphans = await self._store.remove_expired(now)
        return [grant for grant in map(self._open_if_readable, orphans) if grant is not None]

    async def spend_once(self, key: bytes, *, expires_at: float, now: float) -> bool:
        """Return True to exactly one caller for a key until it expires, and False to all others."""
        return await self._store.spend_once(key, expires_at=expires_at, now=now)

    async def count(self, now: float) -> int:
        """Return how many sessions live."""
        return await self._store.count_sessions(now)

    async def ping(self) -> None:
        """Return if the store could read and write now."""
        await self._store.ping()

    async def _add(
        self, session: Session, grant: Grant, *, replaces: bytes | None, now: float
    ) -> Grant | None:
        shared = grant.connection_id is not None
        known = await self._store.read_grant(grant.key) if shared else None
        if known is not None:
            grant = replace(grant, generation=known.generation + 1, created_at=known.created_at)
        orphan = await self._store.add(
            seal_session(session, self._keyring), seal_grant(grant, self._keyring), replaces=replaces, now=now
        )
        if shared:
            await self._settle(grant)
        return self._open_if_readable(orphan)

    async def _settle(self, offered: Grant) -> None:
        """Put the newest tokens into a shared grant if another writer came between reading and adding."""
        while (record := await self._store.read_grant(offered.key)) is not None:
            known = self._open_if_readable(record)
            if known is not None and known.tokens.refreshed_at >= offered.tokens.refreshed_at:
                return
            newer = replace(offered, generation=record.generation + 1, created_at=record.created_at)
            if await self._store.replace_grant(
                seal_grant(newer, self._keyring), expected_generation=record.generation
            ):
                return

    def _open_if_readable(self, record: GrantRecord | None) -> Grant | None:
        try:
            return None if record is None else open_grant(record, self._keyring)
        except RecordUnreadable:
            return None


def _ended(reason: EndReason, ended_at: float, now: float) -> Ended:
    return Ended("none" if ended_at + TOMBSTONE_SECONDS <= now else reason)
