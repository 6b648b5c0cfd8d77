"""Searches for secrets where they must not be: whole or in part, raw, percent-encoded or in base64."""

from __future__ import annotations

import base64
import contextlib
import socket
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PIECE = 24
"""Characters in a row that count as a leak."""


@dataclass
class Recording:
    """Every byte that a server sent to the browsers of one port."""

    url: str
    port: int
    sent: bytearray = field(default_factory=bytearray)


def find_leaks(secrets: Iterable[str], haystack: bytes) -> list[str]:
    """Return the secrets of which a piece occurs, each with the form it was found in."""
    folded = haystack.replace(b"\r\n", b"\n")
    found = []
    for secret in secrets:
        for form in _forms(secret):
            if form in folded:
                found.append(f"{secret[:8]}... as {form[:12]!r}...")
                break
    return found


def _forms(secret: str) -> Iterator[bytes]:
    assert len(secret) >= PIECE, "too short to be looked for"
    starts = [*range(0, len(secret) - PIECE + 1, PIECE), len(secret) - PIECE]
    for start in starts:
        piece = secret[start : start + PIECE].encode()
        yield piece
        yield quote(piece, safe="").encode()
        yield quote(quote(piece, safe=""), safe="").encode()
        yield piece.hex().encode()
        yield from _base64(piece)


def _base64(piece: bytes) -> Iterator[bytes]:
    """Base64 of the piece at each of the three places it can have within a longer text."""
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + piece + b"\0" * 2)
        inner = encoded[4 if shift else 0 : (shift + len(piece)) // 3 * 4]
        yield inner
        yield inner.replace(b"+", b"-").replace(b"/", b"_")


@contextmanager
def recording(port_of_gateway: int, listening: socket.socket) -> Iterator[Recording]:
    """Relay connections to the gateway until the block ends, and keep what it sends."""
    port = listening.getsockname()[1]
    record = Recording(f"http://localhost:{port}", port)
    listening.setblocking(True)  # noqa: FBT003 - the socket module's own signature
    listening.settimeout(0.05)
    ending = threading.Event()
    threads: list[threading.Thread] = []

    def accept() -> None:
        while not ending.is_set():
            with contextlib.suppress(TimeoutError):
                browser, _ = listening.accept()
                relay = threading.Thread(target=_relay, args=(browser, port_of_gateway, record, ending))
                relay.start()
                threads.append(relay)

    acceptor = threading.Thread(target=accept)
    acceptor.start()
    try:
        yield record
    finally:
        ending.set()
        acceptor.join()
        for thread in threads:
            thread.join()


def _relay(browser: socket.socket, port: int, record: Recording, ending: threading.Event) -> None:
    with browser, socket.create_connection(("127.0.0.1", port)) as gateway:
        for each in (browser, gateway):
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        up = threading.Thread(target=_pump, args=(browser, gateway, None, ending))
        up.start()
        _pump(gateway, browser, record, ending)
        up.join()


def _pump(
    source: socket.socket, sink: socket.socket, record: Recording | None, ending: threading.Event
) -> None:
    source.settimeout(0.05)
    while not ending.is_set():
        try:
            data = source.recv(65536)
        except TimeoutError:
            continue
        except OSError:
            break
        if not data:
            break
        if record is not None:
            record.sent += data
        try:
            sink.sendall(data)
        except OSError:
            break
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_RDWR)
