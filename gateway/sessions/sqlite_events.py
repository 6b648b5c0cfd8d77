"""The event log of the SQLite store, which the processes of one machine share."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from gateway.sessions.event_log import (
    EVENTS_KEPT,
    EVENTS_SECONDS,
    EventBatch,
    EventId,
    build_batch,
    reads_after,
)

if TYPE_CHECKING:
    import sqlite3

    from gateway.sessions.sqlite_file import SqliteFile

_POLL_SECONDS = 0.1
"""Between two looks for what another process wrote: SQLite tells nobody."""

_NEXT = "UPDATE event_log SET last = last + 1 RETURNING epoch, last"
_ADD = "INSERT INTO events (number, kept_at, sealed) VALUES (?, ?, ?)"
# From the beginning on, never from the middle, whatever the clocks of those who wrote: no gap stays unseen.
_DROP = """DELETE FROM events WHERE number <= ?1 - ?2 OR number <
    (SELECT number FROM events WHERE kept_at > ?3 OR number = ?1 ORDER BY number LIMIT 1)"""
_LAST = "SELECT epoch, last FROM event_log"
_READ = "SELECT number, sealed FROM events WHERE number > ? ORDER BY number LIMIT ?"


class SqliteEvents:
    """A log in two tables of the store's file."""

    def __init__(self, file: SqliteFile) -> None:
        self._file = file
        self._news = asyncio.Event()

    async def append(self, sealed: bytes, *, now: float) -> EventId:
        """Add an event, drop those past their time, and wake who waits in this process."""

        def work(connection: sqlite3.Connection) -> EventId:
            place = EventId(*connection.execute(_NEXT).fetchone())
            connection.execute(_ADD, (place.number, now, sealed))
            connection.execute(_DROP, (place.number, EVENTS_KEPT, now - EVENTS_SECONDS))
            return place

        place = await self._file.write(work)
        news, self._news = self._news, asyncio.Event()
        news.set()
        return place

    async def read(self, after: EventId | None, *, wait_seconds: float, limit: int) -> EventBatch:
        """Return what came after a place; see SessionStore."""

        def work(connection: sqlite3.Connection) -> EventBatch:
            last = EventId(*connection.execute(_LAST).fetchone())
            if after is None or after == last:
                return EventBatch(last)
            found = connection.execute(_READ, (reads_after(after, last), limit)).fetchall()
            return build_batch(after, last, [(EventId(last.epoch, number), row) for number, row in found])

        loop = asyncio.get_running_loop()
        until = loop.time() + wait_seconds
        while True:
            news = self._news
            batch = await self._file.read(work)
            left = until - loop.time()
            if after is None or batch.last != after or left <= 0:
                return batch
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(left, _POLL_SECONDS)):
                    await news.wait()
