"""Carries events between replicas, through the log that their store keeps."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from typing import TYPE_CHECKING, Protocol

from gateway.errors import RecordUnreadable, StoreError
from gateway.events.event import pack_event, unpack_event
from gateway.sessions.event_log import (
    BEGINNING,
    EVENTS_KEPT,
    EVENTS_SECONDS,
    EventId,
    parse_event_id,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.events.event import Event
    from gateway.sessions.event_log import EventBatch
    from gateway.sessions.keyring import Keyring

_LOGGER = logging.getLogger(__name__)

_AAD = b"event"
_WAIT_SECONDS = 1.0
_BATCH = 256
_REST_SECONDS = 0.25
"""Between two attempts while the store is in trouble."""


class EventLog(Protocol):
    """The part of a SessionStore that the bus uses."""

    async def append_event(self, sealed: bytes, *, now: float) -> EventId:
        """Add an event to the log; see SessionStore."""
        ...

    async def read_events(self, after: EventId | None, *, wait_seconds: float, limit: int) -> EventBatch:
        """Return what came after a place; see SessionStore."""
        ...


class Bus:
    """Publishes events to all replicas, this one too, and hands theirs to who subscribed.

    Subscribers are called in the order of their subscription, in the event loop, one event after the other:
    who empties a cache subscribes before who tells browsers. Every replica hears the events in the same
    order. After an outage of the store each goes on where it stopped; if the log does not reach back that
    far, or an event cannot be opened, subscribers are told that something was missed, and take everything
    that they remember for outdated. What the store keeps is sealed: it can read and make no event.
    """

    def __init__(self, log: EventLog, keyring: Keyring, *, clock: Callable[[], float]) -> None:
        self._log = log
        self._keyring = keyring
        self._clock = clock
        self._subscribers: dict[object, tuple[Callable[[Event], None], Callable[[], None]]] = {}
        self._recent: deque[tuple[EventId, float, Event]] = deque()
        self._last = BEGINNING
        self._known_after = BEGINNING
        self._failing = False
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Learn what the log keeps, and begin to listen; StoreUnavailable if that fails."""
        await self._catch_up()
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Listen no more."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    @property
    def last_id(self) -> str:
        """The id of the last event that this replica heard: where `since` begins for a newcomer."""
        return str(self._last)

    @property
    def recent(self) -> list[Event]:
        """The events of the last five minutes that this replica knows of, also from before it started."""
        self._drop_outdated()
        return [event for _, _, event in self._recent]

    async def publish(self, event: Event) -> str:
        """Tell all replicas, and return the event's id; after StoreUnavailable they may hear or not.

        Subscribers here are called after it is in the log, possibly before this returns.
        """
        sealed = self._keyring.seal(pack_event(event), aad=_AAD)
        return str(await self._log.append_event(sealed, now=self._clock()))

    def subscribe(self, heed: Callable[[Event], None], *, lose: Callable[[], None]) -> Callable[[], None]:
        """Call `heed` with each event from now on, and `lose` where some were missed, until `stop`."""
        place = object()
        self._subscribers[place] = (heed, lose)

        def stop() -> None:
            self._subscribers.pop(place, None)

        return stop

    def since(self, event_id: str) -> list[Event] | None:
        """Return the events after one, of the last five minutes; None if some between may be missing.

        Whoever subscribes and asks this without giving way in between misses nothing and hears nothing twice,
        except that an id from another replica may be of an event that this one has yet to hear.
        """
        after = parse_event_id(event_id)
        if after == BEGINNING:
            after = EventId(self._last.epoch, 0)
        self._drop_outdated()
        if after is None or after.epoch != self._last.epoch or after < self._known_after:
            return None
        return [event for place, _, event in self._recent if place > after]

    async def _run(self) -> None:
        while True:
            try:
                await self._listen_once()
            except StoreError as error:
                self._fail(error.code)
                await asyncio.sleep(_REST_SECONDS)
            except Exception:
                # A defect that strikes once must not end the listening.
                _LOGGER.exception("listening for events failed unexpectedly")
                await asyncio.sleep(_REST_SECONDS)

    async def _catch_up(self) -> None:
        batch = await self._log.read_events(BEGINNING, wait_seconds=0, limit=EVENTS_KEPT)
        self._begin_after(batch)
        for place, sealed in batch.rows:
            self._note(place, sealed)
        self._last = batch.last

    async def _listen_once(self) -> None:
        batch = await self._log.read_events(self._last, wait_seconds=_WAIT_SECONDS, limit=_BATCH)
        if self._failing:
            self._failing = False
            _LOGGER.warning("the store tells of events again")
        if not batch.is_whole:
            _LOGGER.warning("events were missed: the log does not reach back to the last one that was heard")
            self._begin_after(batch)
            self._hand_out(None)
        for place, sealed in batch.rows:
            self._hand_out(self._note(place, sealed))

    def _begin_after(self, batch: EventBatch) -> None:
        """Know of nothing before a batch."""
        first = batch.rows[0][0].number if batch.rows else batch.last.number + 1
        self._known_after = self._last = EventId(batch.last.epoch, first - 1)
        self._recent.clear()

    def _note(self, place: EventId, sealed: bytes) -> Event | None:
        """Open and remember an event; None if that cannot be, and then nothing before it counts as known."""
        self._last = place
        try:
            event = unpack_event(self._keyring.open(sealed, aad=_AAD), event_id=str(place))
        except (RecordUnreadable, TypeError, ValueError) as error:
            # TypeError, ValueError: another version of the gateway wrote it.
            _LOGGER.warning("an event cannot be read: %s", error)
            self._known_after = place
            self._recent.clear()
            return None
        self._drop_outdated()
        if len(self._recent) == EVENTS_KEPT:
            self._known_after = self._recent.popleft()[0]
        self._recent.append((place, self._clock(), event))
        return event

    def _drop_outdated(self) -> None:
        horizon = self._clock() - EVENTS_SECONDS
        while self._recent and self._recent[0][1] <= horizon:
            self._known_after = self._recent.popleft()[0]

    def _hand_out(self, event: Event | None) -> None:
        """Tell every subscriber of an event, or that some were missed."""
        for heed, lose in list(self._subscribers.values()):
            try:
                if event is None:
                    lose()
                else:
                    heed(event)
            except Exception:
                # One that fails must not keep the news from the others.
                _LOGGER.exception("a subscriber of events failed")

    def _fail(self, code: str) -> None:
        if not self._failing:
            _LOGGER.warning("no events are heard while the store is in trouble: %s", code)
        self._failing = True
