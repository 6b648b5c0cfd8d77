"""WebSockets as no browser opens them, on raw sockets, and sides that fall silent."""

from __future__ import annotations

import contextlib
import json
import socket
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from websockets.exceptions import InvalidStatus

import gateway.websocket_protocol
from tests.support.browser import Browser
from tests.support.running import running_gateway
from tests.support.sockets import ending_of, metrics, open_socket, refusal_of, running_socket_server
from tests.support.wire import SECONDS, statuses, until

if TYPE_CHECKING:
    from websockets.sync.server import ServerConnection

    from tests.support.running import Running
    from tests.support.sockets import SocketServer

PING = b"\x89\xfd\x00\x00\x00\x00" + b"a" * 125


def connect(running: Running) -> socket.socket:
    return socket.create_connection(("127.0.0.1", urlsplit(running.public_url).port), timeout=SECONDS)


def upgrade(running: Running, browser: Browser, path: str = "/api/live/x", method: str = "GET") -> bytes:
    cookie = browser.cookie("__Host-Http-lexgate")
    lines = [
        f"{method} {path} HTTP/1.1",
        "Host: x",
        "Connection: Upgrade",
        "Upgrade: websocket",
        f"Origin: {running.public_url}",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
        f"Cookie: __Host-Http-lexgate={cookie}",
        "",
        "",
    ]
    return "\r\n".join(lines).encode()


def rest_of(connection: socket.socket) -> bytes:
    received = bytearray()
    with contextlib.suppress(ConnectionResetError):
        while chunk := connection.recv(65_536):
            received += chunk
    return bytes(received)


def is_held_by_gateway(connection: socket.socket) -> bool:
    """Return whether the other end of a connection, in this process too, is still open (Linux)."""
    ours, theirs = (f":{name[1]:04X}" for name in (connection.getsockname(), connection.getpeername()))
    rows = [row.split() for row in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()]
    return any(row[1].endswith(theirs) and row[2].endswith(ours) and row[3] == "01" for row in rows)


def test_an_upgrade_behind_an_unanswered_request_is_refused(
    running: Running, server: SocketServer, browser: Browser
) -> None:
    """Its 101 would be taken for the answer of the request in front of it."""
    with connect(running) as connection:
        connection.sendall(b"GET /auth/session HTTP/1.1\r\nHost: x\r\n\r\n" + upgrade(running, browser))
        assert 101 not in statuses(rest_of(connection))
    assert not server.handshakes


def test_an_upgrade_on_a_used_connection_is_as_good_as_on_a_fresh_one(
    running: Running, server: SocketServer, browser: Browser
) -> None:
    with connect(running) as connection:
        connection.sendall(b"GET /auth/session HTTP/1.1\r\nHost: x\r\n\r\n")
        assert statuses(connection.recv(65_536)) == [200]
        connection.sendall(upgrade(running, browser))
        assert statuses(connection.recv(65_536)) == [101]
    until(lambda: bool(server.closed))


@pytest.mark.parametrize("path", ["/auth/session", "/", "/livez"])
def test_an_upgrade_elsewhere_than_below_api_is_an_ordinary_request(
    running: Running, browser: Browser, path: str
) -> None:
    """RFC 9110 §7.8: a server may ignore Upgrade."""
    with connect(running) as connection:
        connection.sendall(upgrade(running, browser, path))
        assert statuses(connection.recv(65_536)) == [200]


@pytest.mark.parametrize("extra", ["Content-Length: 3", "Transfer-Encoding: chunked"])
def test_an_upgrade_with_a_body_is_refused(
    running: Running, server: SocketServer, browser: Browser, extra: str
) -> None:
    head = upgrade(running, browser).replace(b"Host: x", f"Host: x\r\n{extra}".encode())
    with connect(running) as connection:
        connection.sendall(head + b"abc")
        assert statuses(rest_of(connection)) == [400]
    assert not server.handshakes


