"""Sessions in Redis or Valkey: several machines share them."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from gateway.errors import StoreUnavailable
from gateway.sessions.records import (
    SWEEP_SESSIONS,
    TOMBSTONE_SECONDS,
    EndedSessions,
    SessionRecord,
    Tombstone,
)
from gateway.sessions.redis_answers import RedisAnswers
from gateway.sessions.redis_claims import BUCKETS, RedisClaims
from gateway.sessions.redis_records import pack_grant, pack_session, unpack_grant, unpack_session
from gateway.sessions.redis_turns import RedisTurns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.sessions.records import GrantRecord
    from gateway.sessions.session import EndReason


class RedisStore(RedisClaims, RedisTurns, RedisAnswers):
    """A SessionStore in a single Redis, in one that sentinels watch, or in a cluster; `url` says which.

    A session, its grant, and the grant's claim and other sessions lie in one of 256 buckets, by the first
    byte of their keys; a bucket is one slot of a cluster, and a script changes it whole or not at all. What
    finds sessions by subject or `sid` lies elsewhere: it is written before the session, so that no session is
    ever missing there, and what it names beyond is looked up and passed over.

    Every key expires by itself, should no gateway be left to sweep, but later than it has to. Redis must be
    set to keep what it was given (`maxmemory-policy noeviction`).
    """

    async def add(
        self, session: SessionRecord, grant: GrantRecord, *, replaces: bytes | None, now: float
    ) -> GrantRecord | None:
        """Add a session and its grant; see SessionStore."""
        if session.key[0] != grant.key[0]:
            raise ValueError("the session's key and its grant's begin differently")
        return await self._whole(self._add(session, grant, replaces=replaces, now=now))

    async def read_session(self, key: bytes) -> SessionRecord | Tombstone | None:
        """Return the session, its tombstone or None."""
        value = await self._link.run("GET", self._name("s", key))
        return None if value is None else unpack_session(key, value)

    async def read_grant(self, key: bytes) -> GrantRecord | None:
        """Return the grant or None."""
        value = await self._link.run("GET", self._name("g", key))
        return None if value is None else unpack_grant(key, value)

    async def list_sessions(self, index_key: bytes) -> list[SessionRecord]:
        """Return the sessions of a subject or `sid`."""
        keys: list[bytes] = await self._link.run("ZRANGE", self._name("i", index_key), 0, -1)
        if not keys:
            return []
        values = await self._link.run_all([("GET", self._name("s", key)) for key in keys])
        found = [
            unpack_session(key, value) for key, value in zip(keys, values, strict=True) if value is not None
        ]
        return [row for row in found if isinstance(row, SessionRecord)]

    async def touch(
        self, key: bytes, *, last_seen_at: float, idle_at: float, sealed: bytes | None = None
    ) -> bool:
        """Note activity; see SessionStore."""
        values = (repr(last_seen_at), repr(idle_at), int(sealed is not None), sealed or b"")
        return bool(await self._whole(self._link.script(key[0], "touch", key, *values)))

    async def replace_grant(self, record: GrantRecord, *, expected_generation: int) -> bool:
        """Compare and set; see SessionStore."""
        values = (record.key, pack_grant(record), expected_generation)
        return bool(await self._whole(self._link.script(record.key[0], "replace_grant", *values)))

    async def end_session(self, key: bytes, *, reason: EndReason, now: float) -> GrantRecord | None:
        """End a session; see SessionStore."""
        _, orphans = await self._whole(self._end([key], reason=reason, now=now))
        return orphans[0] if orphans else None

    async def end_sessions(
        self, index_key: bytes, *, except_key: bytes | None, reason: EndReason, now: float
    ) -> EndedSessions:
        """End the sessions of a subject or `sid`; see SessionStore."""

        async def end() -> EndedSessions:
            listed: list[bytes] = await self._link.run("ZRANGE", self._name("i", index_key), 0, -1)
            keys, orphans = await self._end(
                [key for key in listed if key != except_key], reason=reason, now=now
            )
            return EndedSessions(tuple(keys), tuple(orphans))

        return await self._whole(end())

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

        async def end() -> int:
            expected = (
                "" if expected_generation is None else expected_generation,
                "" if expected_created_at is None else repr(expected_created_at),
            )
            ended = await self._link.script(key[0], "end_grant", key, reason, repr(now), *expected)
            await self._unlist(ended)
            return len(ended)

        return await self._whole(end())

    async def count_sessions(self, now: float) -> int:
        """Return how many sessions live."""
        names = [f"{self._link.prefix(bucket)}due" for bucket in range(BUCKETS)]
        return sum(await self._link.run_all([("ZCOUNT", name, f"({now!r}", "+inf") for name in names]))

    async def remove_expired(self, now: float) -> list[GrantRecord]:
        """End what is past its end; see SessionStore."""

        async def sweep() -> list[GrantRecord]:
            ended: list[Any] = []
            buckets = {*await self._due("due", now), *await self._due("ended", now - TOMBSTONE_SECONDS)}
            for bucket in sorted(buckets):
                limit = SWEEP_SESSIONS - len(ended)
                ended += await self._link.script(bucket, "remove_expired", repr(now), limit)
            await self._unlist(ended)
            return _orphans(ended)

        return await self._whole(sweep())

    def _name(self, kind: str, key: bytes) -> bytes:
        return f"{self._link.prefix(key[0])}{kind}".encode() + key

    async def _add(
        self, session: SessionRecord, grant: GrantRecord, *, replaces: bytes | None, now: float
    ) -> GrantRecord | None:
        index_keys = [key for key in (session.subject_key, session.sid_key) if key]
        for index_key in index_keys:
            await self._link.script(index_key[0], "list", index_key, session.key, repr(session.ends_at))
        times = (repr(session.idle_at), repr(session.ends_at))
        is_new = await self._link.script(
            session.key[0], "add", session.key, pack_session(session), *times, grant.key, pack_grant(grant)
        )
        if not is_new:
            raise ValueError("the session key was used before")
        if replaces is None:
            return None
        _, orphans = await self._end([replaces], reason="replaced", now=now)
        return orphans[0] if orphans else None

    async def _end(
        self, keys: Sequence[bytes], *, reason: EndReason, now: float
    ) -> tuple[list[bytes], list[GrantRecord]]:
        ended: list[Any] = []
        for key in keys:
            row = await self._link.script(key[0], "end_session", key, reason, repr(now))
            if row is not None:
                ended.append(row)
        await self._unlist(ended)
        return [row[0] for row in ended], _orphans(ended)

    async def _unlist(self, ended: Sequence[Any]) -> None:
        """Take ended sessions off the lists; one that stays there for want of Redis does no harm."""
        commands = [
            ("ZREM", self._name("i", index_key), row[0])
            for row in ended
            for index_key in row[1:3]
            if index_key
        ]
        if commands:
            with suppress(StoreUnavailable):
                await self._link.run_all(commands)


def _orphans(ended: Sequence[Any]) -> list[GrantRecord]:
    """Return the grants in rows of sessions that ended: key, subject key, sid key, grant's key and value."""
    return [unpack_grant(*orphan) for _, _, _, *orphan in ended if orphan]
