"""Who may open a WebSocket under /api, and what the resource server is told."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from tests.support.browser import Browser
from tests.support.sockets import (
    PER_SESSION,
    access_token,
    open_socket,
    refusal_of,
)
from tests.support.wire import SECONDS, until

if TYPE_CHECKING:
    from tests.support.browser import Browser
    from tests.support.running import Running
    from tests.support.sockets import SocketServer


def test_the_handshake_bears_the_token_and_what_the_allow_list_lets_pass(
    running: Running, server: SocketServer, browser: Browser
) -> None:
    sent = {"Accept-Language": "de", "Authorization": "Basic eA==", "X-Forwarded-For": "1.2.3.4"}
    with open_socket(running, browser, headers=sent):
        pass
    headers = server.handshakes[0].headers
    assert access_token(running, headers["authorization"])
    assert headers["accept-language"] == "de"
    assert headers["host"] == server.url.removeprefix("http://")
    assert headers["traceparent"]
    for name in ("cookie", "origin", "sec-fetch-site", "x-forwarded-for", "sec-websocket-extensions"):
        assert name not in headers


def test_a_route_without_a_token_gets_none(running: Running, server: SocketServer, browser: Browser) -> None:
    with open_socket(running, browser, "/api/open/x"):
        pass
    assert "authorization" not in server.handshakes[0].headers


def test_the_subprotocol_is_the_resource_servers_choice(
    running: Running, server: SocketServer, browser: Browser
) -> None:
    offered = [Subprotocol("ticker.v3"), Subprotocol("ticker.v2")]
    with open_socket(running, browser, subprotocols=offered) as connection:
        assert connection.subprotocol == "ticker.v2"
    assert server.handshakes[0].headers["sec-websocket-protocol"] == "ticker.v3, ticker.v2"


@pytest.mark.parametrize(
    ("origin", "site", "cause"),
    [
        ("http://evil.example", "", "origin_mismatch"),
        ("null", "", "origin_mismatch"),
        (None, "", "origin_missing"),
        (None, "same-origin", "origin_missing"),
        ("", "cross-site", "cross_site"),
        ("", "same-site", "same_site"),
        ("", "none", "not_from_the_app"),
    ],
)
def test_a_websocket_of_another_origin_is_refused(
    running: Running, server: SocketServer, browser: Browser, origin: str | None, site: str, cause: str
) -> None:
    """RFC 6455 §10.2: cookies come with it wherever it was opened."""
    with pytest.raises(InvalidStatus) as error:
        open_socket(running, browser, origin=origin, headers={"Sec-Fetch-Site": site})
    status, problem = refusal_of(error)
    assert (status, problem["code"], problem["cause"]) == (403, "cross_site_refused", cause)
    assert not server.handshakes


def test_a_websocket_without_fetch_metadata_passes_by_its_origin(
    running: Running, server: SocketServer, browser: Browser
) -> None:
    with open_socket(running, browser, headers={"Sec-Fetch-Site": ""}):
        pass
    assert len(server.handshakes) == 1


def test_a_websocket_needs_a_session(running: Running, server: SocketServer) -> None:
    for path in ("/api/live/x", "/api/open/x"):
        with pytest.raises(InvalidStatus) as error:
            open_socket(running, None, path)
        status, problem = refusal_of(error)
        assert (status, problem["code"], problem["reason"]) == (401, "session_required", "none")
    assert not server.handshakes


def test_a_route_allows_no_websockets_unless_it_says_so(
    running: Running, server: SocketServer, browser: Browser
) -> None:
    with pytest.raises(InvalidStatus) as error:
        open_socket(running, browser, "/api/v1/ticker")
    assert refusal_of(error)[0] == 403
    assert refusal_of(error)[1]["code"] == "websocket_refused"
    with pytest.raises(InvalidStatus) as error:
        open_socket(running, browser, "/api/live/../v1")
    assert refusal_of(error)[1]["code"] == "path_refused"
    assert not server.handshakes


@pytest.mark.parametrize(
    ("answered", "status", "code"),
    [
        (404, 403, "websocket_refused"),
        (302, 502, "resource_server_broken"),
        (500, 502, "resource_server_broken"),
    ],
)
def test_a_refusal_of_the_resource_server_is_answered_before_the_handshake(
    running: Running, server: SocketServer, browser: Browser, answered: int, status: int, code: str
) -> None:
    server.statuses = [answered]
    with pytest.raises(InvalidStatus) as error:
        open_socket(running, browser)
    found, problem = refusal_of(error)
    assert (found, problem["code"]) == (status, code)
    token = access_token(running, server.handshakes[0].headers["authorization"])
    assert token.encode() not in (error.value.response.body or b"")


def test_a_resource_server_that_cannot_be_reached_is_answered_502(running: Running, browser: Browser) -> None:
    with pytest.raises(InvalidStatus) as error:
        open_socket(running, browser, "/api/dead/x")
    assert refusal_of(error)[1]["code"] == "resource_server_unreachable"
    assert refusal_of(error)[0] == 502


def test_a_401_at_the_handshake_refreshes_the_token_once(
    running: Running, server: SocketServer, browser: Browser
) -> None:
    running.clock.advance(60)
    server.statuses = [401]
    with open_socket(running, browser) as connection:
        connection.send("still here")
        assert connection.recv(timeout=SECONDS) == "still here"
    first, second = (handshake.headers["authorization"] for handshake in server.handshakes)
    assert first != second
    running.clock.advance(60)
    server.statuses = [401, 401]
    with pytest.raises(InvalidStatus) as error:
        open_socket(running, browser)
    assert refusal_of(error)[1]["code"] == "websocket_refused"


def test_a_session_has_no_more_websockets_than_it_may(
    running: Running, server: SocketServer, browser: Browser
) -> None:
    assert server.url
    with ExitStack() as opened:
        for _ in range(PER_SESSION):
            opened.enter_context(open_socket(running, browser))
        with pytest.raises(InvalidStatus) as error:
            open_socket(running, browser)
        assert refusal_of(error)[1]["code"] == "session_busy"
        assert error.value.response.headers["retry-after"] == "5"
    until(lambda: len(server.closed) == PER_SESSION)
    with open_socket(running, browser) as connection:
        assert connection.subprotocol is None
