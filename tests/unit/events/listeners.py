"""Buses on one log, and what their subscribers heard."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from gateway.events.bus import Bus, EventLog
from gateway.sessions.keyring import Keyring

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from gateway.events.event import Event

SECRET = "a secret for tests, which is long enough by far"
MISSED = "missed"


class Heard:
    """Writes down the types of what a subscriber is told, and MISSED."""

    def __init__(self, bus: Bus, *, settled: bool = False) -> None:
        self.words: list[str] = []
        self.events: list[Event] = []
        self._news = asyncio.Event()
        self.stop = bus.subscribe(self._heed, lose=self._lose, settled=settled)

    async def until(self, count: int) -> list[str]:
        """Wait until so many words are there."""
        async with asyncio.timeout(5):
            while len(self.words) < count:
                self._news.clear()
                await self._news.wait()
        return self.words

    def _heed(self, event: Event) -> None:
        self.events.append(event)
        self.words.append(event.type)
        self._news.set()

    def _lose(self) -> None:
        self.words.append(MISSED)
        self._news.set()


@asynccontextmanager
async def listening(
    log: EventLog,
    *,
    secrets: tuple[str, ...] = (SECRET,),
    clock: Callable[[], float] = lambda: 1000.0,
    settle_seconds: float = 0.0,
) -> AsyncIterator[Bus]:
    """Hand out a bus that has started."""
    bus = Bus(log, Keyring(list(secrets)), clock=clock, settle_seconds=settle_seconds)
    await bus.start()
    try:
        yield bus
    finally:
        await bus.stop()
