"""One HTTP/1.1 connection to a resource server: llhttp parses every byte, one answer comes at a time."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, cast

import httptools

from gateway.proxy.answer_framing import UnacceptableAnswer, parse_framing
from gateway.proxy.upstream_answer import UpstreamAnswer, broken

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_HEAD_BYTES = 65_536
MAX_INTERIM_ANSWERS = 16
_SWITCHING = 101
_OK = 200
_LAST_STATUS = 599


class Connection(asyncio.Protocol):
    """Asked with `ask`, it fills an UpstreamAnswer; `on_free` gets it back when it can serve again.

    What comes unasked, or after an answer's end, ends the connection: the next request's answer would be
    taken from it (response splitting, response queue poisoning).
    """

    def __init__(
        self,
        connected: socket.socket,
        *,
        on_free: Callable[[Connection], None],
        on_lost: Callable[[Connection], None],
    ) -> None:
        self._socket = connected
        self._on_free = on_free
        self._on_lost = on_lost
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport = cast("asyncio.Transport", None)
        self._answer: UpstreamAnswer | None = None
        self._in_head = True
        self._fields: list[tuple[bytes, bytes]] = []
        self._is_framed = False
        self._unfruitful = 0
        self._interim = 0
        self._is_reading = True
        self._is_sound = True
        self._drained: asyncio.Future[None] | None = None
        self._is_choked = False
        self.served = 0
        self.idle_round = 0

    @property
    def is_usable(self) -> bool:
        """Whether a request can be written to it, as far as is known."""
        return self._is_sound and not self._transport.is_closing()

    def ask(self, request: bytes, *, method: str) -> UpstreamAnswer:
        """Write a request, or its beginning, and return the answer that will come."""
        self._answer = answer = UpstreamAnswer(self, method)
        self._in_head = True
        self._unfruitful = self._interim = 0
        self._transport.write(request)
        return answer

    def is_quiet(self) -> bool:
        """Look whether nothing has come that the event loop has not seen yet: an end, most of all."""
        try:
            self._socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def write(self, piece: bytes) -> None:
        """Write a further piece of the request."""
        self._transport.write(piece)

    async def drained(self) -> None:
        """Wait until the resource server has taken enough of what was written."""
        if self._is_choked and not self._transport.is_closing():
            self._drained = asyncio.get_running_loop().create_future()
            await self._drained

    def leave(self, answer: UpstreamAnswer, *, may_serve_again: bool) -> None:
        """End of an exchange: the connection serves again only if nothing of it is left on the way."""
        if self._answer is not answer:
            return
        self._answer = None
        self.served += 1
        if may_serve_again and answer.is_whole and self.is_usable:
            self.resume_reading()
            self._on_free(self)
        else:
            self.close()

    def close(self) -> None:
        """Close at once; nobody is owed anything."""
        self._is_sound = False
        self._transport.abort()

    def resume_reading(self) -> None:
        """Read on."""
        if not self._is_reading:
            self._is_reading = True
            if not self._transport.is_closing():
                self._transport.resume_reading()

    # --- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Parse what came, and wake whoever waits, once."""
        answer = self._answer
        if answer is None or answer.error is not None:
            self.close()  # whoever it was broken off for may not have looked yet: no more of it is read
            return
        if not answer.is_begun:
            answer.is_begun = True
            if not data.startswith(b"HTTP/"[: len(data)]):
                # llhttp takes RTSP and ICE answers for HTTP.
                self._is_sound = False
                answer.fail(broken("not HTTP"))
                return
        self._unfruitful += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as exc:
            self._is_sound = False
            answer.fail(broken(_describe(exc)))
            return
        if self._unfruitful > MAX_HEAD_BYTES:
            # llhttp's bindings keep what they have seen of one field, however long it gets (memory, CPU).
            self._is_sound = False
            answer.fail(broken("a head, a trailer or chunk extensions without end"))
            return
        if answer.status:
            answer.wake()

    def eof_received(self) -> None:
        """End an answer that is framed by the end of the connection (RFC 9112 §6.3), or break it off."""
        self._is_sound = False
        answer = self._answer
        if answer is not None and answer.status and not self._is_framed:
            answer.is_whole = True
            answer.wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """Break off what is under way."""
        self._is_sound = False
        self.resume_writing()
        if self._answer is not None:
            self._answer.fail(broken("closed early" if exc is None else type(exc).__name__))
        self._on_lost(self)

    def pause_writing(self) -> None:
        """Let an upload wait."""
        self._is_choked = True

    def resume_writing(self) -> None:
        """Let an upload go on."""
        self._is_choked = False
        drained, self._drained = self._drained, None
        if drained is not None and not drained.done():
            drained.set_result(None)

    # --- llhttp's callbacks

    def on_message_begin(self) -> None:
        """Begin a head: the first, or the one after an interim answer."""
        if not self._in_head:
            # More than was asked for (a smuggled second answer).
            raise UnacceptableAnswer("a second answer")
        self._fields = []

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a field of the head; RFC 9110 §6.5.1 lets trailers be discarded."""
        if self._in_head:
            self._fields.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """End a head: an interim one is dropped, a final one is the answer's."""
        answer = cast("UpstreamAnswer", self._answer)
        status = self._parser.get_status_code()
        if self._parser.get_http_version() not in {"1.1", "1.0"}:
            raise UnacceptableAnswer("not HTTP/1.x")
        if status < _OK:
            # RFC 9110 §15.2: a client that did not ask for one may drop it; the browser did not ask either.
            self._interim += 1
            if status == _SWITCHING or self._interim > MAX_INTERIM_ANSWERS:
                raise UnacceptableAnswer("an interim answer that nobody asked for")
            return
        if status > _LAST_STATUS:
            raise UnacceptableAnswer("an invalid status")
        self._is_framed, answer.length = parse_framing(self._fields)
        self._in_head = False
        self._unfruitful = 0
        answer.headers = self._fields
        answer.status = status
        if answer.method == "HEAD":
            # RFC 9112 §6.3: it has no body whatever it says, which llhttp cannot know.
            answer.is_whole = True
            self._is_sound = self._is_sound and self._parser.should_keep_alive()
            self._parser = httptools.HttpResponseParser(self)

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body; stop reading when the browser is too slow for it."""
        self._unfruitful = 0
        answer = self._answer
        if answer is None or answer.is_whole:
            raise UnacceptableAnswer("a body after the answer's end")
        if answer.feed(body) and self._is_reading:
            self._is_reading = False
            self._transport.pause_reading()

    def on_message_complete(self) -> None:
        """End an answer."""
        if self._in_head:  # an interim one
            return
        answer = cast("UpstreamAnswer", self._answer)
        if not answer.is_whole:
            answer.is_whole = True
            self._is_sound = self._is_sound and self._parser.should_keep_alive()


def _describe(exc: Exception) -> str:
    """Name what was wrong without a byte of it: our own words, or llhttp's, which are constants."""
    cause = exc.__context__
    if isinstance(cause, UnacceptableAnswer):
        return str(cause)
    return f"{type(exc).__name__}: {exc}" if isinstance(exc, httptools.HttpParserError) else "an upgrade"
