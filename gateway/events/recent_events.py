"""The events of the last five minutes, for whoever was away for a moment (PURE)."""

from __future__ import annotations

from collections import Counter, deque
from typing import TYPE_CHECKING

from gateway.events.event import KEPT_OF_ONE
from gateway.sessions.event_log import BEGINNING, EVENTS_KEPT, EVENTS_SECONDS, EventId, parse_event_id

if TYPE_CHECKING:
    from gateway.events.event import Event


class RecentEvents:
    """What one replica knows of the log's end; knows what it does not know."""

    def __init__(self) -> None:
        self.last = BEGINNING
        """The place of the last event."""
        self._known_after = BEGINNING
        self._events: deque[tuple[EventId, float, Event]] = deque()
        self._in_room: Counter[tuple[str | None, bool, bool]] = Counter()

    def begin_after(self, place: EventId) -> None:
        """Know of nothing up to a place."""
        self._known_after = self.last = place
        self._events.clear()
        self._in_room.clear()

    def note(self, place: EventId, event: Event | None, *, now: float) -> None:
        """Remember the next event; None is one that cannot be read: nothing up to it counts as known."""
        if event is None:
            self.begin_after(place)
            return
        self.last = place
        self._drop_outdated(now)
        if len(self._events) == EVENTS_KEPT:
            self._drop_first()
        self._events.append((place, now, event))
        self._in_room[event.room] += 1

    def has_room(self, event: Event, *, now: float) -> bool:
        """Say whether there are few enough of those that the event is counted with; see KEPT_OF_ONE."""
        self._drop_outdated(now)
        return self._in_room[event.room] < KEPT_OF_ONE

    def all(self, *, now: float) -> list[Event]:
        """Return them."""
        self._drop_outdated(now)
        return [event for _, _, event in self._events]

    def since(self, event_id: str, *, now: float) -> list[Event] | None:
        """Return the events after one; None if some between may be missing.

        An id from beyond the end is of an event that this replica has yet to hear, or of one that the store
        has lost since: then another one will have that id.
        """
        after = parse_event_id(event_id)
        if after == BEGINNING:
            after = EventId(self.last.epoch, 0)
        self._drop_outdated(now)
        if after is None or after.epoch != self.last.epoch or not self._known_after <= after <= self.last:
            return None
        return [event for place, _, event in self._events if place > after]

    def _drop_outdated(self, now: float) -> None:
        while self._events and self._events[0][1] <= now - EVENTS_SECONDS:
            self._drop_first()

    def _drop_first(self) -> None:
        self._known_after, _, event = self._events.popleft()
        self._in_room[event.room] -= 1
        if not self._in_room[event.room]:
            del self._in_room[event.room]
