"""uvicorn's HTTP/1.1 protocol with limits on the request head, and trailers kept out of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from gateway.errors import BrowserError, RequestHeadTooLarge, RequestInvalid, RequestTooSlow

if TYPE_CHECKING:
    import asyncio

    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

MAX_HEAD_BYTES = 65_536
HEAD_SECONDS = 20.0
"""From the first byte of a request, or from the connection, to the end of its head (Slowloris)."""


class LimitedHttpProtocol(HttpToolsProtocol):
    """Answers what is wrong with a request's framing as application/problem+json, and closes."""

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - uvicorn's
        super().__init__(*args, **options)
        self._in_head = True
        self._bytes_without_progress = 0
        self._refusal: type[BrowserError] = RequestInvalid
        self._head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn does
        """Give the first request its time."""
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of the timer."""
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Feed the parser, and refuse what keeps it busy without a head or body coming of it."""
        self._bytes_without_progress += len(data)
        super().data_received(data)
        if self._bytes_without_progress > MAX_HEAD_BYTES:
            # llhttp's bindings keep what they have seen of one field, however long it gets (memory, CPU).
            self._refuse(RequestHeadTooLarge)
        elif self._in_head and self._bytes_without_progress and self._head_timer is None:
            self._await_head()

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
            if name == b"expect" and value.lower() == b"100-continue":
                self.expect_100_continue = True
            self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """End the head, if it is one that can be answered."""
        self._stop_timer()
        # The bytes that came since the last request are at least those of the head.
        if self._bytes_without_progress > MAX_HEAD_BYTES // 2 and self._head_size() > MAX_HEAD_BYTES:
            self._refusal = RequestHeadTooLarge
            raise ValueError("the request head is too large")
        if self.parser is not None and self.parser.should_upgrade():
            # llhttp stops at the head of an upgrade, so a body behind it would be lost (RFC 9110 §7.8 lets a
            # server ignore Upgrade; it cannot here, because the framing would be guesswork).
            framed = {name for name, _ in self.headers} & {b"content-length", b"transfer-encoding"}
            if framed or self.parser.get_method() == b"CONNECT":
                raise ValueError("an upgrade with a body, or a tunnel")
        if not self.url.startswith(b"/") or b"#" in self.url:
            # RFC 9112 §3.2.1: the origin-form alone; of any other target uvicorn would keep the path and drop
            # the host or fragment that somebody meant.
            raise ValueError("not the origin-form")
        self._bytes_without_progress = 0
        self._begin_request()
        self._in_head = False

    def _begin_request(self) -> None:
        """Start what serves the request whose head is complete."""
        super().on_headers_complete()

    def _head_size(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body."""
        self._bytes_without_progress = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End a request."""
        self._bytes_without_progress = 0
        self._in_head = True
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer a request that cannot be parsed; `msg` is uvicorn's."""
        _ = msg
        self._refuse(self._refusal)

    def _await_head(self) -> None:
        self._head_timer = self.loop.call_later(HEAD_SECONDS, self._head_is_late)

    def _head_is_late(self) -> None:
        self._head_timer = None
        if self._is_idle():
            self._refuse(RequestTooSlow)

    def _stop_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _refuse(self, error: type[BrowserError]) -> None:
        if self.transport.is_closing():
            return
        if self._may_answer():
            self.transport.write(_build_refusal(error))
        self.transport.close()

    def _may_answer(self) -> bool:
        # A second answer to one request would be taken for the next one's (response desynchronization).
        if self._in_head:
            return self._is_idle()
        return not self.cycle.response_started

    def _is_idle(self) -> bool:
        cycle = cast("RequestResponseCycle | None", self.cycle)  # None before the first request
        return cycle is None or bool(cycle.response_complete)


def _build_refusal(error: type[BrowserError]) -> bytes:
    document = {"type": "about:blank", "title": error.title, "status": error.status, "code": error.code}
    body = json.dumps(document).encode()
    return b"".join(
        (
            STATUS_LINE[error.status],
            b"content-type: application/problem+json\r\ncache-control: no-store\r\n",
            b"x-content-type-options: nosniff\r\nconnection: close\r\n",
            b"content-length: %d\r\n\r\n" % len(body),
            body,
        )
    )
