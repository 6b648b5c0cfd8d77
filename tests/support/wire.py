"""Bytes on sockets: a resource server whose every byte is scripted, and requests as no browser sends them."""

from __future__ import annotations

import socket
import socketserver
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SECONDS = 10.0
"""Nothing in these tests takes longer unless it hangs."""
SOON = 5.0
"""What comes within a second is there by then on the busiest machine; what waits for a time-out is not."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One request as it arrived: names in lower case, the body without its chunks."""

    method: str
    target: bytes
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        """Return the only field of this name."""
        values = [value for key, value in self.headers if key == name]
        assert len(values) <= 1, values
        return values[0] if values else None


@dataclass(frozen=True, slots=True)
class Reply:
    """What is written back; `closes` afterwards, or `waits` until the other side has closed."""

    data: bytes = b""
    closes: bool = False
    waits: bool = False


def reply(status: int = 200, body: bytes = b"{}", *fields: str, type_: str = "application/json") -> Reply:
    """Build a complete answer."""
    lines = [f"HTTP/1.1 {status} Said", f"Content-Type: {type_}", f"Content-Length: {len(body)}", *fields]
    return Reply("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)


@dataclass
class Wire:
    """The scripted server; `heard` is everything that ever reached it."""

    url: str
    script: Callable[[Heard], Reply] = lambda _: reply()
    heard: list[Heard] = field(default_factory=list)
    begun: threading.Event = field(default_factory=threading.Event)
    """Set when the head of a request has arrived."""
    left: threading.Event = field(default_factory=threading.Event)
    """Set when the other side closed a connection that waited for it, or in the middle of a request."""

    def reset(self) -> None:
        """Forget, and answer `{}` again."""
        self.heard.clear()
        self.begun.clear()
        self.left.clear()
        self.script = lambda _: reply()


@contextmanager
def running_wire() -> Iterator[Wire]:
    """Run a scripted server on 127.0.0.1 until the block ends."""
    with _Server(("127.0.0.1", 0), _Connection) as server:
        server.wire = Wire(f"http://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.wire
        finally:
            server.shutdown()
            thread.join()


def send_raw(url: str, data: bytes) -> bytes:
    """Send bytes on a connection of their own and return all that comes until it is closed."""
    parts = urlsplit(url)
    with socket.create_connection(("127.0.0.1", parts.port or 80), timeout=SECONDS) as connection:
        connection.sendall(data)
        received = bytearray()
        try:
            while chunk := connection.recv(65536):
                received += chunk
        except ConnectionResetError:
            pass
        except TimeoutError:
            raise AssertionError(f"no end after {bytes(received)!r}") from None
        return bytes(received)


def until(condition: Callable[[], bool]) -> None:
    """Poll until it holds; AssertionError if it never does."""
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it never came to that"
        threading.Event().wait(0.001)


def statuses(received: bytes) -> list[int]:
    """Return the status of each answer in what a connection received."""
    pieces = received.split(b"HTTP/1.1 ")[1:]
    return [int(piece[:3]) for piece in pieces]


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64
    wire: Wire


class _Connection(socketserver.StreamRequestHandler):
    timeout = SECONDS

    def handle(self) -> None:
        assert isinstance(self.server, _Server)
        wire = self.server.wire
        try:
            while (heard := self._read()) is not None:
                wire.heard.append(heard)
                answer = wire.script(heard)
                self.wfile.write(answer.data)
                if answer.waits:
                    self.rfile.read(1)
                    wire.left.set()
                if answer.closes or answer.waits:
                    return
        except OSError:
            return

    def _read(self) -> Heard | None:
        line = self.rfile.readline()
        if not line:
            return None
        method, target, _ = line.split(b" ", 2)
        headers = []
        while (field_line := self.rfile.readline().rstrip(b"\r\n")) != b"":
            name, _, value = field_line.decode("latin-1").partition(":")
            headers.append((name.lower(), value.strip()))
        assert isinstance(self.server, _Server)
        self.server.wire.begun.set()
        return Heard(method.decode(), target, headers, self._body(dict(headers)))

    def _body(self, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding") != "chunked":
            return self._exactly(int(headers.get("content-length", "0")))
        body = b""
        while size := int(self._line(), 16):
            body += self._exactly(size)
            self._line()
        self._line()
        return body

    def _exactly(self, size: int) -> bytes:
        data = self.rfile.read(size)
        if len(data) < size:
            self._was_cut()
        return data

    def _line(self) -> bytes:
        return self.rfile.readline() or self._was_cut()

    def _was_cut(self) -> NoReturn:
        assert isinstance(self.server, _Server)
        self.server.wire.left.set()
        raise ConnectionAbortedError
