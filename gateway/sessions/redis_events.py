"""The event log of the Redis store: a stream, so that nothing is lost with a connection."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from gateway.errors import StoreUnavailable
from gateway.sessions.event_log import (
    BEGINNING,
    EventBatch,
    EventId,
    build_batch,
    new_epoch,
    parse_event_id,
    reads_after,
)

if TYPE_CHECKING:
    from gateway.sessions.redis_link import RedisLink

_BUCKET = 0


class RedisEvents:
    """A stream whose entries' ids are the log's epoch and their number; `seconds` is what a command may take.

    Published messages would be fewer commands, but are gone for whoever is not connected just then, and no
    later reader finds them: a stream is read on from any place, by any replica.
    """

    def __init__(self, link: RedisLink, *, seconds: float) -> None:
        self._link = link
        self._longest_wait = seconds / 2
        self._name = f"{link.prefix(_BUCKET)}events"
        self._reading: set[asyncio.Task[EventBatch]] = set()
        self._closings = 0

    async def close(self) -> None:
        """Let those who wait wait no longer."""
        self._closings += 1
        for task in self._reading:
            task.cancel()
        if self._reading:
            await asyncio.wait(self._reading)

    async def append(self, sealed: bytes) -> EventId:
        """Add an event and drop those past their time, by Redis's clock."""
        return _parse(await self._link.script(_BUCKET, "append_event", sealed, new_epoch()))

    async def read(self, after: EventId | None, *, wait_seconds: float, limit: int) -> EventBatch:
        """Return what came after a place; see SessionStore."""
        closings = self._closings
        # In a task of its own, since redis-py now and then takes no notice of having been cancelled.
        task = asyncio.ensure_future(self._read(after, wait_seconds=wait_seconds, limit=limit))
        self._reading.add(task)
        task.add_done_callback(self._landed)
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            task.cancel()
            raise
        if task.cancelled() or self._closings != closings:
            raise StoreUnavailable(log_detail="the Redis store is closed")
        return task.result()

    def _landed(self, task: asyncio.Task[EventBatch]) -> None:
        self._reading.discard(task)
        if not task.cancelled():
            # Whoever was to hear of the error may have left.
            task.exception()

    async def _read(self, after: EventId | None, *, wait_seconds: float, limit: int) -> EventBatch:
        rows = await self._link.run("XREVRANGE", self._name, "+", "-", "COUNT", 1)
        last = _parse(rows[0][0]) if rows else BEGINNING
        if after is None:
            return EventBatch(last)
        if last == after:
            found = await self._wait(after, seconds=min(wait_seconds, self._longest_wait), limit=limit)
        else:
            found = await self._read_on(EventId(after.epoch, reads_after(after, last)), limit=limit)
        return build_batch(after, found[-1][0] if found else last, found)

    async def _wait(self, after: EventId, *, seconds: float, limit: int) -> list[tuple[EventId, bytes]]:
        milliseconds = round(1000 * seconds)
        if milliseconds <= 0:
            return []
        # Beside those commands that take turns: it would keep its place for as long as it waits.
        async with self._link.limits() as client:
            return _parse_rows(
                await client.run(
                    "XREAD", "COUNT", limit, "BLOCK", milliseconds, "STREAMS", self._name, str(after)
                )
            )

    async def _read_on(self, after: EventId, *, limit: int) -> list[tuple[EventId, bytes]]:
        place = str(after if after.number else BEGINNING)
        return _parse_rows(await self._link.run("XREAD", "COUNT", limit, "STREAMS", self._name, place))


def _parse(written: bytes) -> EventId:
    place = parse_event_id(written.decode())
    if place is None:
        raise ValueError("an event of no log of ours")
    return place


def _parse_rows(answer: Any) -> list[tuple[EventId, bytes]]:  # noqa: ANN401 - whatever Redis answers
    rows: list[Any] = answer[0][1] if answer else []
    return [(_parse(place), fields[b"e"]) for place, fields in rows]
