"""When a WebSocket ends, and what each side is told."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest
from websockets.exceptions import ConnectionClosed

from gateway.proxy.websocket_relay import SENDABLE, ending_by_browser
from tests.support.browser import Browser
from tests.support.sockets import (
    ending_of,
    open_socket,
)
from tests.support.wire import SECONDS, until

if TYPE_CHECKING:
    from tests.support.browser import Browser
    from tests.support.running import Running
    from tests.support.sockets import SocketServer


def test_only_codes_that_may_be_sent_are_passed_on() -> None:
    """RFC 6455 §7.4: 1004 to 1006 and 1015 tell what happened, and are in no frame."""
    told = {code: ending_by_browser({"code": code, "reason": ""}).to_upstream for code in range(999, 5001)}
    assert {code for code, passed in told.items() if code == passed} == SENDABLE
    assert {told[code] for code in (999, 1004, 1006, 1015, 1016, 2999, 5000)} == {1001}
    assert ending_by_browser({"code": 1005, "reason": ""}).to_upstream == 1000
    assert ending_by_browser({"code": 1005}).to_upstream == 1001


@pytest.mark.parametrize(("code", "reason"), [(1000, "done"), (1001, ""), (3999, "mine"), (4999, "über")])
def test_the_close_code_and_reason_pass_both_ways(
    running: Running, server: SocketServer, browser: Browser, code: int, reason: str
) -> None:
    with open_socket(running, browser) as connection:
        connection.close(code, reason)
    until(lambda: bool(server.closed))
    assert server.closed == [(code, reason)]
    server.script = lambda connection: connection.close(code, reason)
    with open_socket(running, browser) as connection:
        assert ending_of(connection) == (code, reason)
    until(lambda: len(server.closed) == 2)


def test_a_browser_that_vanishes_ends_the_resource_servers_side(
    running: Running, server: SocketServer, browser: Browser
) -> None:
    with open_socket(running, browser) as connection:
        connection.socket.shutdown(socket.SHUT_RDWR)
    until(lambda: bool(server.closed))
    assert server.closed == [(1001, "")]


def test_a_resource_server_that_breaks_off_is_told_as_a_bad_gateway(
    running: Running, server: SocketServer, browser: Browser
) -> None:
    server.script = lambda connection: connection.socket.shutdown(2)
    with open_socket(running, browser) as connection:
        assert ending_of(connection) == (1014, "")


def test_a_websocket_ends_with_its_session_within_a_second(
    running: Running, server: SocketServer, browser: Browser
) -> None:
    with open_socket(running, browser) as connection, open_socket(running, browser, "/api/open/x") as other:
        connection.send("hello")
        assert connection.recv(timeout=SECONDS) == "hello"
        assert browser.fetch("/auth/logout", "POST").status_code == 200
        told: list[bytes | str] = []
        with pytest.raises(ConnectionClosed) as closed:
            told.append(connection.recv(timeout=1.0))
        assert not told
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4401, "signed_out")
        assert ending_of(other) == (4401, "signed_out")
    until(lambda: len(server.closed) == 2)
    assert server.closed == [(1001, ""), (1001, "")]


def test_a_websocket_ends_when_its_session_expires(
    running: Running, server: SocketServer, browser: Browser
) -> None:
    assert server.url
    with open_socket(running, browser) as connection:
        running.clock.advance(1_801)
        assert ending_of(connection) == (4401, "idle")


def test_a_websocket_in_which_nobody_speaks_ends(
    running: Running, server: SocketServer, browser: Browser
) -> None:
    with open_socket(running, browser, "/api/brief/x") as connection:
        assert ending_of(connection) == (1001, "idle")
    until(lambda: bool(server.closed))
