"""The server's end of a connection, for calls under /api: the plain ones go past ASGI, by proxy/lane.py."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from gateway.http_draining import DrainingHttpProtocol
from gateway.observability.exchange import note_beginning
from gateway.proxy.browser_connection import note_browser_connection
from gateway.proxy.lane import note_call_under_way
from gateway.proxy.lane_call import LaneRequest

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.events.stream import EventStream
    from gateway.proxy.browser_connection import Remembered
    from gateway.proxy.lane import Lane
    from gateway.proxy.lane_call import LaneCall

_METHODS = {name.encode(): name for name in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")}
_API = b"/api/"
_COPIED_BYTES = 16_384
"""A body up to this size is copied behind its head: one piece to write costs less than two."""


class CallHttpProtocol(DrainingHttpProtocol):
    """What the lane does not take, or hands back, is served by the ASGI application like everything else."""

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - uvicorn's
        super().__init__(*args, **options)
        self._application: Any = getattr(self, "app")  # noqa: B009 - uvicorn's own type is partially unknown
        self._lane = cast("Lane | None", getattr(self._application, "lane", None))
        self._sockets_below = cast("bytes", getattr(self._application, "sockets_below", self._sockets_below))
        self.when_left: Callable[[], None] | None = None
        self._stream: EventStream | None = None
        self.remembered: Remembered | None = None

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the call that is under way."""
        super().connection_lost(exc)
        if self.when_left is not None:
            self.when_left()

    def shutdown(self) -> None:
        """Let an answer without an end have one."""
        super().shutdown()
        if self._stream is not None:
            self._stream.drain()

    def on_message_begin(self) -> None:
        """Begin a request; its ASGI scope is made where it is needed."""
        self._in_head = True
        self.url = b""
        self.headers = []
        self.expect_100_continue = False

    def _begin_request(self) -> None:
        """Start what serves the request whose head is complete."""
        if self._lane is not None and self.url.startswith(_API) and self._begin_in_lane(self._lane):
            return
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expects
        self.headers += headers
        super()._begin_request()
        # The call begins in the event loop's next turn.
        note_browser_connection(cast("Any", self.scope), _OneAnswer(self, self.cycle))

    def _begin_in_lane(self, lane: Lane) -> bool:
        if self._upgrades or self._version != "1.1" or not self._is_idle():
            return False
        if self.flow.write_paused:
            return False  # a browser that does not read: ASGI waits until it does, the lane would pile up
        parser = self.parser
        method = None if parser is None else _METHODS.get(parser.get_method())
        if parser is None or method is None:
            return False
        call = lane.begin(self, LaneRequest(method, self.url, self.headers, parser.should_keep_alive()))
        if call is None:
            return False
        self.cycle = cast("RequestResponseCycle", call)  # for uvicorn, which asks it a few things
        return True

    # --- LaneBrowser

    def answer_lane(self, call: LaneCall, status: int, fields: bytes, body: bytes) -> None:
        """Write the answer to a call of the lane."""
        self.write_answer(status, fields, body, keeps_alive=call.keep_alive)
        self.on_response_complete()

    def hand_over(self, call: LaneCall) -> None:
        """Let the ASGI application go on with a call of the lane."""
        scope = self._build_scope(call)
        cycle = RequestResponseCycle(
            scope=cast("Any", scope),
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=self.access_log,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=False,
            keep_alive=call.keep_alive,
            on_response=self.on_response_complete,
        )
        cycle.more_body = False
        if cast("object", self.cycle) is call:
            self.cycle = cycle
        note_browser_connection(scope, _OneAnswer(self, cycle))
        note_beginning(scope, call.trace, call.started)
        note_call_under_way(scope, call)
        self._start_asgi_task(cycle, self._application)

    def _build_scope(self, call: LaneCall) -> dict[str, Any]:
        """Make the scope that uvicorn would have made; another request may have begun meanwhile."""
        kept = self.url, self.headers, self.expect_100_continue, getattr(self, "scope", None)
        # Past our own classes: what follows may be the body of that other request, and is no head.
        HttpToolsProtocol.on_message_begin(self)
        scope = cast("dict[str, Any]", self.scope)
        self.url, self.headers, self.expect_100_continue, self.scope = kept  # type: ignore[assignment]
        raw_path, _, query = call.request.target.partition(b"?")
        scope.update(
            method=call.request.method,
            raw_path=raw_path,
            path=unquote(raw_path.decode("ascii")),
            query_string=query,
            headers=call.request.headers,
        )
        return scope

    def write_answer(self, status: int, fields: bytes, body: bytes, *, keeps_alive: bool) -> None:
        """Write head and body in one piece; `fields` are lines that end in CRLF."""
        parts = [STATUS_LINE[status], fields]
        parts += [b"%b: %b\r\n" % field for field in self.server_state.default_headers]
        parts.append(b"\r\n" if keeps_alive else b"connection: close\r\n\r\n")
        if len(body) <= _COPIED_BYTES:
            parts.append(body)
            self.transport.write(b"".join(parts))
        else:
            self.transport.writelines((b"".join(parts), body))
        if not keeps_alive:
            self.transport.close()

    def begin_stream(
        self, stream: EventStream, cycle: RequestResponseCycle, status: int, fields: bytes
    ) -> None:
        """Write the head of an answer that goes on without the request's task; see BrowserConnection."""
        is_chunked = cycle.scope["http_version"] != "1.0"
        framing = b"transfer-encoding: chunked\r\n" if is_chunked else b""
        parts = [STATUS_LINE[status], fields, framing]
        parts += [b"%b: %b\r\n" % field for field in self.server_state.default_headers]
        parts.append(b"\r\n" if cycle.keep_alive else b"connection: close\r\n\r\n")
        self.transport.write(b"".join(parts))
        self._stream = stream
        self.when_left = stream.leave
        if self.cycle is cycle:  # else another request waits behind this one
            self.cycle = cast("RequestResponseCycle", stream)  # for uvicorn, which asks it a few things
            if not self._bytes_without_progress:
                # What the request needed is of no use to its answer, which may last for hours.
                self._served, self.scope, self.headers = None, cast("Any", None), []
        stream.begin(self, keep_alive=cycle.keep_alive, is_chunked=is_chunked)

    def stream_ended(self) -> None:
        """Go on with the next request; see StreamConnection."""
        self.when_left = self._stream = None
        self.on_response_complete()

    @property
    def is_draining(self) -> bool:
        """Whether no answer is to go on for long."""
        return self._is_draining


