"""`GET /auth/events`: judges a request, finds its session, and lets its stream take over the connection."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

from gateway.browser.csrf import judge_request
from gateway.errors import MethodRefused, RequestInvalid, SessionRequired
from gateway.events.server_sent import read_last_event_id
from gateway.events.stream import EventStream
from gateway.events.streams import PATH
from gateway.observability.exchange import exchange_of
from gateway.sessions.vault import Ended

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from collections.abc import Set as AbstractSet

    from starlette.types import Receive, Scope, Send

    from gateway.events.streams import Streams
    from gateway.observability.exchange import Exchange
    from gateway.observability.metrics import Metrics
    from gateway.sessions.authentication import Authentication
    from gateway.sessions.opened import OpenedSessions
    from gateway.sessions.opened_lives import WatchedLife
    from gateway.sessions.session import Session

_OWN_FIELDS = (
    (b"content-type", b"text/event-stream"),
    (b"x-accel-buffering", b"no"),  # nginx would hold events back until it has a bufferful
)
_STATUS = 200


class _Connection(Protocol):
    @property
    def has_left(self) -> bool: ...

    def begin_stream(self, stream: EventStream, status: int, fields: bytes) -> bool: ...

    def end_stream_if_draining(self, stream: EventStream) -> None: ...


class AuthEvents:
    """Plain ASGI up to the head of the answer; raises GatewayError for what it refuses.

    The request's task ends there. What follows is written by whoever has something to tell, straight to the
    connection: thousands of streams need no task, no future and no timer each.
    """

    def __init__(  # noqa: PLR0913 - every argument is named
        self,
        *,
        authentication: Authentication,
        opened: OpenedSessions,
        streams: Streams,
        metrics: Metrics,
        connection_of: Callable[[Mapping[str, object]], _Connection | None],
        public_origin: str,
        sibling_origins: AbstractSet[str],
        guard_fields: Iterable[tuple[bytes, bytes]],
        clock: Callable[[], float],
    ) -> None:
        self._authentication = authentication
        self._opened = opened
        self._streams = streams
        self._metrics = metrics
        self._connection_of = connection_of
        self._public_origin = public_origin
        self._sibling_origins = sibling_origins
        self._fields = b"".join(b"%b: %b\r\n" % field for field in (*guard_fields, *_OWN_FIELDS))
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Open a stream."""
        _ = receive, send
        exchange = exchange_of(scope)
        exchange.route = PATH
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        self._judge(scope["method"], headers)
        last_event_id = read_last_event_id(headers, scope["query_string"])
        key = self._authentication.presented_key(headers)
        if key is None:
            raise SessionRequired("none")
        connection = self._connection_of(scope)
        if connection is None:
            raise RuntimeError("the server below offers no connection to write to")
        self._streams.take_place(key)
        watched = self._opened.watch_life(key)
        stream = None
        try:
            found = await self._opened.lives.read(key)
            if isinstance(found, Ended):
                raise SessionRequired(found.reason)
            stream = self._open(connection, exchange, watched, found[0])
        finally:
            if stream is None:
                watched.stop()
                self._streams.leave_place(key)
        if stream is not None:
            self._streams.join(stream, last_event_id=last_event_id)
            stream.session_lives(watched.tell(stream, *found, now=self._clock()))
            connection.end_stream_if_draining(stream)

    def _judge(self, method: str, headers: list[tuple[bytes, bytes]]) -> None:
        judge_request(
            method=method,
            sec_fetch_site=_text(headers, b"sec-fetch-site"),
            origin=_text(headers, b"origin"),
            csrf_header=None,
            public_origin=self._public_origin,
            sibling_origins=self._sibling_origins,
            header_required=False,
        )
        if method != "GET":
            raise MethodRefused(("GET",))
        if _text(headers, b"transfer-encoding") or _text(headers, b"content-length") not in {None, "0"}:
            raise RequestInvalid("No body belongs to this request.")

    def _open(
        self,
        connection: _Connection,
        exchange: Exchange,
        watched: WatchedLife,
        session: Session,
    ) -> EventStream | None:
        """Take the connection over, unless the browser has left."""
        stream = EventStream(
            self._streams,
            watched,
            organization=session.claims.get("organization_id"),
            started=exchange.started,
            request_id=exchange.request_id,
            trace_id=exchange.trace.trace_id,
        )
        fields = b"%bx-request-id: %b\r\n" % (self._fields, exchange.request_id.encode())
        if connection.has_left or not connection.begin_stream(stream, _STATUS, fields):
            return None
        exchange.status = _STATUS
        exchange.is_told_later = True
        self._metrics.count_request(PATH, "GET", _STATUS, time.perf_counter() - exchange.started)
        return stream


def _text(headers: list[tuple[bytes, bytes]], name: bytes) -> str | None:
    values = [value for key, value in headers if key == name]
    # One that is given twice is equal to nothing.
    return b", ".join(values).decode("latin-1") if values else None
