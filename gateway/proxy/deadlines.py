"""Ends what takes too long: one timer for all calls, for one each would cost more than a small call does."""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol

_LOGGER = logging.getLogger(__name__)

TICK_SECONDS = 0.1
"""How late a limit may strike."""
FOREVER = float("inf")


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
        self._loop: asyncio.AbstractEventLoop | None = None

    def now(self) -> float:
        """Return the time of the event loop, which is looked up once: that is a system call each time."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        return self._loop.time()

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
            self._expire(call)
        self._timer = loop.call_later(TICK_SECONDS, self._tick) if self._calls else None

    def _expire(self, call: Limited) -> None:
        try:
            call.expire()
        except Exception:
            # A defect in one call must not leave all others without an end.
            self.forget(call)
            _LOGGER.exception("a call that took too long could not be ended")


class CallLimit:
    """What the task that made it may wait for, and how long; ended from outside, the task is cancelled.

    The cancelled task asks for the `verdict`: why it was ended, or None if somebody else cancelled it.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        self._last = FOREVER
        self._lateness: Exception | None = None
        self.deadline = FOREVER
        self.verdict: Exception | None = None

    def bound(self, seconds: float) -> None:
        """Let everything that follows take this long together."""
        self._last = self._loop.time() + seconds

    def unbound(self) -> None:
        """Let the whole take as long as it may."""
        self._last = FOREVER

    def begin(self, seconds: float, lateness: Exception) -> None:
        """Begin to wait for something; `lateness` is the verdict if it takes longer."""
        self._lateness = lateness
        self.deadline = min(self._loop.time() + seconds, self._last)

    def extend(self, seconds: float) -> None:
        """Wait longer for the same thing."""
        if self.deadline != FOREVER:
            self.deadline = min(self._loop.time() + seconds, self._last)

    def lift(self) -> None:
        """Wait for something that has limits of its own."""
        self.deadline = FOREVER

    def expire(self) -> None:
        """End the task because it is late."""
        if self._lateness is not None:
            self.end(self._lateness)

    def end(self, verdict: Exception) -> None:
        """End the task with a verdict; the first one counts."""
        if self.verdict is None and self._task is not None:
            self.verdict = verdict
            self.deadline = FOREVER
            self._task.cancel()

    def go_on(self) -> None:
        """Let the task live on after its end was announced; it can be ended again."""
        self.verdict = None
        if self._task is not None:
            self._task.uncancel()