class _OneAnswer:
    """A BrowserConnection: the connection as far as one request's answer is concerned."""

    __slots__ = ("_cycle", "_protocol", "more_fields")

    def __init__(self, protocol: CallHttpProtocol, cycle: RequestResponseCycle) -> None:
        self._protocol = protocol
        self._cycle = cycle
        self.more_fields = b""

    @property
    def when_left(self) -> Callable[[], None] | None:
        """See BrowserConnection; one request of a connection is served at a time, so there is one."""
        return self._protocol.when_left

    @when_left.setter
    def when_left(self, callback: Callable[[], None] | None) -> None:
        self._protocol.when_left = callback

    @property
    def remembered(self) -> Remembered | None:
        """See BrowserConnection."""
        return self._protocol.remembered

    @remembered.setter
    def remembered(self, remembered: Remembered | None) -> None:
        self._protocol.remembered = remembered

    @property
    def has_left(self) -> bool:
        """See BrowserConnection."""
        return self._protocol.transport.is_closing()

    def answer_whole(self, status: int, fields: bytes, body: bytes) -> bool:
        """See BrowserConnection."""
        protocol, cycle = self._protocol, self._cycle
        if cycle.response_started or cycle.disconnected or protocol.flow.write_paused:
            return False
        protocol.write_answer(status, fields + self.more_fields, body, keeps_alive=cycle.keep_alive)
        cycle.response_started = cycle.response_complete = True
        cycle.waiting_for_100_continue = False
        cycle.message_event.set()
        cycle.on_response()
        return True

    def begin_stream(self, stream: EventStream, status: int, fields: bytes) -> bool:
        """Let a stream of events take the connection over; False if the browser has left."""
        protocol, cycle = self._protocol, self._cycle
        if cycle.response_started or cycle.disconnected or self.has_left:
            return False
        protocol.begin_stream(stream, cycle, status, fields + self.more_fields)
        cycle.response_started = cycle.response_complete = True
        cycle.waiting_for_100_continue = False
        cycle.message_event.set()
        return True

    def end_stream_if_draining(self, stream: EventStream) -> None:
        """End a stream that began after the gateway was asked to end."""
        if self._protocol.is_draining:
            stream.drain()
