"""uvicorn's HTTP/1.1 protocol with limits against abuse, and trailers kept out of the head."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, cast

from gateway.errors import (
    BrowserError,
    GatewayFull,
    RequestHeadTooLarge,
    RequestInvalid,
    RequestTargetTooLong,
)
from gateway.http_refusal import FULL_LISTENER
from gateway.http_timely import TimelyHttpProtocol, cancelled
from gateway.proxy.request_target import MAX_TARGET_BYTES
from gateway.proxy.websocket_handshake import validate_handshake

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterable

    from httptools import HttpRequestParser
    from uvicorn._types import ASGI3Application
    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

    from gateway.errors import GatewayError

_WATCHED = frozenset((b"content-length", b"expect", b"transfer-encoding"))
_VERSIONS = frozenset(("1.0", "1.1"))
MAX_HEAD_BYTES = 65_536
MAX_FIELDS = 100
MAX_UNREAD_BYTES = 32 * 1_048_576
"""How much more of a body is taken once its request was answered: to break off would destroy the answer."""
MAX_PIPELINED = 16
"""Requests that may wait behind the one that is being answered (RFC 9112 §9.3.2)."""
MAX_PIPELINED_BYTES = 65_536
"""Beyond which no further one may: what they wait behind may be a stream that lasts for hours."""


class LimitedHttpProtocol(TimelyHttpProtocol):
    """Answers what is wrong with a request's framing as application/problem+json, and closes."""

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - uvicorn's
        super().__init__(*args, **options)
        self._sockets_below = b"/api/"
        self.url = b""
        self._refusal: type[GatewayError] = RequestInvalid
        self._unread_bytes = 0
        self._takes_no_more = False
        # uvicorn would count per request, and answer plain text; here it is the number of connections.
        self._max_connections, self.limit_concurrency = self.limit_concurrency, None
        self._served: RequestResponseCycle | None = None
        self._upgrades = False
        self._version = ""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn does
        """Give the first request its time: little where the listener is full, none where that is no help."""
        super().connection_made(transport)
        limit = self._max_connections
        if limit is not None and len(self.connections) > limit:
            self._is_crowded = True
            FULL_LISTENER.tell(limit, now=self.loop.time())
            if len(self.connections) > limit + max(1, limit // 8):
                transport.abort()
                return
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the call that is being served."""
        super().connection_lost(exc)
        # uvicorn tells the request that came last, of several that were pipelined.
        if self._served is not None and not self._served.response_complete:
            self._served.disconnected = True
            self._served.message_event.set()

    def data_received(self, data: bytes) -> None:
        """Feed the parser, and refuse what keeps it busy without a head or body coming of it."""
        if self._takes_no_more:
            return
        self._bytes_without_progress += len(data)
        super().data_received(data)
        if self._takes_no_more:
            return  # the rest of this piece, however long, must not cost those who wait their answers
        if self._bytes_without_progress > MAX_HEAD_BYTES:
            # llhttp's bindings keep what they have seen of one field, however long it gets (memory, CPU).
            is_target = len(self.url) > MAX_TARGET_BYTES
            self._refuse(RequestTargetTooLong if is_target else RequestHeadTooLarge)
        elif self._unread_bytes > MAX_UNREAD_BYTES:
            self.transport.close()
        elif self._in_head:
            if self._bytes_without_progress and self._head_timer is None:
                self._await_head()
        elif self._body_timer is None:
            self._await_body()

    def on_message_begin(self) -> None:
        """Begin a request."""
        self._in_head = True
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a field of the head; those after the body are trailers.

        RFC 9110 §6.5.1: a trailer must not be merged into the head; there it would pass for a Cookie, an
        Origin or an X-Forwarded-For that nobody has checked (request smuggling).
        """
        if self._in_head:
            name = name.lower()
            if name in _WATCHED:
                value = self._watch(name, value)
            self.headers.append((name, value))

    def _watch(self, name: bytes, value: bytes) -> bytes:
        """Heed a field that says how the request goes on; returns its value without trailing blanks."""
        value = value.strip(b" \t")
        if name == b"expect":
            self.expect_100_continue = value.lower() == b"100-continue"
        elif name == b"transfer-encoding":
            # RFC 9112 §6.3: after another coding than chunked, or two, nobody knows where the request ends.
            is_repeated = any(name == other for other, _ in self.headers)
            if is_repeated or value.lower() != b"chunked":
                self._fail(RequestInvalid)
        return value

    def on_headers_complete(self) -> None:
        """End the head, if it is one that can be answered."""
        self._head_timer = cancelled(self._head_timer)
        if len(self.url) > MAX_TARGET_BYTES:
            self._fail(RequestTargetTooLong)
        # What came since the last request is no less than this head, unless both came at once.
        is_small = 0 < self._bytes_without_progress <= MAX_HEAD_BYTES // 2
        if len(self.headers) > MAX_FIELDS or not (is_small or self._head_size() <= MAX_HEAD_BYTES):
            self._fail(RequestHeadTooLarge)
        parser = cast("HttpRequestParser", self.parser)  # type: ignore[redundant-cast] # uvicorn deletes it
        self._upgrades = parser.should_upgrade()
        self._version = parser.get_http_version()
        if self._upgrades:
            self._judge_upgrade(parser)
        if self._version not in _VERSIONS:
            raise ValueError("not HTTP/1.x")
        if not self.url.startswith(b"/") or b"#" in self.url:
            # RFC 9112 §3.2.1: the origin-form alone; of any other target uvicorn would keep the path and drop
            # the host or fragment that somebody meant.
            raise ValueError("not the origin-form")
        if self._is_crowded:
            self._fail(GatewayFull)
        if len(self.pipeline) >= MAX_PIPELINED or self._waiting_size() > MAX_PIPELINED_BYTES:
            # The last one that was taken ends the connection: what is answered by then was answered in order.
            self.pipeline[0][0].keep_alive = False
            self._takes_no_more = True
            raise ValueError("too many requests at once")
        self._bytes_without_progress = 0
        self._begin_request()
        self._in_head = False
        if self._upgrades and not self._should_upgrade():
            # llhttp reads nothing behind such a head: the answer is the connection's last.
            self.cycle.keep_alive = False
            self._takes_no_more = True

    def on_response_complete(self) -> None:
        """End an answer: begin the next request that waits, or the time in which one must come.

        uvicorn sets and cancels a timer with every request; one that looks again when it strikes does too.
        """
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
            return
        self._idle_since = self.loop.time()
        if self._idle_timer is None:
            self._idle_timer = self.loop.call_later(self.timeout_keep_alive, self._end_if_idle)

    def _begin_request(self) -> None:
        """Start what serves the request whose head is complete."""
        super().on_headers_complete()
        if self.pipeline:
            # uvicorn would stop reading, and not see that the browser leaves; MAX_PIPELINED bounds them.
            self.flow.resume_reading()

    def _head_size(self) -> int:
        return len(self.url) + _fields_size(self.headers)

    def _waiting_size(self) -> int:
        return sum(len(cycle.body) + _fields_size(cycle.scope["headers"]) for cycle, _ in self.pipeline)

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body."""
        self._bytes_without_progress = 0
        self._body_bytes += len(body)
        if self.cycle.response_complete:
            self._unread_bytes += len(body)
        super().on_body(body)
        self._was_held_up |= self.flow.read_paused

    def on_message_complete(self) -> None:
        """End a request."""
        self._bytes_without_progress = 0
        self._unread_bytes = 0
        self._in_head = True
        self._body_timer = cancelled(self._body_timer)
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer a request that cannot be parsed; `msg` is uvicorn's."""
        _ = msg
        if not self._takes_no_more:
            self._refuse(self._refusal)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._served = cycle
        super()._start_asgi_task(cycle, app)

    def _should_upgrade(self) -> bool:
        # Elsewhere than below /api there is nothing to upgrade to: the field is ignored (RFC 9110 §7.8).
        return self.url.startswith(self._sockets_below) and super()._should_upgrade()

    def _judge_upgrade(self, parser: HttpRequestParser) -> None:
        # llhttp stops at the head of an upgrade, so a body behind it would be lost (RFC 9110 §7.8 lets a
        # server ignore Upgrade; it cannot here, because the framing would be guesswork).
        framed = {name for name, _ in self.headers} & {b"content-length", b"transfer-encoding"}
        if framed or parser.get_method() == b"CONNECT":
            raise ValueError("an upgrade with a body, or a tunnel")
        if not self._should_upgrade():
            return
        if not self._is_idle():
            # The handshake would be answered before the request in front of it (response desynchronization).
            raise ValueError("an upgrade behind a request that is not answered yet")
        try:
            validate_handshake(
                method=parser.get_method(),
                http_version=parser.get_http_version(),
                target=self.url,
                headers=self.headers,
            )
        except BrowserError as error:
            self._fail(type(error))

    def _fail(self, error: type[GatewayError]) -> NoReturn:
        self._refusal = error
        raise ValueError(error.code)


def _fields_size(fields: Iterable[tuple[bytes, bytes]]) -> int:
    return sum(len(name) + len(value) + 4 for name, value in fields)
