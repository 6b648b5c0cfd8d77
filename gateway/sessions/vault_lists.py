"""A user's sessions together: listed, ended one by one, all but one, all, or by word of the server."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gateway.errors import RecordUnreadable
from gateway.sessions.envelope import open_session
from gateway.sessions.index_keys import IndexKeys
from gateway.sessions.vault_grants import GrantVault

if TYPE_CHECKING:
    from gateway.sessions.keyring import Keyring
    from gateway.sessions.records import EndedSessions, SessionRecord
    from gateway.sessions.session import EndReason, Grant, Session
    from gateway.sessions.store import SessionStore


@dataclass(frozen=True, slots=True)
class SessionsEnded:
    """The keys of sessions that one call ended, and the grants that are to be revoked for it."""

    keys: tuple[bytes, ...] = field(default=(), repr=False)
    grants: tuple[Grant, ...] = ()


class ListingVault(GrantVault):
    """The part of the Vault that is about several sessions of one user.

    Sessions begun by a gateway of store schema 1 are in no list; they end by themselves.
    """

    def __init__(self, store: SessionStore, keyring: Keyring) -> None:
        super().__init__(store, keyring)
        self._index_keys = IndexKeys(keyring)

    def public_id(self, session: Session) -> str:
        """Return the name of a session in its user's own list: 22 characters that lead to nothing else."""
        return self._index_keys.public_ids(session.key)[0]

    async def list_for(self, session: Session, *, now: float) -> list[Session]:
        """Return the live sessions of the session's user, itself among them, the last active one first."""
        return await self._list_filed(await self._subject_keys(session), now=now)

    async def list_for_subject(
        self, *, issuer: str, client_id: str, subject: str, now: float
    ) -> list[Session]:
        """Return the live sessions of a subject at a client, the last active one first."""
        index_keys = self._index_keys.subject_keys(issuer=issuer, client_id=client_id, subject=subject)
        return await self._list_filed(index_keys, now=now)

    async def _list_filed(self, index_keys: tuple[bytes, ...], *, now: float) -> list[Session]:
        records = [
            record for index_key in index_keys for record in await self._store.list_sessions(index_key)
        ]
        opened = [found for found in map(self._open_session_if_readable, records) if found is not None]
        bounded = [await self._bounded(found) for found in opened]
        live = [found for found in bounded if found.why_ended(now) is None]
        return sorted(live, key=lambda found: found.last_seen_at, reverse=True)

    async def end_listed(self, session: Session, public_id: str, *, now: float) -> SessionsEnded | None:
        """End the session of the same user that is called `public_id`; None if there is none."""
        for found in await self.list_for(session, now=now):
            names = self._index_keys.public_ids(found.key)
            if any(hmac.compare_digest(name.encode(), public_id.encode()) for name in names):
                own = found.key == session.key
                orphan = await self._store.end_session(
                    found.key, reason="signed_out" if own else "signed_out_elsewhere", now=now
                )
                self._changed((found.key,))
                return self._ended((found.key,), [self._open_if_readable(orphan)])
        return None

    async def end_others(self, session: Session, *, now: float) -> SessionsEnded:
        """End all sessions of the session's user but itself."""
        return await self._end_filed(await self._subject_keys(session), except_key=session.key, now=now)

    async def end_all(self, session: Session, *, now: float) -> SessionsEnded:
        """End all sessions of the session's user, itself last."""
        others = await self.end_others(session, now=now)
        orphan = await self._store.end_session(session.key, reason="signed_out", now=now)
        self._changed((session.key,))
        return self._ended((*others.keys, session.key), [*others.grants, self._open_if_readable(orphan)])

    async def end_by_sid(self, *, issuer: str, sid: str, now: float) -> SessionsEnded:
        """End the sessions that come of one session at the authorization server."""
        return await self._end_filed(self._index_keys.sid_keys(issuer=issuer, sid=sid), now=now)

    async def end_connection(
        self, *, issuer: str, connection_id: str, ended_at: float, now: float
    ) -> tuple[bytes, ...]:
        """End the sessions of a connection that the authorization server ended at a time.

        Those whose tokens are newer stay: a sign-in has brought the connection back, and all its sessions
        share what that brought. Returns the keys of the others. No grant is to be revoked for it: the tokens
        are dead.
        """
        records = [
            record
            for index_key in self._index_keys.sid_keys(issuer=issuer, sid=connection_id)
            for record in await self._store.list_sessions(index_key)
            if record.created_at <= ended_at and not await self._has_tokens_after(record.grant_key, ended_at)
        ]
        for record in records:
            await self._store.end_session(record.key, reason="grant_ended", now=now)
            self._changed((record.key, record.grant_key))
        return tuple(record.key for record in records)

    async def _has_tokens_after(self, grant_key: bytes, ended_at: float) -> bool:
        try:
            grant = await self.read_grant(grant_key)
        except RecordUnreadable:
            return False
        return grant is not None and grant.tokens.refreshed_at > ended_at

    async def end_by_subject(self, *, issuer: str, client_id: str, subject: str, now: float) -> SessionsEnded:
        """End all sessions of a subject at a client."""
        index_keys = self._index_keys.subject_keys(issuer=issuer, client_id=client_id, subject=subject)
        return await self._end_filed(index_keys, now=now)

    async def _end_filed(
        self,
        index_keys: tuple[bytes, ...],
        *,
        now: float,
        except_key: bytes | None = None,
        reason: EndReason = "signed_out_elsewhere",
    ) -> SessionsEnded:
        ended: list[EndedSessions] = []
        for index_key in index_keys:
            ended.append(
                await self._store.end_sessions(index_key, except_key=except_key, reason=reason, now=now)
            )
            self._changed(ended[-1].keys)
        keys = tuple(key for each in ended for key in each.keys)
        return self._ended(keys, [self._open_if_readable(row) for each in ended for row in each.orphans])

    @staticmethod
    def _ended(keys: tuple[bytes, ...], grants: list[Grant | None]) -> SessionsEnded:
        return SessionsEnded(keys, tuple(grant for grant in grants if grant is not None))

    async def _subject_keys(self, session: Session) -> tuple[bytes, ...]:
        # The session says under which key it is filed itself; those begun under another secret are not.
        grant = await self.read_grant(session.grant_key)
        if grant is None:
            return (session.subject_key,) if session.subject_key else ()
        return self._index_keys.subject_keys(
            issuer=grant.issuer, client_id=grant.client_id, subject=grant.subject
        )

    async def _bounded(self, session: Session) -> Session:
        grant = self._open_if_readable(await self._store.read_grant(session.grant_key))
        return session if grant is None else session.within(grant.tokens)

    def _open_session_if_readable(self, record: SessionRecord) -> Session | None:
        try:
            return open_session(record, self._keyring)
        except RecordUnreadable:
            return None
