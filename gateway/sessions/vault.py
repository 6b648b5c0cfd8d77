"""Keeps sessions and grants in a store that cannot read them."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from gateway.errors import StoreError
from gateway.sessions.clock_check import check_clock
from gateway.sessions.envelope import open_session, seal_grant, seal_session
from gateway.sessions.records import TOMBSTONE_SECONDS, Tombstone
from gateway.sessions.session import (
    EndReason,
    Grant,
    Session,
    Tokens,
    build_grant_key,
    build_session_key,
    fold_ends,
    new_grant_key,
    new_session_id,
    why_ended,
)
from gateway.sessions.vault_lists import ListingVault

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.sessions.keyring import Keyring
    from gateway.sessions.records import Changes, Cursor
    from gateway.sessions.store import SessionStore


@dataclass(frozen=True, slots=True)
class Ended:
    """There is no session: it ended for `reason`, or is unknown or long forgotten ("none")."""

    reason: EndReason | Literal["none"]


class Vault(ListingVault):
    """Sessions and grants for the gateway, sealed records for the store.

    A record of a session that lives but does not open raises RecordUnreadable (503), and is never taken for
    "none": it means that this replica lacks a secret that another one has, or that the store was tampered
    with, and signing people out would make a slip of the operator's final. An operator who removes a secret
    on purpose signs its users out all the same: their cookies were signed with it, are no longer believed,
    and lead to no look-up. Where a record has ended, the answer does not depend on opening it: signing out
    always works, and a grant that does not open is then not handed out, since there is nothing to revoke it
    with.

    Every grant that is handed out to be revoked is in the revocation queue too: settle it when it is done.

    `now` is in seconds since the epoch. Everything but the constructor may raise StoreUnavailable.
    """

    def __init__(self, store: SessionStore, keyring: Keyring, *, idle_seconds: int, max_seconds: int) -> None:
        super().__init__(store, keyring)
        self._idle_seconds = idle_seconds
        self._max_seconds = max_seconds

    @staticmethod
    def new_session_id(*, issuer: str, client_id: str, subject: str, connection_id: str | None) -> str:
        """Return the id of a session to `begin` with the same four."""
        if connection_id is None:
            return new_session_id()
        return new_session_id(
            build_grant_key(issuer=issuer, client_id=client_id, subject=subject, connection_id=connection_id)
        )

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
        device: str = "",
        address: str | None = None,
        sid: str | None = None,
        ceilings: Sequence[float | None] = (),
        id_token: str | None = None,
    ) -> tuple[Session, Grant | None]:
        """Begin a session, and end the one it `replaces` (a session key); `session_id` is a new_session_id.

        Without a `connection_id` the session has a grant of its own. With one it shares the grant of all
        sessions of the same issuer, client, subject and connection; that grant then holds the tokens of the
        newest sign-in. `ceilings` are ends that the authorization server sets this session. Returns the
        session, and the replaced session's grant if that is to be revoked.
        """
        ends_at = fold_ends(now + self._max_seconds, *ceilings)
        session_key = build_session_key(session_id)
        key = new_grant_key(session_key)
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
            key=session_key,
            grant_key=key,
            subject=subject,
            claims=claims,
            created_at=now,
            last_seen_at=now,
            idle_seconds=self._idle_seconds,
            ends_at=ends_at,
            device=device,
            address=address,
            sid=sid,
            id_token=id_token,
            subject_key=self._index_keys.subject_keys(issuer=issuer, client_id=client_id, subject=subject)[0],
            sid_key=None if sid is None else self._index_keys.sid_keys(issuer=issuer, sid=sid)[0],
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

    async def end(self, session_key: bytes, *, reason: EndReason, now: float) -> Grant | None:
        """End a session; returns its grant if that is to be revoked."""
        orphan = await self._store.end_session(session_key, reason=reason, now=now)
        self._changed((session_key,))
        return self._open_if_readable(orphan)

    async def sweep(self, now: float) -> list[Grant]:
        """Clear away what is past its end, in bounded portions; returns the grants that are to be revoked."""
        orphans = await self._store.remove_expired(now)
        return [grant for grant in map(self._open_if_readable, orphans) if grant is not None]

    async def check_clock(self, now: float) -> None:
        """Raise ClockSkewed if `now` is far from the store's own time."""
        await check_clock(self._store, now=now)

    async def spend_once(self, key: bytes, *, expires_at: float, now: float) -> bool:
        """Return True to exactly one caller for a key until it expires, and False to all others."""
        return await self._store.spend_once(key, expires_at=expires_at, now=now)

    async def spent_until(self, key: bytes, *, now: float) -> float | None:
        """Return when a key expires that was spent, or None."""
        return await self._store.spent_until(key, now=now)

    async def changes(self, since: Cursor | None) -> Changes:
        """Return the keys of sessions that ended and grants that changed; see SessionStore."""
        return await self._store.changes(since)

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
        before = self._open_if_readable(known)
        if known is not None:
            grant = replace(grant, generation=known.generation + 1, created_at=known.created_at)
        orphan = await self._store.add(
            seal_session(session, self._keyring), seal_grant(grant, self._keyring), replaces=replaces, now=now
        )
        if shared:
            # The session is there: trouble now must not make the caller take the sign-in for failed.
            with contextlib.suppress(StoreError):
                await self._settle(grant, before)
        self._changed((grant.key,) if replaces is None else (grant.key, replaces))
        return self._open_if_readable(orphan)


def _ended(reason: EndReason, ended_at: float, now: float) -> Ended:
    return Ended("none" if ended_at + TOMBSTONE_SECONDS <= now else reason)
