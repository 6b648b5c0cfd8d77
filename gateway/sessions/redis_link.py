"""Commands to Redis, wherever it is, with a limit of time, and its errors in the gateway's own words."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from redis.exceptions import NoScriptError, RedisClusterException, RedisError

from gateway.errors import StoreUnavailable
from gateway.sessions.redis_clients import build_client
from gateway.sessions.redis_script import DIGEST, SCRIPT

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from gateway.sessions.redis_clients import RedisClient
    from gateway.sessions.redis_place import RedisPlace

Argument = bytes | str | float

_RETRY_AFTER = 5
_AT_ONCE = 40


class RedisLink:
    """One client, for all commands of a store.

    Nothing is tried twice: whoever calls knows whether a repetition does harm. A command has `seconds` to
    come back, after as many at most to wait for its turn.
    """

    def __init__(self, place: RedisPlace, *, namespace: str, seconds: float) -> None:
        self._place = place
        self._namespace = namespace
        self._seconds = seconds
        self._room = asyncio.Semaphore(_AT_ONCE)
        self._client: RedisClient | None = None
        self.channel = f"{namespace}:changes"
        """Where every key that changed is published."""

    def open(self) -> None:
        """Make the client; nothing is connected yet."""
        self._client = build_client(self._place, seconds=self._seconds)

    async def close(self) -> None:
        """Let go of every connection; a second call does nothing."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    def prefix(self, bucket: int) -> str:
        """Return the prefix of one of the 256 buckets; what stands in braces chooses the cluster's slot."""
        return f"{self._namespace}:{{{bucket:02x}}}:"

    async def run(self, *command: Argument) -> Any:  # noqa: ANN401 - whatever Redis answers
        """Return the answer to a command; StoreUnavailable for every trouble."""
        async with self._turn() as client:
            return await client.run(*command)

    async def run_all(self, commands: Sequence[Sequence[Argument]]) -> list[Any]:
        """Return the answers to commands that have nothing to do with each other, sent together."""
        async with self._turn() as client:
            return await client.run_all(commands)

    async def script(self, bucket: int, operation: str, *arguments: Argument) -> Any:  # noqa: ANN401 - the same
        """Do an operation of the script in a bucket."""
        prefix = self.prefix(bucket)
        # Two keys, neither of which is ever there: a cluster that is moving the slot then says TRYAGAIN, and
        # does not let the script see only the half of the bucket that has arrived.
        rest = (2, prefix, f"{prefix}-", operation, self.channel, *arguments)
        async with self._turn() as client:
            try:
                return await client.run("EVALSHA", DIGEST, *rest)
            except NoScriptError:
                return await client.run("EVAL", SCRIPT, *rest)

    @asynccontextmanager
    async def limits(self) -> AsyncGenerator[RedisClient]:
        """Hand out the client to be used at once, within the limit of time."""
        try:
            if self._client is None:
                raise StoreUnavailable(log_detail="the Redis store is closed")
            async with asyncio.timeout(self._seconds):
                yield self._client
        except (RedisError, RedisClusterException, OSError, TimeoutError) as exc:
            raise _unavailable(exc) from exc

    @asynccontextmanager
    async def _turn(self) -> AsyncGenerator[RedisClient]:
        """Hand out the client to not too many at once."""
        try:
            async with asyncio.timeout(self._seconds):
                await self._room.acquire()
        except TimeoutError as exc:
            raise _unavailable(exc) from exc
        try:
            async with self.limits() as client:
                yield client
        finally:
            self._room.release()


def _unavailable(exc: Exception) -> StoreUnavailable:
    """Translate: what kind of error it was is for the log; its text may name hosts and is for nobody."""
    return StoreUnavailable(
        log_detail=f"the Redis store failed: {type(exc).__name__}", retry_after=_RETRY_AFTER
    )
