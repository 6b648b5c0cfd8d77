"""How many calls of one session are under way at once; further ones wait their turn."""

from __future__ import annotations

import asyncio
from collections import deque

from gateway.errors import SessionBusy

WAITING_PER_PLACE = 4
"""Calls that may wait for each place: whoever sends more than that at once does not read the answers."""
_RETRY_AFTER = 1


class SessionConcurrency:
    """Places for calls, `limit` for each session; every place that was taken must be given back.

        if not concurrency.try_acquire(key):
            await concurrency.acquire(key, patience=seconds)
        try: ...
        finally:
            concurrency.release(key)

    Belongs to one event loop. Nothing is kept of a session that has no call under way.
    """

    __slots__ = ("_limit", "_taken", "_waiting")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._taken: dict[bytes, int] = {}
        self._waiting: dict[bytes, deque[asyncio.Future[None]]] = {}

    def try_acquire(self, key: bytes) -> bool:
        """Take a place if there is one that nobody waits for."""
        taken = self._taken.get(key, 0)
        # While anybody waits, all places are taken: a place that is given back goes to who waited longest.
        if taken >= self._limit:
            return False
        self._taken[key] = taken + 1
        return True

    async def acquire(self, key: bytes, *, patience: float) -> None:
        """Take a place, waiting for up to `patience` seconds behind those who came before.

        Raises SessionBusy (429) when it does not come to that, or too many wait already.
        """
        if self.try_acquire(key):
            return
        queue = self._waiting.setdefault(key, deque())
        if len(queue) >= self._limit * WAITING_PER_PLACE or patience <= 0:
            self._drop_empty(key, queue)
            raise SessionBusy(retry_after=_RETRY_AFTER)
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue.append(turn)
        try:
            async with asyncio.timeout(patience):
                await turn
        except BaseException as error:
            self._leave(key, queue, turn)
            if isinstance(error, TimeoutError):
                raise SessionBusy(retry_after=_RETRY_AFTER) from None
            raise

    def release(self, key: bytes) -> None:
        """Give a place back, or hand it to the one who waited longest."""
        queue = self._waiting.get(key)
        while queue:
            turn = queue.popleft()
            if not turn.done():
                turn.set_result(None)
                self._drop_empty(key, queue)
                return
        taken = self._taken[key] - 1
        if taken:
            self._taken[key] = taken
        else:
            del self._taken[key]

    def _leave(self, key: bytes, queue: deque[asyncio.Future[None]], turn: asyncio.Future[None]) -> None:
        if turn.done() and not turn.cancelled():
            self.release(key)  # it was given a place in the moment in which it gave up
        elif turn in queue:
            queue.remove(turn)
        self._drop_empty(key, queue)

    def _drop_empty(self, key: bytes, queue: deque[asyncio.Future[None]]) -> None:
        if not queue and self._waiting.get(key) is queue:
            del self._waiting[key]
