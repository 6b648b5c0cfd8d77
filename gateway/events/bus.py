"""Carries events between replicas, through the log that their store keeps."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from typing import TYPE_CHECKING, NamedTuple, Protocol

from gateway.errors import RecordUnreadable, StoreError
from gateway.events.event import pack_event, unpack_event
from gateway.events.recent_events import RecentEvents
from gateway.sessions.event_log import BEGINNING, EVENTS_KEPT, EventId

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


class _Subscriber(NamedTuple):
    heed: Callable[[Event], None]
    lose: Callable[[], None]
    is_settled: bool


class _Settling(NamedTuple):
    """What settled subscribers are told at `due`: an event, or that all up to a place was missed."""

    due: float
    place: EventId
    event: Event | None


class Bus:
    """Publishes events to all replicas, this one too, and hands theirs to who subscribed.

    Subscribers are called in the order of their subscription, in the event loop, one event after the other.
    Every replica hears the events in the same order, but not at the same moment. Who empties a cache is
    called at once. Who tells a browser, which may ask another replica next, asks to be called when matters
    are settled: `settle_seconds` later, when the others have most likely heard as well.

    After an outage of the store each replica goes on where it stopped; if the log does not reach back that
    far, or an event cannot be read, subscribers are told that something was missed, and take everything that
    they remember for outdated. What the store keeps is sealed: it can read and make no event.
    """

    def __init__(
        self, log: EventLog, keyring: Keyring, *, clock: Callable[[], float], settle_seconds: float = 0.0
    ) -> None:
        self._log = log
        self._keyring = keyring
        self._clock = clock
        self._settle_seconds = settle_seconds
        self._subscribers: dict[object, _Subscriber] = {}
        self._recent = RecentEvents()
        self._read_to = BEGINNING
        self._settling: deque[_Settling] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._failing = False
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Learn what the log keeps, and begin to listen; StoreUnavailable if that fails."""
        batch = await self._log.read_events(BEGINNING, wait_seconds=0, limit=EVENTS_KEPT)
        self._recent.begin_after(_place_before(batch))
        for place, sealed in batch.rows:
            self._recent.note(place, self._open(place, sealed), now=self._clock())
        self._read_to = batch.last
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Listen no more; who waits for matters to settle is told no more."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    @property
    def last_id(self) -> str:
        """The id of the last event that settled subscribers heard: where `since` begins for a newcomer."""
        return str(self._recent.last)

    @property
    def recent(self) -> list[Event]:
        """The events of the last five minutes that this replica knows of, also from before it started."""
        return self._recent.all(now=self._clock())

    def has_room(self, event: Event) -> bool:
        """Say whether the log may take one more of those that the event is counted with; see KEPT_OF_ONE."""
        return self._recent.has_room(event, now=self._clock())

    async def publish(self, event: Event) -> str:
        """Tell all replicas, and return the event's id; after StoreUnavailable they may hear or not.

        Subscribers here are called after it is in the log, possibly before this returns.
        """
        sealed = self._keyring.seal(pack_event(event), aad=_AAD)
        return str(await self._log.append_event(sealed, now=self._clock()))

    def subscribe(
        self, heed: Callable[[Event], None], *, lose: Callable[[], None], settled: bool = False
    ) -> Callable[[], None]:
        """Call `heed` with each event from now on, and `lose` where some were missed, until `stop`."""
        key = object()
        self._subscribers[key] = _Subscriber(heed, lose, settled)

        def stop() -> None:
            self._subscribers.pop(key, None)

        return stop

    def since(self, event_id: str) -> list[Event] | None:
        """Return the events after one, of the last five minutes; None if some between may be missing.

        Whoever subscribes for settled matters and asks this without giving way in between misses nothing and
        hears nothing twice. None too for an id of another replica's that this one has yet to hear of.
        """
        return self._recent.since(event_id, now=self._clock())

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

    async def _listen_once(self) -> None:
        batch = await self._log.read_events(self._read_to, wait_seconds=_WAIT_SECONDS, limit=_BATCH)
        if self._failing:
            self._failing = False
            _LOGGER.warning("the store tells of events again")
        if not batch.is_whole:
            _LOGGER.warning("events were missed: the log does not reach back to the last one that was heard")
            self._hear(_place_before(batch), None)
        for place, sealed in batch.rows:
            self._hear(place, self._open(place, sealed))
        self._read_to = batch.last

    def _open(self, place: EventId, sealed: bytes) -> Event | None:
        try:
            return unpack_event(self._keyring.open(sealed, aad=_AAD), event_id=str(place))
        except (RecordUnreadable, TypeError, ValueError) as error:
            # TypeError, ValueError: another version of the gateway wrote it.
            _LOGGER.warning("an event cannot be read: %s", error)
            return None

    def _hear(self, place: EventId, event: Event | None) -> None:
        self._read_to = place
        self._hand_out(event, settled=False)
        if self._settle_seconds <= 0:
            self._settle(_Settling(0.0, place, event))
            return
        loop = asyncio.get_running_loop()
        self._settling.append(_Settling(loop.time() + self._settle_seconds, place, event))
        if self._timer is None:
            self._timer = loop.call_at(self._settling[0].due, self._settle_due)

    def _settle_due(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = None
        while self._settling and self._settling[0].due <= loop.time():
            self._settle(self._settling.popleft())
        if self._settling:
            self._timer = loop.call_at(self._settling[0].due, self._settle_due)

    def _settle(self, heard: _Settling) -> None:
        self._recent.note(heard.place, heard.event, now=self._clock())
        self._hand_out(heard.event, settled=True)

    def _hand_out(self, event: Event | None, *, settled: bool) -> None:
        """Tell subscribers of an event, or that some were missed."""
        for subscriber in [each for each in self._subscribers.values() if each.is_settled == settled]:
            try:
                if event is None:
                    subscriber.lose()
                else:
                    subscriber.heed(event)
            except Exception:
                # One that fails must not keep the news from the others.
                _LOGGER.exception("a subscriber of events failed")

    def _fail(self, code: str) -> None:
        if not self._failing:
            _LOGGER.warning("no events are heard while the store is in trouble: %s", code)
        self._failing = True


def _place_before(batch: EventBatch) -> EventId:
    """Return the place before the first event of a batch, or at the log's end."""
    if not batch.rows:
        return batch.last
    first = batch.rows[0][0]
    return EventId(first.epoch, first.number - 1)
