"""A resource server that writes any bytes at any moment, and keeps every byte that reaches it."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.support.rfc9112 import CutError, MalformedError, Request, read_request
from tests.support.tcp import unread_of
from tests.support.wire import SECONDS, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    Script = Callable[["Connection", Request], None]

RESET = struct.pack("ii", 1, 0)
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
PLAIN = OK + b"Content-Length: 2\r\n\r\n{}"


@dataclass
class Connection:
    """One connection of the gateway's; `received` is every byte that came on it."""

    number: int
    sock: socket.socket
    received: bytearray = field(default_factory=bytearray)
    surplus: bytes = b""
    is_idle: bool = False
    """Waiting for a request of which no byte has come."""
    is_open: bool = True
    got_eof: threading.Event = field(default_factory=threading.Event)

    def send(self, *parts: bytes) -> None:
        """Send each part once the gateway has read the one before."""
        for part in parts:
            self.wait_until_read()
            self.sock.sendall(part)

    def send_last(self, *parts: bytes) -> None:
        """Send and say that nothing more will come, but go on reading."""
        self.send(*parts)
        self.sock.shutdown(socket.SHUT_WR)

    def wait_until_read(self) -> None:
        """Wait until nothing of what was sent lies unread at the gateway."""
        until(lambda: unread_of(self.sock.getpeername(), self.sock.getsockname()) == 0)

    def receive(self) -> bytes:
        """Return what comes next, empty at the end."""
        try:
            data = self.sock.recv(262_144)
        except ConnectionResetError:
            data = b""
        if not data:
            self.got_eof.set()
        return data

    def read_request(self) -> Request | None:
        """Return the next request; None at an end between two requests."""
        data, self.surplus = self.surplus, b""
        while True:
            try:
                request, self.surplus = read_request(data)
            except CutError:
                self.is_idle = not data
                more = self.receive()
                if more:
                    self.received += more
                    data += more
                    continue
                if data:
                    raise
                return None
            self.is_idle = False
            return request

    def close(self) -> None:
        """Close in an orderly way, even if the other side has sent more."""
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()
        self.is_open = False

    def reset(self) -> None:
        """Close with a TCP reset."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.sock.close()
        self.is_open = False

    def wait_for_eof(self, seconds: float = SECONDS) -> bool:
        """Wait until the gateway ends the connection; whatever comes before that is dropped."""
        self.sock.settimeout(seconds)
        try:
            while self.receive():
                pass
        except TimeoutError:
            return False
        return True


@dataclass
class RawUpstream:
    """The server; `requests` are the well-formed ones, in the order of their ends."""

    listening: socket.socket
    script: Script = field(default_factory=lambda: _plain)
    accept: Callable[[Connection], None] | None = None
    """If set, this has the whole connection to itself, before any request was read."""
    connections: list[Connection] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    """What reached it that is no well-formed request, or came where none was due."""
    cut: list[bytes] = field(default_factory=list)
    """The beginnings of requests whose connections ended too early."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def port(self) -> int:
        port: int = self.listening.getsockname()[1]
        return port

    def reset(self) -> None:
        """Forget, and answer `{}` again; idle connections stay."""
        self.connections = [each for each in self.connections if each.is_open]
        for kept in (self.requests, self.faults, self.cut):
            kept.clear()
        self.script, self.accept = _plain, None

    def end(self) -> None:
        """End every connection."""
        for connection in self.connections:
            if connection.is_open:
                with contextlib.suppress(OSError):
                    connection.sock.shutdown(socket.SHUT_RDWR)
        until(lambda: not any(connection.is_open for connection in self.connections))

    def say(self, *parts: bytes, closes: bool = True) -> None:
        """Answer every request with these bytes, each part once the one before was read."""

        def script(connection: Connection, _: Request) -> None:
            connection.send(*parts)
            if closes:
                connection.close()

        self.script = script

    def say_in_turn(self, *scripts: Script) -> None:
        """Follow these scripts, one a request; `{}` afterwards."""
        left = iter(scripts)
        self.script = lambda connection, request: next(left, _plain)(connection, request)  # noqa: PLW0108 - one a call

    def busy(self) -> list[Connection]:
        """Return the open connections that do not merely wait for a request."""
        return [each for each in self.connections if each.is_open and not each.is_idle]

    def idle(self) -> list[Connection]:
        """Return the open connections that wait for a request."""
        return [each for each in self.connections if each.is_open and each.is_idle]

    def tokens(self) -> set[str]:
        """Return every bearer token that came."""
        values = (request.header("authorization") or b"" for request in self.requests)
        return {value.partition(b" ")[2].decode() for value in values if value}


def _plain(connection: Connection, _: Request) -> None:
    connection.send(PLAIN)


@contextmanager
def running_raw_upstream() -> Iterator[RawUpstream]:
    """Run a raw server on 127.0.0.1 until the block ends."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listening:
        upstream = RawUpstream(listening)
        threads: list[threading.Thread] = []
        acceptor = threading.Thread(target=_accept, args=(upstream, threads))
        acceptor.start()
        try:
            yield upstream
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            acceptor.join()
            upstream.end()
            for thread in threads:
                thread.join()


def _accept(upstream: RawUpstream, threads: list[threading.Thread]) -> None:
    while True:
        try:
            sock, _ = upstream.listening.accept()
        except OSError:
            return
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = Connection(len(upstream.connections), sock)
        upstream.connections.append(connection)
        thread = threading.Thread(target=_serve, args=(upstream, connection))
        thread.start()
        threads.append(thread)


def _serve(upstream: RawUpstream, connection: Connection) -> None:
    try:
        if upstream.accept is not None:
            upstream.accept(connection)
        while connection.is_open and (request := connection.read_request()) is not None:
            upstream.requests.append(request)
            if connection.surplus:
                upstream.faults.append(f"more than one request at once: {bytes(connection.received)!r}")
            upstream.script(connection, request)
    except CutError:
        upstream.cut.append(bytes(connection.received))
    except MalformedError as error:
        upstream.faults.append(f"{error}: {bytes(connection.received[-500:])!r}")
    except (OSError, AssertionError) as error:
        # The gateway may leave at any moment; a script's own assertion is told by the test that waits for it.
        if isinstance(error, AssertionError):
            upstream.faults.append(str(error))
    finally:
        connection.close()


def in_chunks(parts: Iterable[bytes], *, extension: bytes = b"", trailers: bytes = b"") -> bytes:
    """Frame parts as a chunked body (RFC 9112 §7.1); `trailers` are whole lines."""
    chunks = [b"%x%b\r\n%b\r\n" % (len(part), extension, part) for part in parts if part]
    return b"".join(chunks) + b"0%b\r\n%b\r\n" % (extension, trailers)
