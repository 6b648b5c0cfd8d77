"""A browser on a raw socket: sends any bytes, and judges by RFC 9112 whether an answer came whole."""

from __future__ import annotations

import contextlib
import socket
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Self

from tests.support.raw_upstream import RESET
from tests.support.rfc9112 import Answer, read_answer
from tests.support.tcp import unread_of
from tests.support.wire import SECONDS, until

if TYPE_CHECKING:
    from collections.abc import Mapping

KEPT_BYTES = 2_000_000
"""Of what one browser receives, as much is kept to be searched."""
received_by_all: list[bytes] = []
"""What all raw browsers of a test received: raw, and the bodies without their chunks."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Somebody's session: the Cookie field's value, and the app's origin."""

    name: str
    cookie: str
    origin: str

    def head(
        self,
        method: str,
        path: str,
        fields: Mapping[str, str] | None = None,
        *,
        version: str = "1.1",
    ) -> bytes:
        """Build a request's head as the app's own script would send it."""
        own = {"Host": "app.example", "Cookie": self.cookie, "Sec-Fetch-Site": "same-origin"}
        if method not in {"GET", "HEAD"}:
            own |= {"Origin": self.origin, "X-CSRF": "1"}
        lines = [f"{name}: {value}\r\n" for name, value in (own | dict(fields or {})).items()]
        return f"{method} {path} HTTP/{version}\r\n{''.join(lines)}\r\n".encode("latin-1")


@dataclass
class RawBrowser:
    """One connection to the gateway; `end` tells how the gateway ended it, if it did."""

    port: int
    seconds: float = SECONDS
    received: bytearray = field(default_factory=bytearray)
    """What came and belongs to no answer yet."""
    end: Literal["", "eof", "reset"] = ""

    def __enter__(self) -> Self:
        self.sock = socket.create_connection(("127.0.0.1", self.port), timeout=self.seconds)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def send(self, data: bytes) -> None:
        """Send all, or as much as the gateway lets us."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.sock.sendall(data)

    def wait_until_read(self) -> None:
        """Wait until the gateway has read all that was sent."""
        until(lambda: unread_of(self.sock.getpeername(), self.sock.getsockname()) == 0)

    def half_close(self) -> None:
        """Say that nothing more will be sent."""
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Leave with a TCP reset."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.sock.close()

    def receive(self) -> bool:
        """Take what comes next; False at the end of the connection. TimeoutError if nothing comes."""
        if self.end:
            return False
        try:
            data = self.sock.recv(262_144)
            self.end = "" if data else "eof"
        except ConnectionResetError:
            data, self.end = b"", "reset"
        self.received += data
        received_by_all.append(data[:KEPT_BYTES])
        return bool(data)

    def receive_until(self, piece: bytes) -> None:
        """Take what comes until this is in it."""
        while piece not in self.received:
            assert self.receive(), f"no {piece!r} in {bytes(self.received)!r}"

    def answer(self, method: str = "GET") -> Answer:
        """Take the next answer, whole or broken; what follows it stays in `received`."""
        while True:
            # A reset tells of a broken answer even where nothing but the end of the connection frames it.
            answer = read_answer(bytes(self.received), method=method, ended=self.end == "eof")
            if answer.state != "cut" or self.end:
                break
            try:
                self.receive()
            except TimeoutError:
                raise AssertionError(f"neither end nor more after {bytes(self.received)!r}") from None
        received_by_all.append(answer.body[:KEPT_BYTES])
        if answer.is_whole:
            self.received = bytearray(answer.rest)
        return answer

    def ask(self, data: bytes, method: str = "GET") -> Answer:
        """Send a request and take its answer."""
        self.send(data)
        return self.answer(method)

    def rest(self) -> bytes:
        """Take everything until the gateway ends the connection."""
        try:
            while self.receive():
                pass
        except TimeoutError:
            raise AssertionError(f"no end after {bytes(self.received)!r}") from None
        return bytes(self.received)
