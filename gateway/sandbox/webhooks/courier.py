"""The thread in which deliveries are made and tried again; it is there while there are any."""

from __future__ import annotations

import asyncio
from threading import Lock, Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from concurrent.futures import Future


class Courier:
    """Runs work beside the servers, for the books may change in any thread and outside of any event loop."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._under_way = 0

    def run(self, work: Callable[[], Coroutine[None, None, None]]) -> None:
        """Begin the work and return at once."""
        with self._lock:
            self._under_way += 1
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                # What is left undone must not keep the process alive.
                Thread(target=_run, args=(self._loop,), name="sandbox-webhooks", daemon=True).start()
            future = asyncio.run_coroutine_threadsafe(work(), self._loop)
        future.add_done_callback(self._ended)

    def _ended(self, future: Future[None]) -> None:
        with self._lock:
            self._under_way -= 1
            if self._under_way == 0 and self._loop is not None:
                loop, self._loop = self._loop, None
                loop.call_soon_threadsafe(loop.stop)
        future.result()  # a defect is logged


def _run(loop: asyncio.AbstractEventLoop) -> None:
    loop.run_forever()
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()
