"""Reads what other processes publish about their changes, and knows when it may have missed something."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from gateway.sessions.change_log import ChangeLog

if TYPE_CHECKING:
    from redis.asyncio.connection import AbstractConnection

    from gateway.sessions.records import Changes, Cursor
    from gateway.sessions.redis_link import RedisLink


class RedisChanges:
    """A subscription on every server that takes writes, read when somebody asks.

    Redis sends the messages of a channel and the answer to a PING down one connection in order: when the
    PONG is there, so is everything that was published on that server before. A connection that was lost may
    have lost messages with it: then a new epoch begins, in which no earlier cursor counts. The same when the
    masters of a cluster are others than before.
    """

    def __init__(self, link: RedisLink) -> None:
        self._link = link
        self._lock = asyncio.Lock()
        self._connections: dict[str, AbstractConnection] = {}
        self._epoch = 0
        self._log = ChangeLog(0)

    async def since(self, cursor: Cursor | None) -> Changes:
        """Return what was published since a cursor; StoreUnavailable if not every master answers."""
        async with self._lock, self._link.limits() as client:
            try:
                if client.masters() != self._connections.keys() or not self._connections:
                    await self._let_go()
                    self._connections = await client.connect()
                    await asyncio.gather(*(self._subscribe(each) for each in self._connections.values()))
                    self._epoch += 1
                    self._log = ChangeLog(self._epoch)
                await asyncio.gather(*(self._read(each) for each in self._connections.values()))
            except BaseException:
                await self._let_go()
                raise
            return self._log.since(cursor)

    async def close(self) -> None:
        """End the subscriptions."""
        async with self._lock:
            await self._let_go()

    async def _subscribe(self, connection: AbstractConnection) -> None:
        await connection.send_command("SUBSCRIBE", self._link.channel)
        await connection.read_response()

    async def _read(self, connection: AbstractConnection) -> None:
        await connection.send_command("PING")
        # The answer to the PING is the only one that is no message: a connection with a PING unanswered is
        # not used again.
        while (parts := _parts(await connection.read_response()))[0] == b"message":
            self._log.note(parts[2])

    async def _let_go(self) -> None:
        connections, self._connections = self._connections, {}
        for connection in connections.values():
            await connection.disconnect(nowait=True)


def _parts(response: Any) -> list[bytes]:  # noqa: ANN401 - redis-py does not say
    return list(response)
