"""What the data plane asks of the server's own end of a connection, beyond ASGI."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, MutableMapping

    from gateway.events.stream import EventStream
    from gateway.proxy.request_fields import RequestFields

    Remembered = tuple[list[tuple[bytes, bytes]], RequestFields]

_KEY = "lexgate.connection"  # as ASGI lets servers add to a scope


class BrowserConnection(Protocol):
    """The connection on which a request came, as far as the answer to that request is concerned."""

    @property
    def when_left(self) -> Callable[[], None] | None:
        """Called once when the browser closes the connection before its answer is whole."""
        ...

    @when_left.setter
    def when_left(self, callback: Callable[[], None] | None) -> None: ...

    @property
    def remembered(self) -> Remembered | None:
        """The header fields of the connection's last call, and what was read in them."""
        ...

    @remembered.setter
    def remembered(self, remembered: Remembered | None) -> None: ...

    @property
    def has_left(self) -> bool:
        """Whether the browser has closed the connection already."""
        ...

    @property
    def more_fields(self) -> bytes:
        """Lines that are added to the head of what the next two methods write."""
        ...

    @more_fields.setter
    def more_fields(self, lines: bytes) -> None: ...

    def answer_whole(self, status: int, fields: bytes, body: bytes) -> bool:
        """Write head and body of an answer at once, which ends the exchange; False if ASGI must do it.

        `fields` are lines that end in CRLF, Content-Length among them where the answer has one.
        """
        ...

    def begin_stream(self, stream: EventStream, status: int, fields: bytes) -> bool:
        """Write the head of an answer that outlives the request's task; False if the browser has left.

        The stream writes the body, in chunks but for HTTP/1.0, and is told when the browser leaves.
        """
        ...

    def end_stream_if_draining(self, stream: EventStream) -> None:
        """Let a stream that has begun be short where the gateway is asked to end."""
        ...


def note_browser_connection(scope: MutableMapping[str, Any], connection: BrowserConnection) -> None:
    """Put the connection where the data plane finds it."""
    scope[_KEY] = connection


def browser_connection_of(scope: Mapping[str, Any]) -> BrowserConnection | None:
    """Return the connection of a request, if the server below offers it."""
    connection: BrowserConnection | None = scope.get(_KEY)
    return connection
