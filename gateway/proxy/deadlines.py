"""Ends what takes too long: one timer for all calls, for one each would cost more than a small call does."""

from __future__ import annotations

import asyncio
from typing import Protocol

TICK_SECONDS = 0.1
"""How late a limit may strike."""


class Limited(Protocol):
    """A call: `deadline` is on the event loop's clock, `expire` is called once it has passed."""

    deadline: float

    def expire(self) -> None:
        """Come to an end."""
        ...


class Deadlines:
    """Looks at all calls ten times a second, and not at all while there are none."""

    def __init__(self) -> None:
        self._calls: set[Limited] = set()
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, call: Limited) -> None:
        """Expire the call when its deadline has passed, until `forget`."""
        self._calls.add(call)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(TICK_SECONDS, self._tick)

    def forget(self, call: Limited) -> None:
        """Leave the call alone."""
        self._calls.discard(call)

    def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        for call in [call for call in self._calls if call.deadline <= now]:
            call.expire()
        self._timer = loop.call_later(TICK_SECONDS, self._tick) if self._calls else None
