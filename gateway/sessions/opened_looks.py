"""Looks at the store several times a second for what changed, and knows how long a look can be relied on."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING

from gateway.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.sessions.records import Cursor
    from gateway.sessions.vault import Vault

_LOGGER = logging.getLogger(__name__)

LOOK_SECONDS = 0.22
"""From the beginning of one look to that of the next."""
TRUST_SECONDS = 0.75
"""What is remembered serves for this long after the beginning of the last look that was answered."""
_REST_SECONDS = 2.0
"""The same as LOOK_SECONDS while nobody wants to know: a subscription that is never read would overflow."""
_BREATH_SECONDS = 0.02


class Looks:
    """Runs from `start` to `stop`; all times are on a clock that nobody sets."""

    def __init__(
        self,
        vault: Vault,
        *,
        monotonic: Callable[[], float],
        heed: Callable[[frozenset[bytes] | None], None],
        lose: Callable[[], None],
        is_wanted: Callable[[], bool],
    ) -> None:
        """Hand what a look found to `heed`, and call `lose` if it failed, both before anything else."""
        self._vault = vault
        self._monotonic = monotonic
        self._heed = heed
        self._lose = lose
        self._is_wanted = is_wanted
        self.trusted_until = float("-inf")
        self._cursor: Cursor | None = None
        self._failing = False
        self._wanted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Look no more."""
        task, self._task = self._task, None
        self.trusted_until = float("-inf")
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def want(self) -> None:
        """Look at once, if the last look was long ago because nobody wanted to know."""
        self._wanted.set()

    async def look(self) -> None:
        """Look once; trouble of any kind means that nothing is to be relied on."""
        began = self._monotonic()
        try:
            changes = await self._vault.changes(self._cursor)
        except StoreError as error:
            self._fail(error.code)
            return
        except Exception:
            # A defect that strikes once must not end the looking, nor leave anything relied on.
            _LOGGER.exception("a look at what changed failed unexpectedly")
            self._fail("unexpected")
            return
        self._cursor = changes.cursor
        self._heed(changes.keys)
        self.trusted_until = began + TRUST_SECONDS
        if self._failing:
            self._failing = False
            _LOGGER.warning("the store tells what changes again: sessions are remembered")

    def _fail(self, code: str) -> None:
        self.trusted_until = float("-inf")
        self._lose()
        if not self._failing:
            _LOGGER.warning("sessions are not remembered while the store is in trouble: %s", code)
        self._failing = True

    async def _run(self) -> None:
        while True:
            began = self._monotonic()
            await self.look()
            await asyncio.sleep(max(began + LOOK_SECONDS - self._monotonic(), _BREATH_SECONDS))
            if not self._is_wanted():
                await self._rest()

    async def _rest(self) -> None:
        self._wanted.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_REST_SECONDS):
                await self._wanted.wait()
