"""Joins the private cache to the bus: writes here are told elsewhere, and those told from there are heeded.

The cache knows no events and the bus no cache; a message of another version, or one that was missed, means
everything.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import secrets
from typing import TYPE_CHECKING

from gateway.errors import StoreError
from gateway.events.event import CACHE, Event
from gateway.proxy.invalidation import touched_by_event
from gateway.proxy.response_cache import Written

if TYPE_CHECKING:
    from gateway.events.bus import Bus
    from gateway.proxy.invalidation import Resources
    from gateway.proxy.peer_answers import PeerAnswers
    from gateway.proxy.response_cache import ResponseCache

_LOGGER = logging.getLogger(__name__)

_EVERYTHING = "*"
_ATTEMPTS = 20
_AGAIN_SECONDS = 0.5
_LATER_SECONDS = 5.0


class CacheEvents:
    """Subscribes `heed` and `lose` at the bus; `announce` is for the writes of this process."""

    def __init__(self, bus: Bus, cache: ResponseCache, peers: PeerAnswers | None) -> None:
        self._bus = bus
        self._cache = cache
        self._peers = peers
        self._own = secrets.token_hex(8)
        self._telling: set[asyncio.Task[None]] = set()
        self._owed: set[Written] = set()
        bus.subscribe(self.heed, lose=cache.forget_everything)

    def announce(self, written: Written) -> asyncio.Task[None]:
        """Tell the others, beside whatever goes on here; done when it is told."""
        return self._start(written, pack_written(written, sender=self._own))

    def has_room(self, event: Event) -> bool:
        """Say whether the log may take one more like this; see KEPT_OF_ONE."""
        return self._bus.has_room(event)

    async def publish(self, event: Event) -> str:
        """Publish lexoffice's event, once nobody finds what it has made outdated; raises StoreUnavailable."""
        if self._peers is not None and event.organization_id is not None:
            await self._peers.forget(touched_by_event(event.type), organization=event.organization_id)
        return await self._bus.publish(event)

    def heed(self, event: Event) -> None:
        """Forget what another process has written, or lexoffice has told of."""
        if event.type != CACHE:
            touched = touched_by_event(event.type)
            self._cache.forget(touched, organization=event.organization_id)
            return
        if event.data.get("from") == self._own:
            return  # it was forgotten before it was told
        connection = None if event.connection is None else bytes.fromhex(event.connection)
        touched = _unpack_resources(event.data.get("resources"))
        if connection is not None and event.data.get("open"):
            self._cache.doubt(connection)
            # What was fetched here since the writer forgot it may be from before the write is performed.
            self._start(Written(connection, event.organization_id, touched, is_open=True), None)
        self._cache.forget(touched, connection=connection, organization=event.organization_id)

    async def close(self) -> None:
        """Tell no more."""
        for task in self._telling:
            task.cancel()
        await asyncio.gather(*self._telling, return_exceptions=True)

    def _start(self, written: Written, event: Event | None) -> asyncio.Task[None]:
        peers, organization = self._peers, written.organization
        task = asyncio.create_task(self._tell(written, event))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)
        if peers is not None and organization is not None:
            # From this moment on: what the store has is not to be brought back from there.
            peers.doubt(organization)
            task.add_done_callback(lambda _: peers.trust(organization))
        return task

    async def _tell(self, written: Written, event: Event | None) -> None:
        """Forget it in the store, and publish the event if there is one; however long the store is away."""
        for attempt in itertools.count(1):
            try:
                if self._peers is not None and written.organization is not None:
                    await self._peers.forget(written.resources, organization=written.organization)
                if event is not None:
                    await self._bus.publish(event)
            except StoreError:
                if attempt == _ATTEMPTS and not self._owe(written):
                    return
                await asyncio.sleep(_AGAIN_SECONDS if attempt < _ATTEMPTS else _LATER_SECONDS)
            else:
                if attempt > _ATTEMPTS:
                    self._owed.discard(written)
                return

    def _owe(self, written: Written) -> bool:
        """Say whether to go on telling it: another task may do so already, and once is enough."""
        if written in self._owed:
            return False
        self._owed.add(written)
        _LOGGER.error("writes cannot be told to the other processes: what they keep may be outdated")
        return True


def pack_written(written: Written, *, sender: str) -> Event:
    """Build the message of a write."""
    data = {"resources": _pack_resources(written.resources), "from": sender}
    if written.is_open:
        data["open"] = "1"
    return Event(
        type=CACHE,
        organization_id=written.organization,
        connection=written.connection.hex(),
        data=data,
    )


def _pack_resources(resources: Resources) -> str:
    return _EVERYTHING if resources is None else " ".join(sorted(resources))


def _unpack_resources(text: str | None) -> Resources:
    return None if text is None or text == _EVERYTHING else frozenset(text.split())
