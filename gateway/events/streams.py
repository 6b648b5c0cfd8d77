"""All open streams of events of this process: who is told what, one timer for their heartbeats."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections import deque
from typing import TYPE_CHECKING

from gateway.errors import TooManyStreams
from gateway.events.server_sent import (
    PASSED_ON,
    build_event,
    build_heartbeat,
    build_lexoffice_event,
    build_retry,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gateway.events.bus import Bus
    from gateway.events.event import Event
    from gateway.events.stream import EventStream
    from gateway.observability.logs import RequestLog
    from gateway.observability.metrics import Metrics

_LOGGER = logging.getLogger(__name__)

PATH = "/auth/events"
STREAMS_EACH = 5
"""Streams that one session may have open here; a browser is expected to need one."""
HEARTBEAT_SECONDS = 15
RETRY_MILLISECONDS = 2000
_PORTION = 256
"""Streams that are written to before everything else in this process has its turn."""
_MAX_REPLAYED_BYTES = 32_768
"""Far below what makes a browser count as one that does not read."""
_LEAST_PAUSE_MILLISECONDS = 200
_MOST_SPREAD_MILLISECONDS = 5000


class Streams:
    """Who is told of what; `heed` and `lose` are for the bus, after the subscriber that empties caches."""

    def __init__(
        self, bus: Bus, *, metrics: Metrics, request_log: RequestLog, login_url: str, version: str
    ) -> None:
        self._bus = bus
        self._metrics = metrics
        self._request_log = request_log
        self._version = version
        self.login_url = login_url
        self._places: dict[bytes, int] = {}
        self._by_organization: dict[str, set[EventStream]] = {}
        self._slots: list[set[EventStream]] = [set() for _ in range(HEARTBEAT_SECONDS)]
        self._beats = 0
        self._number = 0
        self._joined = 0
        self._timer: asyncio.TimerHandle | None = None
        self._due: deque[tuple[bytes, Iterator[EventStream]]] = deque()
        self._goes_on = False

    def take_place(self, session_key: bytes) -> None:
        """Count one more stream of a session, to be opened; raises TooManyStreams."""
        taken = self._places.get(session_key, 0)
        if taken >= STREAMS_EACH:
            raise TooManyStreams("This session has too many streams of events open.", retry_after=30)
        self._places[session_key] = taken + 1

    def leave_place(self, session_key: bytes) -> None:
        """Count one stream less."""
        left = self._places[session_key] - 1
        if left:
            self._places[session_key] = left
        else:
            del self._places[session_key]

    def join(self, stream: EventStream, *, last_event_id: str) -> None:
        """Greet a stream whose head was written, tell what it missed, and keep it up to date from then on."""
        missed = self._find_missed(stream, last_event_id) if last_event_id else []
        here = self._bus.last_id
        # Nobody may go on from here who has not been told what is missing up to here.
        place = "" if missed is None else last_event_id or here
        stream.write(build_retry(RETRY_MILLISECONDS))
        stream.write(build_event("hello", {"version": self._version, "id": here}, event_id=place))
        if missed is None:
            self.count("missed")
            stream.write(build_event("missed", {}, event_id=here))
        else:
            for chunk in missed:
                self.count("lexoffice")
                stream.write(chunk)
        stream.write(self._build_heartbeat())
        self._add(stream)

    def leave(self, stream: EventStream) -> None:
        """Forget a stream that is over, and write its line in the log."""
        key = stream.watched.key
        stream.watched.stop()
        self.leave_place(key)
        self._remove(stream)
        self._request_log.write(
            PATH,
            "GET",
            200,
            seconds=time.perf_counter() - stream.started,
            sent=stream.sent,
            request_id=stream.request_id,
            trace_id=stream.trace_id,
        )

    def heed(self, event: Event) -> None:
        """Tell the streams of the organization whose books changed."""
        streams = self._by_organization.get(event.organization_id or "")
        if streams and event.type in PASSED_ON:
            self._metrics.count_events("lexoffice", len(streams))
            self._tell(streams, build_lexoffice_event(event))

    def lose(self) -> None:
        """Tell all streams that something was missed, so that whoever shows data asks for them anew."""
        for streams in self._by_organization.values():
            self._metrics.count_events("missed", len(streams))
            self._tell(streams, build_event("missed", {}, event_id=self._bus.last_id))

    def count(self, kind: str) -> None:
        """Count an event that was told to one stream."""
        self._metrics.count_events(kind.replace(".", "_"), 1)

    def choose_pause(self) -> int:
        """Return after how many milliseconds one of those who must leave may come back."""
        spread = min(_MOST_SPREAD_MILLISECONDS, 500 + self._number)
        return _LEAST_PAUSE_MILLISECONDS + secrets.randbelow(spread)

    def _find_missed(self, stream: EventStream, last_event_id: str) -> list[bytes] | None:
        """Return what is to be told again; None if that is not known, or so much that asking anew is less."""
        events = self._bus.since(last_event_id)
        if events is None:
            return None
        own = [event for event in events if event.organization_id == stream.organization is not None]
        chunks = [build_lexoffice_event(event) for event in own if event.type in PASSED_ON]
        return chunks if sum(map(len, chunks)) <= _MAX_REPLAYED_BYTES else None

    def _add(self, stream: EventStream) -> None:
        if stream.organization is not None:
            self._by_organization.setdefault(stream.organization, set()).add(stream)
        self._joined += 1
        stream.slot = self._joined % HEARTBEAT_SECONDS
        self._slots[stream.slot].add(stream)
        self._number += 1
        self._metrics.event_streams.inc()
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(1, self._beat)

    def _remove(self, stream: EventStream) -> None:
        if stream not in self._slots[stream.slot]:
            return
        self._slots[stream.slot].discard(stream)
        self._number -= 1
        self._metrics.event_streams.dec()
        if stream.organization is not None:
            streams = self._by_organization[stream.organization]
            streams.discard(stream)
            if not streams:
                del self._by_organization[stream.organization]

    def _tell(self, streams: Iterable[EventStream], chunk: bytes) -> None:
        """Write to those who listen now, in the order of the events."""
        self._due.append((chunk, iter(tuple(streams))))
        if not self._goes_on:
            self._go_on()

    def _go_on(self) -> None:
        self._goes_on = False
        left = _PORTION
        while self._due:
            chunk, streams = self._due[0]
            for stream in streams:
                _write(stream, chunk)
                left -= 1
                if not left:
                    self._goes_on = True
                    asyncio.get_running_loop().call_soon(self._go_on)
                    return
            self._due.popleft()

    def _beat(self) -> None:
        """Write to a part of the streams, a second after the part before."""
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(1, self._beat) if self._number else None
        self._beats += 1
        heartbeat = self._build_heartbeat()
        for stream in self._slots[self._beats % HEARTBEAT_SECONDS]:
            _write(stream, heartbeat)

    def _build_heartbeat(self) -> bytes:
        # While an event is being told, not everybody has heard what the bus has.
        return build_heartbeat("" if self._due else self._bus.last_id)


def _write(stream: EventStream, chunk: bytes) -> None:
    try:
        stream.write(chunk)
    except Exception:
        # A defect in one stream must not keep the news from the others.
        _LOGGER.exception("a stream of events could not be written to")