@pytest.mark.parametrize(
    ("found", "put", "status"),
    [
        (b"GET ", b"POST ", 400),
        (b"GET ", b"HEAD ", 400),
        (b"HTTP/1.1", b"HTTP/1.0", 400),
        (b"Version: 13", b"Version: 12", 400),
        (b"Version: 13", b"Version: 13\r\nSec-WebSocket-Version: 13", 400),
        (b"Sec-WebSocket-Version: 13\r\n", b"", 400),
        (b"AAAA==", b"AAAAAA", 400),
        (b"AAAA==", b"AA==", 400),
        (b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n", b"", 400),
        (b"Host: x", b"Host: x\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", 400),
        (b"Host: x", b'Host: x\r\nSec-WebSocket-Protocol: a b, "c"', 400),
        (b"Host: x", b"Host: x\r\nSec-WebSocket-Protocol: ,", 400),
        (b"Host: x", b"Host: x\r\nX-Long: " + b"a" * 8192, 431),
        (b"Host: x", b"Host: x\r\n" + b"X-Many: a\r\n" * 100 + b"X: x", 431),
        (b"/api/live/x", b"/api/live/" + b"a" * 8175, 431),
        (b"/api/live/x", b"/api/live/\xff", 400),
    ],
)
def test_what_is_no_handshake_is_refused(
    running: Running, server: SocketServer, browser: Browser, found: bytes, put: bytes, status: int
) -> None:
    """RFC 6455 §4.2.1; and nothing is left open in silence."""
    sent = upgrade(running, browser)
    assert found in sent
    with connect(running) as connection:
        connection.sendall(sent.replace(found, put))
        received = rest_of(connection)
    assert statuses(received) == [status]
    assert b"content-type: application/problem+json" in received
    assert not server.handshakes


def test_a_browser_that_does_not_read_its_pongs_is_not_read_from(
    running: Running, server: SocketServer, browser: Browser
) -> None:
    with connect(running) as connection:
        connection.sendall(upgrade(running, browser))
        assert statuses(connection.recv(65_536)) == [101]
        connection.settimeout(0.5)
        sent = 0
        with contextlib.suppress(TimeoutError):
            while sent < 256 * 1024 * 1024:
                sent += connection.send(PING * 1000)
        assert sent < 64 * 1024 * 1024
        connection.settimeout(SECONDS)
        assert len(connection.recv(65_536)) > 0  # and goes on where it reads again
    until(lambda: bool(server.closed))


def test_a_browser_that_leaves_during_the_handshake_is_no_defect(
    running: Running, server: SocketServer, browser: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    server.gate.clear()
    with connect(running) as connection:
        connection.sendall(upgrade(running, browser))
        until(lambda: bool(server.handshakes))
    server.gate.set()
    until(lambda: bool(server.closed))
    until(lambda: "lexgate_websockets 0.0" in metrics(running))
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


def test_a_session_that_ends_cuts_off_a_browser_that_does_not_read(
    running: Running, server: SocketServer, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway.websocket_protocol, "LINGER_SECONDS", 0.1)

    def flood(connection: ServerConnection) -> None:
        while True:
            connection.send(b"x" * 65_536)

    server.script = flood
    with connect(running) as connection:
        connection.sendall(upgrade(running, browser))
        connection.recv(10)
        until(lambda: "lexgate_websockets 1.0" in metrics(running))
        assert browser.fetch("/auth/logout", "POST").status_code == 200
        until(lambda: bool(server.closed))
        until(lambda: "lexgate_websockets 0.0" in metrics(running))
        until(lambda: not is_held_by_gateway(connection))


def test_a_resource_server_that_does_not_answer_the_handshake_is_answered_504(browser: Browser) -> None:
    assert browser.origin
    timeouts = {"connect": 1, "first_byte": 0.2}
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        route = {
            "prefix": "/api/live",
            "destination": f"http://127.0.0.1:{deaf.getsockname()[1]}",
            "token": "none",
            "websocket": True,
            "timeouts": timeouts,
        }
        settings = {"LEXGATE_ROUTES": json.dumps([route])}
        with running_gateway(settings=settings) as running, Browser(running.public_url) as visitor:
            visitor.sign_in()
            with pytest.raises(InvalidStatus) as error:
                open_socket(running, visitor)
            assert refusal_of(error)[0] == 504
            assert refusal_of(error)[1]["code"] == "resource_server_timeout"


def test_a_gateway_that_ends_says_so_in_every_websocket() -> None:
    with running_socket_server() as server, ExitStack() as later:
        route = {"prefix": "/api/live", "destination": server.url, "token": "none", "websocket": True}
        settings = {"LEXGATE_ROUTES": json.dumps([route])}
        with running_gateway(settings=settings) as running, Browser(running.public_url) as visitor:
            visitor.sign_in()
            connection = later.enter_context(open_socket(running, visitor))
        assert ending_of(connection) == (1012, "")
        until(lambda: bool(server.closed))
        assert server.closed == [(1012, "")]
