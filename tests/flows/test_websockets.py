"""WebSockets under /api: who may open one, what passes, and when it ends."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from gateway.proxy.websocket_upstream import MAX_MESSAGE_BYTES
from tests.support.browser import Browser
from tests.support.running import running_gateway
from tests.support.sockets import open_socket, running_socket_server
from tests.support.wire import SECONDS, running_wire, until

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from websockets.sync.client import ClientConnection
    from websockets.sync.server import ServerConnection

    from tests.support.running import Running
    from tests.support.sockets import SocketServer

PER_SESSION = 3


def build_routes(server: str, dead: str) -> str:
    live = {"prefix": "/api/live", "destination": server, "token": "user", "websocket": True}
    timeouts = {"connect": 2, "first_byte": 2, "idle": 1}
    return json.dumps(
        [
            live,
            {**live, "prefix": "/api/open", "token": "none"},
            {**live, "prefix": "/api/dead", "destination": dead},
            {**live, "prefix": "/api/brief", "timeouts": timeouts},
        ]
    )


def select_subprotocol(_: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    return Subprotocol("ticker.v2") if "ticker.v2" in offered else None


@pytest.fixture(scope="module")
def stage() -> Iterator[tuple[Running, SocketServer]]:
    with running_socket_server(select_subprotocol=select_subprotocol) as server, running_wire() as wire:
        dead = wire.url.rpartition(":")[0] + ":1"
        settings = {
            "LEXGATE_ROUTES": build_routes(server.url, dead),
            "LEXGATE_SESSION_WEBSOCKETS": str(PER_SESSION),
        }
        with running_gateway("lexware", settings=settings) as running:
            yield running, server


@pytest.fixture
def running(stage: tuple[Running, SocketServer]) -> Running:
    return stage[0]


@pytest.fixture
def server(stage: tuple[Running, SocketServer]) -> SocketServer:
    stage[1].reset()
    return stage[1]


@pytest.fixture
def browser(running: Running) -> Iterator[Browser]:
    with Browser(running.public_url) as browser:
        browser.sign_in()
        yield browser


def access_token(running: Running, request: str) -> str:
    """Return the token of a handshake's Authorization field."""
    assert request.startswith("Bearer "), running.url
    return request.removeprefix("Bearer ")


def refusal_of(error: pytest.ExceptionInfo[InvalidStatus]) -> tuple[int, dict[str, object]]:
    response = error.value.response
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["x-request-id"]
    return response.status_code, json.loads(response.body)


def read_on(connection: ClientConnection) -> None:
    while True:
        connection.recv(timeout=SECONDS)


def ending_of(connection: ClientConnection) -> tuple[int, str]:
    """Read to the end and return the code and reason that the browser was told."""
    with pytest.raises(ConnectionClosed) as closed:
        read_on(connection)
    assert closed.value.rcvd is not None, closed.value
    return closed.value.rcvd.code, closed.value.rcvd.reason


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
        running.clock.advance(36_001)
        assert ending_of(connection) == (4401, "expired")


def test_a_websocket_in_which_nobody_speaks_ends(
    running: Running, server: SocketServer, browser: Browser
) -> None:
    with open_socket(running, browser, "/api/brief/x") as connection:
        assert ending_of(connection) == (1001, "idle")
    until(lambda: bool(server.closed))


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


def metrics(running: Running) -> str:
    with Browser(running.admin_url) as operator:
        return operator.fetch("/metrics").text
