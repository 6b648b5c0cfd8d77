"""The event log of the store in memory."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque

from gateway.sessions.event_log import (
    EVENTS_KEPT,
    EVENTS_SECONDS,
    EventBatch,
    EventId,
    build_batch,
    reads_after,
)


class MemoryEvents:
    """A log for one event loop."""

    def __init__(self, epoch: int) -> None:
        self._last = EventId(epoch, 0)
        self._rows: deque[tuple[EventId, float, bytes]] = deque(maxlen=EVENTS_KEPT)
        self._news = asyncio.Event()

    def append(self, sealed: bytes, *, now: float) -> EventId:
        """Add an event, drop those past their time, and wake who waits."""
        while self._rows and self._rows[0][1] <= now - EVENTS_SECONDS:
            self._rows.popleft()
        self._last = EventId(self._last.epoch, self._last.number + 1)
        self._rows.append((self._last, now, sealed))
        news, self._news = self._news, asyncio.Event()
        news.set()
        return self._last

    def read(self, after: EventId | None, *, limit: int) -> EventBatch:
        """Return what came after a place; see SessionStore."""
        if after is None:
            return EventBatch(self._last)
        number = reads_after(after, self._last)
        rows = [(place, sealed) for place, _, sealed in self._rows if place.number > number]
        return build_batch(after, self._last, rows[:limit])

    async def wait(self, after: EventId | None, *, seconds: float) -> None:
        """Return when something else than nothing is to be read after a place, or after `seconds`."""
        if after == self._last and seconds > 0:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._news.wait()
