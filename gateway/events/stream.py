"""One open stream of events: no task and no timer of its own, what is told is written at once."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Literal, Protocol

from gateway.events.server_sent import LAST_CHUNK, build_event, build_life_event, build_retry, unframe

if TYPE_CHECKING:
    import asyncio

    from gateway.events.streams import Streams
    from gateway.sessions.opened_lives import WatchedLife
    from gateway.sessions.session import EndReason
    from gateway.sessions.session_life import LifeEvent

MAX_UNREAD_BYTES = 65_536
"""What is written and not yet taken by the system; a browser that lets more pile up is left."""
UNACKNOWLEDGED_SECONDS = 45
"""How long a heartbeat may be on its way: a phone that changes its network says no goodbye to the old one."""
_USER_TIMEOUT: int | None = getattr(socket, "TCP_USER_TIMEOUT", None)  # Linux has it


class StreamConnection(Protocol):
    """The server's end of the connection, which has written the head of the answer."""

    @property
    def transport(self) -> asyncio.Transport:
        """Where the body is written to."""
        ...

    def stream_ended(self) -> None:
        """Go on with the next request, as the whole answer has been written."""
        ...


class _NoEvent:
    def set(self) -> None:
        """Tell nobody: nobody waits."""


_NO_EVENT = _NoEvent()


class EventStream:
    """One browser's stream. It stands where uvicorn keeps its own RequestResponseCycle, and is one answer."""

    __slots__ = (
        "_connection",
        "_is_chunked",
        "_streams",
        "body",
        "disconnected",
        "keep_alive",
        "more_body",
        "organization",
        "request_id",
        "response_complete",
        "sent",
        "slot",
        "started",
        "trace_id",
        "transport",
        "watched",
    )

    message_event = _NO_EVENT
    waiting_for_100_continue = False
    response_started = True

    def __init__(
        self,
        streams: Streams,
        watched: WatchedLife,
        *,
        organization: str | None,
        started: float,
        request_id: str,
        trace_id: str,
    ) -> None:
        self._streams = streams
        self._connection: StreamConnection | None = None
        self._is_chunked = True
        self.transport: asyncio.Transport | None = None
        self.watched = watched
        self.organization = organization
        self.started = started
        self.request_id = request_id
        self.trace_id = trace_id
        self.sent = 0
        self.slot = 0
        self.keep_alive = True
        self.response_complete = False
        self.disconnected = False
        self.more_body = False
        self.body = b""

    def begin(self, connection: StreamConnection, *, keep_alive: bool, is_chunked: bool) -> None:
        """Take the connection over, after the head."""
        self._connection = connection
        self.transport = connection.transport
        if _USER_TIMEOUT is not None:
            self.transport.get_extra_info("socket").setsockopt(
                socket.IPPROTO_TCP, _USER_TIMEOUT, UNACKNOWLEDGED_SECONDS * 1000
            )
        self.keep_alive = keep_alive and is_chunked
        self._is_chunked = is_chunked

    def write(self, chunk: bytes) -> None:
        """Write an event, and leave a browser that does not read."""
        transport = self.transport
        if transport is None or self.response_complete:
            return
        if not self._is_chunked:  # an HTTP/1.0 body ends with the connection (RFC 9112 §6.3)
            chunk = unframe(chunk)
        transport.write(chunk)
        self.sent += len(chunk)
        if transport.get_write_buffer_size() > MAX_UNREAD_BYTES:
            transport.abort()

    def session_lives(self, events: list[LifeEvent]) -> None:
        """See LifeListener."""
        for event in events:
            kind, chunk = build_life_event(event)
            self._streams.count(kind)
            self.write(chunk)

    def session_ended(self, reason: EndReason | Literal["none"]) -> None:
        """See LifeListener: the stream ends with the session."""
        self._streams.count("session.ended")
        self.write(build_event("session.ended", {"reason": reason, "login_url": self._streams.login_url}))
        self._end()

    def drain(self) -> None:
        """End because the gateway does; the browser comes back soon, but not in the same moment as all."""
        self.write(build_retry(self._streams.choose_pause()))
        self._end()

    def leave(self) -> None:
        """Be over: the connection is lost."""
        if not self.response_complete:
            self.response_complete = self.disconnected = True
            self._streams.leave(self)
            self._connection = self.transport = None

    def _end(self) -> None:
        transport, connection = self.transport, self._connection
        if self.response_complete or transport is None or connection is None:
            return
        self.response_complete = True
        if self._is_chunked:
            transport.write(LAST_CHUNK)
        if not self.keep_alive:
            transport.close()
        self._streams.leave(self)
        self._connection = self.transport = None
        connection.stream_ended()
