"""Ends the sessions of a connection that lexoffice says was ended there."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from datetime import datetime
from typing import TYPE_CHECKING

from gateway.errors import StoreError
from gateway.events.event import TOKEN_REVOKED
from gateway.sessions.event_log import EVENTS_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.events.event import Event
    from gateway.observability.audit import Audit
    from gateway.observability.metrics import Metrics
    from gateway.sessions.keyring import Keyring
    from gateway.sessions.vault import Vault

_LOGGER = logging.getLogger(__name__)

_SECOND_SECONDS = 2.0
"""How long the replicas that were not the first leave it to the one that was, should that one die."""
_REST_SECONDS = 0.5
"""Between two attempts while the store is in trouble."""


class EndedConnections:
    """Subscribes to the bus of every replica; the first does the work, the others look whether it did.

    The tokens of such a connection are dead: nothing is revoked. Sessions whose tokens are newer than the
    event are of a connection that the user made anew, and stay.
    """

    def __init__(
        self,
        *,
        issuer: str,
        vault: Vault,
        keyring: Keyring,
        audit: Audit,
        metrics: Metrics,
        clock: Callable[[], float],
    ) -> None:
        self._issuer = issuer
        self._vault = vault
        self._keyring = keyring
        self._audit = audit
        self._metrics = metrics
        self._clock = clock
        self._under_way: set[asyncio.Task[None]] = set()

    def heed(self, event: Event) -> None:
        """Begin to end the sessions if the event is about a connection's end."""
        if event.type == TOKEN_REVOKED and event.resource_id and event.date:
            task = asyncio.create_task(self._see_to(event))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    async def close(self) -> None:
        """Leave what is not done to the other replicas, and to the refusal of the next refresh."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _see_to(self, event: Event) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + EVENTS_SECONDS
        while True:
            try:
                await self._end(event)
            except StoreError as error:
                if loop.time() > until:
                    _LOGGER.warning("the sessions of an ended connection were not ended: %s", error.code)
                    return
                await asyncio.sleep(_REST_SECONDS)
            except Exception:
                _LOGGER.exception("ending the sessions of a connection failed unexpectedly")
                return
            else:
                return

    async def _end(self, event: Event) -> None:
        now = self._clock()
        key = hashlib.sha256(b"connection ended" + event.id.encode()).digest()
        if not await self._vault.spend_once(key, expires_at=now + EVENTS_SECONDS, now=now):
            await asyncio.sleep(_SECOND_SECONDS)
        ended = await self._vault.end_connection(
            issuer=self._issuer,
            connection_id=event.resource_id or "",
            ended_at=datetime.fromisoformat(event.date or "").timestamp(),
            now=self._clock(),
        )
        for session_key in ended:
            self._metrics.count_session_end("grant_ended")
            self._audit.session_ended("grant_ended", session=self._keyring.label(session_key))
