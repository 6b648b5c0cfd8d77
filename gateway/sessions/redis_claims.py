"""What the Redis store knows beside sessions: who refreshes, what is to be revoked, what changed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from gateway.sessions.records import RefreshClaim
from gateway.sessions.redis_changes import RedisChanges
from gateway.sessions.redis_events import RedisEvents
from gateway.sessions.redis_records import pack_grant, unpack_grant
from gateway.sessions.redis_writes import RedisWrites

if TYPE_CHECKING:
    from gateway.sessions.event_log import EventBatch, EventId
    from gateway.sessions.records import Changes, Cursor, GrantRecord

BUCKETS = 256
_PROBED = range(0, BUCKETS, 16)
"""Buckets that a ping writes to: spread so that every master of a cluster has one of them."""


class RedisClaims(RedisWrites):
    """The part of RedisStore that is not about sessions."""

    def __init__(self, url: str, *, namespace: str = "lexgate", seconds: float = 2.0) -> None:
        super().__init__(url, namespace=namespace, seconds=seconds)
        self._changes = RedisChanges(self._link)
        self._events = RedisEvents(self._link, seconds=seconds)

    async def open(self) -> None:
        """Connect; StoreUnavailable if nothing can be written."""
        self._link.open()
        try:
            await self.ping()
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Finish what is under way, and disconnect."""
        await self._events.close()
        if self._under_way:
            await asyncio.wait(self._under_way)
        await self._changes.close()
        await self._link.close()

    async def ping(self) -> None:
        """Write a little to every master."""
        await self._link.run_all(
            [("SET", f"{self._link.prefix(bucket)}ping", b"", "PX", 1000) for bucket in _PROBED]
        )

    async def time(self) -> float | None:
        """Return the time by Redis's clock: in a cluster, by that of one of its masters."""
        return float(await self._link.script(0, "time"))

    async def claim_refresh(
        self,
        grant_key: bytes,
        *,
        generation: int,
        owner: bytes,
        lease_seconds: float,
        now: float,
        takes_lapsed: bool = True,
    ) -> RefreshClaim:
        """Claim a refresh; see SessionStore."""
        values = (grant_key, generation, owner, repr(lease_seconds), int(takes_lapsed))
        outcome, left, value = await self._whole(self._link.script(grant_key[0], "claim_refresh", *values))
        return RefreshClaim(
            outcome=outcome.decode(),
            until=None if left is None else now + float(left),
            grant=None if value is None else unpack_grant(grant_key, value),
        )

    async def renew_claim(self, grant_key: bytes, *, owner: bytes, lease_seconds: float, now: float) -> bool:
        """Renew a lease; see SessionStore."""
        _ = now
        renewed = self._link.script(grant_key[0], "renew_claim", grant_key, owner, repr(lease_seconds))
        return bool(await self._whole(renewed))

    async def release_claim(self, grant_key: bytes, *, owner: bytes, spent_unknown: bool, now: float) -> None:
        """Let go of a claim; see SessionStore."""
        _ = now
        await self._whole(
            self._link.script(grant_key[0], "release_claim", grant_key, owner, int(spent_unknown))
        )

    async def queue_revocation(self, record: GrantRecord, *, due_at: float, now: float) -> None:
        """Queue a revocation; see SessionStore."""
        values = (record.key, pack_grant(record), repr(due_at), repr(now))
        await self._whole(self._link.script(record.key[0], "queue_revocation", *values))

    async def take_revocations(self, *, now: float, limit: int, retry_at: float) -> list[GrantRecord]:
        """Hand out what is due; see SessionStore."""

        async def take() -> list[GrantRecord]:
            taken: list[GrantRecord] = []
            for bucket in await self._due("revocations", now):
                if len(taken) < limit:
                    rows = await self._link.script(
                        bucket, "take_revocations", repr(now), limit - len(taken), repr(retry_at)
                    )
                    taken += [unpack_grant(key, value) for key, value in rows]
            return taken

        return await self._whole(take())

    async def settle_revocation(self, key: bytes, *, generation: int, created_at: float) -> None:
        """Take out of the queue what was revoked."""
        await self._whole(self._link.script(key[0], "settle_revocation", key, generation, repr(created_at)))

    async def spend_once(self, key: bytes, *, expires_at: float, now: float) -> bool:
        """Return True once; see SessionStore."""
        if expires_at <= now:
            return False
        values = (repr(expires_at), repr(now))
        return bool(await self._whole(self._link.script(key[0], "spend_once", key, *values)))

    async def spent_until(self, key: bytes, *, now: float) -> float | None:
        """Return when a spent key expires; see SessionStore."""
        expires_at = await self._whole(self._link.script(key[0], "spent_until", key))
        return None if expires_at is None or float(expires_at) <= now else float(expires_at)

    async def changes(self, since: Cursor | None) -> Changes:
        """Return what changed; see SessionStore."""
        return await self._whole(self._changes.since(since))

    async def append_event(self, sealed: bytes, *, now: float) -> EventId:
        """Add an event to the log; see SessionStore."""
        _ = now
        return await self._whole(self._events.append(sealed))

    async def read_events(self, after: EventId | None, *, wait_seconds: float, limit: int) -> EventBatch:
        """Return what came after a place; see SessionStore."""
        return await self._events.read(after, wait_seconds=wait_seconds, limit=limit)

    async def _due(self, name: str, now: float) -> list[int]:
        """Return the buckets in whose sorted set something is due."""
        counts = await self._link.run_all(
            [("ZCOUNT", f"{self._link.prefix(bucket)}{name}", "-inf", repr(now)) for bucket in range(BUCKETS)]
        )
        return [bucket for bucket, count in enumerate(counts) if count]
