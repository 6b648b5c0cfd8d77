"""An event loop whose time moves only when it is told to: nothing in it waits, and every run is the same."""

from __future__ import annotations

import asyncio


class SimulatedLoop(asyncio.SelectorEventLoop):
    """Runs what is ready, and counts the seconds itself."""

    def __init__(self) -> None:
        self._seconds = 0.0
        super().__init__()

    def time(self) -> float:
        """Return the simulated seconds since the beginning."""
        return self._seconds

    def settle(self) -> None:
        """Run until everything waits: for a timer, or for somebody outside."""
        while True:
            self.call_soon(self.stop)
            self.run_forever()
            if not self._ready:  # type: ignore[attr-defined] # the standard library's, but not in its stubs
                return

    def next_timer(self) -> float | None:
        """Return when the first timer goes off, None if there is none."""
        timers: list[asyncio.TimerHandle] = self._scheduled  # type: ignore[attr-defined] # as above
        return min((timer.when() for timer in timers if not timer.cancelled()), default=None)

    def move_to(self, seconds: float) -> None:
        """Let it be that late, and run what that sets going."""
        self._seconds = max(self._seconds, seconds)
        self.settle()
