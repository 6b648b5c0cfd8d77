"""Tells whoever waits for it that a session has ended, and why."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from gateway.errors import StoreError
from gateway.sessions.vault import Ended

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.sessions.session import EndReason
    from gateway.sessions.vault import Vault

    EndCallback = Callable[[EndReason | Literal["none"]], None]

_LOGGER = logging.getLogger(__name__)
_AT_ONCE = 16
_AGAIN_SECONDS = 0.5
_TICK_SECONDS = 0.25
_NEVER = float("inf")
_NOW = float("-inf")


@dataclass(slots=True, eq=False)
class _Watched:
    key: bytes = field(repr=False)
    ends_at: float
    """From then on it is over whatever the store says, and if it says nothing."""
    due_at: float = _NOW
    """When the store is to be asked: at once, or at the end that activity may have put off."""
    callbacks: dict[object, EndCallback] = field(default_factory=dict[object, "EndCallback"], repr=False)


class SessionEnds:
    """Sessions that are watched; watching is no activity.

    The store is asked when a session begins to be watched, when a look named it, when its idle end has come,
    and when anything may have changed. While the store does not answer, a session ends by its absolute time
    alone. All times are on the gateway's clock.
    """

    def __init__(self, vault: Vault, *, clock: Callable[[], float]) -> None:
        self._vault = vault
        self._clock = clock
        self._watched: dict[bytes, _Watched] = {}
        self._asking: asyncio.Task[None] | None = None
        self._ticking: asyncio.Task[None] | None = None

    @property
    def is_in_use(self) -> bool:
        """Whether anybody waits."""
        return bool(self._watched)

    def watch(self, key: bytes, callback: EndCallback, *, ends_at: float | None) -> Callable[[], None]:
        """Call `callback` with the reason, once, unless what is returned here was called before.

        `ends_at` is the session's absolute end, if that is known; the store will tell.
        """
        watched = self._watched.setdefault(key, _Watched(key, _NEVER))
        watched.due_at = _NOW
        if ends_at is not None:
            watched.ends_at = ends_at
        token = object()
        watched.callbacks[token] = callback
        if self._ticking is None or self._ticking.done():
            self._ticking = asyncio.create_task(self._tick())

        def stop() -> None:
            watched.callbacks.pop(token, None)
            if not watched.callbacks and self._watched.get(key) is watched:
                del self._watched[key]

        return stop

    def mark(self, keys: frozenset[bytes] | None) -> None:
        """Have the store asked about these keys' sessions, or about all."""
        for key in self._watched if keys is None else keys & self._watched.keys():
            self._watched[key].due_at = _NOW

    def end_overdue(self) -> None:
        """End what is past its absolute end."""
        now = self._clock()
        for watched in [each for each in self._watched.values() if each.ends_at <= now]:
            self._end(watched, "expired")

    def begin_asking(self) -> None:
        """Ask the store, beside whatever else goes on, about the sessions that are due."""
        now = self._clock()
        if self._asking is not None and not self._asking.done():
            return
        if due := [each for each in self._watched.values() if each.due_at <= now]:
            self._asking = asyncio.create_task(self._ask_about(due))

    async def close(self) -> None:
        """Tell nobody any more."""
        self._watched.clear()
        for task in (self._asking, self._ticking):
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    async def _tick(self) -> None:
        """End what is past its absolute end, also while a look waits for a store that does not answer."""
        while self._watched:
            self.end_overdue()
            await asyncio.sleep(_TICK_SECONDS)

    async def _ask_about(self, due: list[_Watched]) -> None:
        for start in range(0, len(due), _AT_ONCE):
            answered = await asyncio.gather(*map(self._ask, due[start : start + _AT_ONCE]))
            if not all(answered):
                return

    async def _ask(self, watched: _Watched) -> bool:
        watched.due_at = _NEVER  # a look that names it meanwhile sets this again
        try:
            found = await self._vault.read(watched.key, now=self._clock())
        except StoreError:
            watched.due_at = min(watched.due_at, self._clock() + _AGAIN_SECONDS)
            return False
        if isinstance(found, Ended):
            self._end(watched, found.reason)
        else:
            watched.ends_at = found.ends_at
            watched.due_at = min(watched.due_at, found.idle_at)
        return True

    def _end(self, watched: _Watched, reason: EndReason | Literal["none"]) -> None:
        if self._watched.get(watched.key) is watched:
            del self._watched[watched.key]
        callbacks = tuple(watched.callbacks.values())
        watched.callbacks.clear()
        for callback in callbacks:
            try:
                callback(reason)
            except Exception:
                _LOGGER.exception("whoever waited for the end of a session failed over it")
