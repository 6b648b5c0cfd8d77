"""Work on a Redis that goes on to its end, whoever leaves meanwhile."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from gateway.sessions.redis_link import RedisLink
from gateway.sessions.redis_place import parse_redis_url

if TYPE_CHECKING:
    from collections.abc import Coroutine

_T = TypeVar("_T")


class RedisWrites:
    """What the parts of RedisStore share."""

    def __init__(self, url: str, *, namespace: str, seconds: float) -> None:
        self._link = RedisLink(parse_redis_url(url), namespace=namespace, seconds=seconds)
        self._under_way: set[asyncio.Task[object]] = set()

    async def _whole(self, work: Coroutine[object, object, _T]) -> _T:
        """Do `work` to its end even if the caller is cancelled meanwhile."""
        task = asyncio.ensure_future(work)
        self._under_way.add(task)
        task.add_done_callback(self._landed)
        return await asyncio.shield(task)

    def _landed(self, task: asyncio.Task[object]) -> None:
        self._under_way.discard(task)
        if not task.cancelled():
            # Whoever was to hear of the error may have left.
            task.exception()
