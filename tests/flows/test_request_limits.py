"""What the listener refuses before any application sees it: heads too large, too slow, or ambiguous."""

from __future__ import annotations

import contextlib
import json
import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

import gateway.http_timely
from tests.support.running import running_gateway

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.running import Running


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with running_gateway() as running:
        yield running


@pytest.fixture
def connection(running: Running) -> Iterator[socket.socket]:
    port = urlsplit(running.public_url).port
    assert port is not None
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        yield connection


def answer_of(connection: socket.socket) -> tuple[int, dict[str, object]]:
    """Read one answer to the end of the connection."""
    received = b""
    with contextlib.suppress(ConnectionResetError):  # closed while the request was still on its way
        while chunk := connection.recv(65_536):
            received += chunk
    head, _, body = received.partition(b"\r\n\r\n")
    return int(head.split(b" ")[1]), json.loads(body)


def send(connection: socket.socket, data: bytes) -> None:
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        connection.sendall(data)


@pytest.mark.parametrize(
    "head",
    [
        b"GET /auth/session HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 400_000,
        b"GET /auth/session HTTP/1.1\r\nHost: x\r\n" + b"X-Many: aaaaaaaaaaaaaaaaaaaa\r\n" * 15_000,
    ],
    ids=["one long field", "many fields"],
)
def test_a_head_above_64_kb_is_refused(connection: socket.socket, head: bytes) -> None:
    """RFC 6585 §5: 431, and the connection ends before memory does."""
    send(connection, head)
    status, problem = answer_of(connection)
    assert (status, problem["code"]) == (431, "request_head_too_large")


def test_a_complete_head_above_64_kb_is_refused(connection: socket.socket) -> None:
    send(connection, b"GET /auth/session HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 70_000 + b"\r\n\r\n")
    assert answer_of(connection)[1]["code"] == "request_head_too_large"


def test_endless_trailers_end_the_connection_without_a_second_answer(connection: socket.socket) -> None:
    connection.sendall(
        b"POST /auth/logout HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX: "
    )
    assert connection.recv(65_536).startswith(b"HTTP/1.1 403 ")
    send(connection, b"a" * 400_000)
    rest = b""
    with contextlib.suppress(ConnectionResetError):
        rest = connection.recv(65_536)
    assert rest == b""


def test_a_slow_head_is_refused(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway.http_timely, "HEAD_SECONDS", 0.2)
    port = urlsplit(running.public_url).port
    with socket.create_connection(("127.0.0.1", port), timeout=10) as silent:
        assert answer_of(silent)[0] == 408
    with socket.create_connection(("127.0.0.1", port), timeout=10) as half:
        half.sendall(b"GET /auth/session HTTP/1.1\r\nHost:")
        status, problem = answer_of(half)
        assert (status, problem["code"]) == (408, "request_too_slow")


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"POST / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 3\r\n\r\nabc",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1, 2\r\n\r\n",
        b"CONNECT evil.example:443 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01 this is TLS",
        b"GET http://evil.example/api/v1/profile HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET file:///etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /api/v1/profile#fragment HTTP/1.1\r\nHost: x\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
    ids=[
        "upgrade with a body",
        "two framings",
        "two lengths",
        "tunnel",
        "not HTTP",
        "absolute",
        "file",
        "fragment",
        "asterisk",
    ],
)
def test_what_cannot_be_framed_is_refused(connection: socket.socket, request_bytes: bytes) -> None:
    send(connection, request_bytes)
    status, problem = answer_of(connection)
    assert (status, problem["code"]) == (400, "request_invalid")


def test_trailers_do_not_become_headers(connection: socket.socket) -> None:
    """RFC 9110 §6.5.1: a trailer with the CSRF header, or a cookie, counts for nothing."""
    connection.sendall(
        b"POST /auth/session/refresh HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\nX-CSRF: 1\r\nSec-Fetch-Site: same-origin\r\n\r\n"
    )
    status, problem = answer_of(connection)
    assert (status, problem["code"]) == (403, "cross_site_refused")


def test_an_ignored_upgrade_without_a_body_is_an_ordinary_request(connection: socket.socket) -> None:
    """RFC 9110 §7.8: a server may ignore Upgrade."""
    connection.sendall(
        b"GET /auth/session HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n\r\n"
    )
    assert answer_of(connection)[1]["active"] is False
