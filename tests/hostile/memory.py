"""What a large body through a slow peer costs the gateway in memory: python -m tests.hostile.memory."""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.hostile.own_process import OwnProcess, running_process, settle
from tests.support.raw_upstream import OK

if TYPE_CHECKING:
    import socket

    from tests.support.raw_upstream import Connection
    from tests.support.rfc9112 import Request

MEGABYTE = 1 << 20
LIMIT = 8 * MEGABYTE
ROOMY = {"LEXGATE_ROUTES": json.dumps([{"prefix": "/api", "body_limit": 2048 * MEGABYTE}])}
"""A route whose bodies may be as large as is measured."""
_PIECE = bytes(range(256)) * 256
_STALL_BYTES, _STALL_SECONDS = 4 * MEGABYTE, 0.02
"""After how many bytes a slow peer stops reading, and for how long."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One transfer: its size and what the gateway's memory rose by, both in bytes."""

    name: str
    size: int
    raised: int
    seconds: float

    def line(self) -> str:
        """Return a row of the table."""
        return (
            f"{self.name:<28} {self.size // MEGABYTE:5} MB in {self.seconds:6.1f} s:"
            f" at most {self.raised / MEGABYTE:5.2f} MB more memory"
        )


def download(process: OwnProcess, size: int) -> Measured:
    """Let a slow browser take a body."""

    def script(connection: Connection, _: Request) -> None:
        head = OK.replace(b"json", b"octet-stream") + b"Content-Length: %d\r\n\r\n" % size
        connection.sock.sendall(head)
        _write(connection.sock, size)

    process.upstream.script = script
    with process.browser() as browser:
        browser.send(process.anna.head("GET", "/api/v1/file"))
        browser.receive_until(b"\r\n\r\n")
        begun = len(bytes(browser.received).partition(b"\r\n\r\n")[2])
        before, started = process.forget_peak(), time.monotonic()
        _drain(browser.sock, size - begun)
        raised, seconds = process.peak_bytes() - before, time.monotonic() - started
    settle(process)
    return Measured("download", size, raised, seconds)


def upload(process: OwnProcess, size: int) -> Measured:
    """Let a slow upstream take a single body."""
    heard: list[int] = []

    def accept(connection: Connection) -> None:
        while head := _read_head(connection):
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            body = head.partition(b"\r\n\r\n")[2]
            _drain(connection.sock, length - len(body))
            heard.append(length)
            connection.sock.sendall(OK + b"Content-Length: 2\r\n\r\n{}")

    process.upstream.end()
    process.upstream.accept = accept
    with process.browser() as browser:
        _send_one(process, browser.sock, MEGABYTE)
        browser.answer("POST")
        before, started = process.forget_peak(), time.monotonic()
        _send_one(process, browser.sock, size)
        assert browser.answer("POST").status == 200
        raised, seconds = process.peak_bytes() - before, time.monotonic() - started
    process.upstream.accept = None
    process.upstream.end()
    assert heard == [MEGABYTE, size]
    return Measured("upload", size, raised, seconds)


def unread(process: OwnProcess, size: int) -> Measured:
    """Let a browser that does not read ask for a body, until the upstream can write no more."""
    written = 0
    process.upstream.reset()

    def script(connection: Connection, _: Request) -> None:
        nonlocal written
        connection.sock.sendall(OK.replace(b"json", b"octet-stream") + b"Content-Length: %d\r\n\r\n" % size)
        connection.sock.settimeout(1.0)
        try:
            while written < size:
                written += connection.sock.send(_PIECE)
        except TimeoutError:
            connection.close()

    process.upstream.script = script
    before, started = process.forget_peak(), time.monotonic()
    with process.browser() as browser:
        browser.send(process.anna.head("GET", "/api/v1/file"))
        settle_after(process)
        raised = process.peak_bytes() - before
    settle(process)
    assert written < size, "all of it was taken for a browser that does not read"
    return Measured("download that is not read", written, raised, time.monotonic() - started)


def settle_after(process: OwnProcess) -> None:
    """Wait for the call to reach the upstream, and for the upstream to be done with it."""
    deadline = time.monotonic() + 60
    while (not process.upstream.requests or process.upstream.busy()) and time.monotonic() < deadline:
        threading.Event().wait(0.01)


def _send_one(process: OwnProcess, sock: socket.socket, size: int) -> None:
    fields = {"Content-Length": str(size), "Content-Type": "application/octet-stream"}
    sock.sendall(process.anna.head("POST", "/api/v1/files", fields))
    _write(sock, size)


def _write(sock: socket.socket, size: int) -> None:
    while size:
        sock.sendall(_PIECE[:size])
        size -= min(size, len(_PIECE))


def _drain(sock: socket.socket, size: int) -> None:
    until_stall = _STALL_BYTES
    while size:
        if until_stall <= 0:
            # Long enough for everything on the way to fill up: that is what a slow peer does.
            threading.Event().wait(_STALL_SECONDS)
            until_stall = _STALL_BYTES
        data = sock.recv(min(size, 1 << 16))
        assert data, f"{size} bytes are missing"
        size -= len(data)
        until_stall -= len(data)


def _read_head(connection: Connection) -> bytes:
    head = b""
    while b"\r\n\r\n" not in head:
        connection.is_idle = not head
        data = connection.receive()
        if not data:
            return b""
        head += data
    return head


def main() -> int:
    """Print the table; 1 if a transfer cost more than 8 MB."""
    parser = argparse.ArgumentParser(prog="python -m tests.hostile.memory", description=__doc__)
    parser.add_argument("--megabytes", type=int, default=1024)
    size = parser.parse_args().megabytes * MEGABYTE
    with running_process(ROOMY) as process:
        rows = [download(process, size), upload(process, size), unread(process, size)]
    for row in rows:
        sys.stdout.write(row.line() + "\n")
    return int(any(row.raised >= LIMIT for row in rows))


if __name__ == "__main__":
    sys.exit(main())
