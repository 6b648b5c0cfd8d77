"""Clears away expired sessions once a minute, and revokes the tokens that nobody can use any more."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING

from gateway.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.observability.metrics import Metrics
    from gateway.sessions.vault import Vault
    from gateway.web.revocation import Revocation

_LOGGER = logging.getLogger(__name__)
_SWEEP_SECONDS = 60.0


class Sweep:
    """Runs beside the requests from `start` to `stop`; trouble of the store only delays it."""

    def __init__(
        self, *, vault: Vault, revocation: Revocation, metrics: Metrics, clock: Callable[[], float]
    ) -> None:
        self._vault = vault
        self._revocation = revocation
        self._metrics = metrics
        self._clock = clock
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to sweep, now and then once a minute."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End the sweeping."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def sweep(self) -> int:
        """Sweep once; returns how many grants are being revoked for want of a session, now or still.

        Raises ClockSkewed, and ends nothing, where this machine's clock cannot be trusted.
        """
        await self._vault.check_clock(self._clock())
        grants = await self._vault.sweep(self._clock())
        for grant in grants:
            self._revocation.begin(grant)
        return len(grants) + await self._revocation.retry()

    async def _run(self) -> None:
        while True:
            try:
                await self.sweep()
            except StoreError as error:
                self._metrics.count_store_error()
                _LOGGER.warning("expired sessions could not be cleared away: %s", error)
            except Exception:
                # A defect that strikes once must not leave expired sessions where they are for good.
                _LOGGER.exception("expired sessions could not be cleared away")
            await asyncio.sleep(_SWEEP_SECONDS)
