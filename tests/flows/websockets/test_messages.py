"""What passes in a WebSocket, how much of it, and what is noted of it."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING

from websockets.exceptions import ConnectionClosed

from gateway.proxy.websocket_upstream import MAX_MESSAGE_BYTES
from tests.support.browser import Browser
from tests.support.sockets import (
    access_token,
    ending_of,
    metrics,
    open_socket,
)
from tests.support.wire import SECONDS, until

if TYPE_CHECKING:
    import pytest
    from websockets.sync.client import ClientConnection
    from websockets.sync.server import ServerConnection

    from tests.support.browser import Browser
    from tests.support.running import Running
    from tests.support.sockets import SocketServer


def test_messages_pass_both_ways_as_they_are(
    running: Running, server: SocketServer, browser: Browser
) -> None:
    with open_socket(running, browser, "/api/live/a%20b?x=%2F") as connection:
        for message in ("Grüße", b"\x00\xff", "", b""):
            connection.send(message)
            assert connection.recv(timeout=SECONDS) == message
        connection.send(["frag", "mented"])
        assert connection.recv(timeout=SECONDS) == "fragmented"
    assert server.handshakes[0].path == "/live/a%20b?x=%2F"


def test_the_token_is_taken_out_of_messages_and_reasons(
    running: Running, server: SocketServer, browser: Browser
) -> None:
    def tell(connection: ServerConnection) -> None:
        assert connection.request is not None
        token = connection.request.headers["authorization"].removeprefix("Bearer ")
        connection.send(f"you sent {token}, müller")
        connection.send(f"raw {token}".encode())
        connection.send([f"in {token[:10]}", f"{token[10:]} pieces"])
        connection.close(4000, token[:100])

    server.script = tell
    with open_socket(running, browser) as connection:
        token = access_token(running, server.handshakes[0].headers["authorization"])
        text, raw, pieces = (connection.recv(timeout=SECONDS) for _ in range(3))
        code, reason = ending_of(connection)
    assert isinstance(text, str)
    assert text.startswith("you sent [redacted]")
    assert text.endswith(", müller")
    assert isinstance(raw, bytes)
    assert raw.startswith(b"raw [redacted]")
    assert str(pieces).startswith("in [redacted]")
    assert code == 4000
    assert token[:8] not in f"{text}{raw!r}{pieces!r}{reason}"


def test_a_message_that_is_too_large_ends_the_websocket_on_both_sides(
    running: Running, server: SocketServer, browser: Browser
) -> None:
    with open_socket(running, browser) as connection:
        connection.send("a" * MAX_MESSAGE_BYTES)
        assert connection.recv(timeout=SECONDS) == "a" * MAX_MESSAGE_BYTES
        connection.send("a" * (MAX_MESSAGE_BYTES + 1))
        assert ending_of(connection)[0] == 1009
    until(lambda: bool(server.closed))
    assert server.closed[0][0] == 1009
    server.script = lambda connection: connection.send("a" * (MAX_MESSAGE_BYTES + 1))
    with open_socket(running, browser) as connection:
        assert ending_of(connection)[0] == 1009


def test_a_side_that_does_not_read_is_not_written_to_for_ever(
    running: Running, server: SocketServer, browser: Browser
) -> None:
    """Backpressure: what one side has taken of the other is bounded by buffers, not by the sender's speed."""
    sent, stop = [0], threading.Event()

    def flood(connection: ServerConnection) -> None:
        while not stop.is_set():
            connection.send(b"x" * 65_536)
            sent[0] += 1

    server.script = flood
    with open_socket(running, browser, max_queue=1) as connection:
        until(lambda: _stands_still(sent))
        assert sent[0] * 65_536 < 64 * 1024 * 1024
        before = sent[0]
        for _ in range(2 * before):
            connection.recv(timeout=SECONDS)
        assert sent[0] > before
        stop.set()
        connection.socket.shutdown(socket.SHUT_RDWR)
    until(lambda: bool(server.closed))


def test_a_resource_server_that_does_not_read_holds_the_browser_up(
    running: Running, server: SocketServer, browser: Browser
) -> None:
    sent, stop = [0], threading.Event()
    server.script = lambda _: stop.wait(SECONDS)

    def flood(connection: ClientConnection) -> None:
        with contextlib.suppress(OSError, ConnectionClosed):
            while True:
                connection.send(b"x" * 65_536)
                sent[0] += 1

    with open_socket(running, browser) as connection:
        flooding = threading.Thread(target=flood, args=(connection,))
        flooding.start()
        until(lambda: _stands_still(sent))
        assert sent[0] * 65_536 < 64 * 1024 * 1024
        connection.socket.shutdown(socket.SHUT_RDWR)
        flooding.join(SECONDS)
        assert not flooding.is_alive()
    stop.set()
    until(lambda: bool(server.closed))


def _stands_still(count: list[int]) -> bool:
    before = count[0]
    threading.Event().wait(0.2)
    return before > 0 and count[0] == before


def test_a_websocket_gets_one_log_line_and_is_counted(
    running: Running, server: SocketServer, browser: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    assert server.url

    def lines() -> list[dict[str, object]]:
        found = [vars(r)["fields"] for r in caplog.records if r.name == "gateway.request"]
        return [line for line in found if line["route"] == "/api/live/*"]

    until(lambda: "lexgate_websockets 0.0" in metrics(running))
    with caplog.at_level("INFO", logger="gateway.request"):
        with open_socket(running, browser) as connection:
            connection.send("four")
            assert connection.recv(timeout=SECONDS) == "four"
            assert "lexgate_websockets 1.0" in metrics(running)
            assert not lines()
        until(lambda: len(lines()) == 1)
    assert (lines()[0]["status"], lines()[0]["method"], lines()[0]["bytes"]) == (101, "GET", 4)
    assert 'lexgate_requests_total{method="GET",route="/api/live/*",status="101"}' in metrics(running)
    until(lambda: "lexgate_websockets 0.0" in metrics(running))
