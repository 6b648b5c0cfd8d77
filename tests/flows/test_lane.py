"""Plain calls go past ASGI: whichever way a call takes, the browser and the API see the same."""

from __future__ import annotations

import gzip
import re
import socket
from typing import TYPE_CHECKING, Self

import pytest

from gateway.browser.cookie import SESSION_COOKIE
from gateway.proxy.lane import Lane
from tests.support.browser import Browser
from tests.support.running import running_gateway
from tests.support.wire import SECONDS, Reply, reply, running_wire, statuses, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.proxy.lane_call import LaneBrowser, LaneCall, LaneRequest
    from tests.support.running import Running
    from tests.support.wire import Heard, Wire

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
VARYING = re.compile(
    rb"(date: [^\r]*|x-request-id: [0-9a-f]+|server-timing: [^\r]*|traceparent: [^\r]*)\r\n", re.IGNORECASE
)


class _WatchedLane(Lane):
    """The lane itself, which counts the calls that it takes, or takes none."""

    taken = 0
    is_open = True

    def begin(self, browser: LaneBrowser, request: LaneRequest) -> LaneCall | None:
        call = super().begin(browser, request) if self.is_open else None
        self.taken += call is not None
        return call


@pytest.fixture(scope="module")
def wire() -> Iterator[Wire]:
    with running_wire() as wire:
        yield wire


@pytest.fixture(scope="module")
def running(wire: Wire) -> Iterator[Running]:
    with running_gateway("openid", settings={"LEXGATE_API_URL": wire.url}) as running:
        public = running.gateway.public
        public.lane = _WatchedLane(public.lane.forward, public.lane.request_log)
        yield running


@pytest.fixture
def lane(running: Running, wire: Wire) -> _WatchedLane:
    wire.reset()
    lane = running.gateway.public.lane
    assert isinstance(lane, _WatchedLane)
    lane.is_open, lane.taken = True, 0
    return lane


@pytest.fixture(scope="module")
def cookie(running: Running) -> str:
    with Browser(running.public_url) as browser:
        browser.sign_in()
        return f"Cookie: {SESSION_COOKIE}={browser.cookie(SESSION_COOKIE)}\r\n"


class _Connection:
    """A keep-alive connection of a browser, whose every byte is seen."""

    def __init__(self, running: Running) -> None:
        port = int(running.public_url.rpartition(":")[2])
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=SECONDS)
        self._received = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send(self, data: str) -> None:
        self._socket.sendall(data.encode("latin-1"))

    def answer(self, end: bytes) -> bytes:
        """Return what comes, up to and with `end`."""
        while end not in self._received:
            chunk = self._socket.recv(65536)
            assert chunk, f"closed after {self._received!r}"
            self._received += chunk
        answer, _, self._received = self._received.partition(end)
        return answer + end


def get(cookie: str, path: str = "/api/v1/profile", *fields: str) -> str:
    return (
        f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{cookie}" + "".join(f"{f}\r\n" for f in fields) + "\r\n"
    )


def warm(connection: _Connection, cookie: str, wire: Wire) -> None:
    """Have the session remembered and a connection to the API kept: the lane's two conditions."""
    wire.script = lambda _: reply(200, b"warm")
    for _ in range(2):
        connection.send(get(cookie, "/api/v1/warm"))
        connection.answer(b"warm")
    wire.heard.clear()


ANSWERS = {
    "json": reply(200, b'{"a": 1}!'),
    "error": reply(406, b'{"message": "no"}!'),
    "empty": reply(200, b"", "X-End: !"),
    "chunked": Reply(HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\n!\r\n0\r\n\r\n"),
    "gzip of a text": Reply(
        HEAD + b"Content-Encoding: gzip\r\nConnection: close\r\n\r\n" + gzip.compress(b"{}!"), closes=True
    ),
    "link and location": reply(201, b"!", "Location: /v1/x", 'Link: </v1/y>; rel="next"', "Set-Cookie: a=b"),
    "pdf": reply(200, b"%PDF!", "Content-Disposition: inline", type_="application/pdf"),
    "cacheable": reply(200, b"!", "Cache-Control: max-age=60, public", 'ETag: "1"', "Vary: Accept"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_both_ways_give_the_same_answer(
    running: Running, wire: Wire, cookie: str, lane: _WatchedLane, name: str
) -> None:
    seen: list[tuple[bytes, list[tuple[str, str]]]] = []
    for is_open in (True, False):
        with _Connection(running) as connection:
            lane.is_open = True
            warm(connection, cookie, wire)
            wire.script = lambda _: ANSWERS[name]
            lane.is_open, lane.taken = is_open, 0
            connection.send(get(cookie, "/api/v1/x?y=%26", "Accept: */*", "X-Other: dropped"))
            answer = connection.answer(b"!")
            assert lane.taken == int(is_open)
            fields = [field for field in wire.heard[-1].headers if field[0] != "traceparent"]
            head, _, body = VARYING.sub(b"", answer).partition(b"\r\n\r\n")
            seen.append((b"\r\n".join(sorted(head.split(b"\r\n"))) + body, fields))
            assert wire.heard[-1].target == b"/v1/x?y=%26"
    assert seen[0] == seen[1]


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(lambda cookie: get(cookie).replace("GET", "TRACE"), id="another method"),
        pytest.param(lambda _: get(""), id="no session"),
        pytest.param(lambda _: get(f"Cookie: {SESSION_COOKIE}=forged\r\n"), id="a forged session"),
        pytest.param(lambda cookie: get(cookie + cookie), id="the session twice"),
        pytest.param(lambda cookie: get(cookie, "/api/../secret"), id="a dot segment"),
        pytest.param(lambda cookie: get(cookie, "/api/v1/x", "Sec-Fetch-Site: cross-site"), id="cross-site"),
        pytest.param(lambda cookie: get(cookie, "/api/v1/x", "Origin: https://evil.example"), id="an origin"),
    ],
)
def test_what_is_refused_the_long_way_is_not_let_through_by_the_lane(
    running: Running, wire: Wire, cookie: str, lane: _WatchedLane, request_: object
) -> None:
    with _Connection(running) as connection:
        warm(connection, cookie, wire)
        lane.taken = 0
        assert callable(request_)
        connection.send(request_(cookie))
        head = connection.answer(b"\r\n\r\n")
        assert 400 <= statuses(head)[0] < 500
        assert (lane.taken, wire.heard) == (0, [])


def test_a_write_takes_the_long_way(running: Running, wire: Wire, cookie: str, lane: _WatchedLane) -> None:
    with _Connection(running) as connection:
        warm(connection, cookie, wire)
        lane.taken = 0
        wire.script = lambda _: reply(200, b"written")
        fields = f"Origin: {running.public_url}\r\nX-CSRF: 1\r\nContent-Length: 3\r\n"
        connection.send(f"POST /api/v1/x HTTP/1.1\r\nHost: localhost\r\n{cookie}{fields}\r\nabc")
        connection.answer(b"written")
        assert (lane.taken, wire.heard[-1].body) == (0, b"abc")


@pytest.mark.parametrize("status", [401, 429, 504])
def test_a_call_that_is_to_be_repeated_is_handed_over(
    running: Running, wire: Wire, cookie: str, lane: _WatchedLane, status: int
) -> None:
    with _Connection(running) as connection:
        warm(connection, cookie, wire)
        running.clock.advance(11)  # a token so fresh would not be replaced
        warm(connection, cookie, wire)
        lane.taken = 0
        left = [reply(status, b"{}")]
        wire.script = lambda _: left.pop() if left else reply(200, b"second")
        connection.send(get(cookie, "/api/v1/x"))
        assert statuses(connection.answer(b"second")) == [200]
        assert (lane.taken, len(wire.heard)) == (1, 2)


def test_an_answer_in_pieces_is_handed_over(
    running: Running, wire: Wire, cookie: str, lane: _WatchedLane
) -> None:
    whole = b"x" * 3_000_000 + b"end"
    with _Connection(running) as connection:
        warm(connection, cookie, wire)
        lane.taken = 0
        wire.script = lambda _: reply(200, whole)
        connection.send(get(cookie, "/api/v1/x"))
        answer = connection.answer(b"end")
        assert answer.partition(b"\r\n\r\n")[2] == whole
        assert lane.taken == 1
        connection.send(get(cookie, "/api/v1/x"))
        assert connection.answer(b"end").endswith(whole)


def test_a_connection_that_breaks_off_in_the_lane_is_asked_anew(
    running: Running, wire: Wire, cookie: str, lane: _WatchedLane
) -> None:
    with _Connection(running) as connection:
        warm(connection, cookie, wire)
        lane.taken = 0
        left = [Reply(closes=True)]
        wire.script = lambda _: left.pop() if left else reply(200, b"second")
        connection.send(get(cookie, "/api/v1/x"))
        assert statuses(connection.answer(b"second")) == [200]
        assert (lane.taken, len(wire.heard)) == (1, 2)


def test_pipelined_calls_are_answered_in_their_order_whichever_way_they_take(
    running: Running, wire: Wire, cookie: str, lane: _WatchedLane
) -> None:
    """RFC 9112 §9.3.2."""

    def script(heard: Heard) -> Reply:
        if heard.target.endswith(b"/large"):
            return reply(200, b"L" * 2_000_000)
        return reply(200, heard.target)

    with _Connection(running) as connection:
        warm(connection, cookie, wire)
        lane.taken = 0
        wire.script = script
        names = ["a", "large", "b", "c"]
        connection.send(
            "".join(get(cookie, f"/api/v1/{name}") for name in names) + get("", "/auth/client.js")
        )
        received = connection.answer(b"/v1/c")
        assert [received.find(mark) for mark in (b"/v1/a", b"LLL", b"/v1/b", b"/v1/c")] == sorted(
            received.find(mark) for mark in (b"/v1/a", b"LLL", b"/v1/b", b"/v1/c")
        )
        assert lane.taken >= 1
        assert statuses(connection.answer(b"\r\n\r\n")) == [200]


def test_a_browser_that_leaves_frees_the_connection_of_the_lane(
    running: Running, wire: Wire, cookie: str, lane: _WatchedLane
) -> None:
    with _Connection(running) as connection:
        warm(connection, cookie, wire)
        lane.taken = 0
        wire.script = lambda _: Reply(waits=True)
        connection.send(get(cookie, "/api/v1/x"))
        until(lambda: lane.taken == 1 and len(wire.heard) == 1)
    assert wire.left.wait(SECONDS), "the call to the API went on for nobody"


def test_the_last_answer_says_that_the_connection_closes(
    running: Running, wire: Wire, cookie: str, lane: _WatchedLane
) -> None:
    with _Connection(running) as connection:
        warm(connection, cookie, wire)
        lane.taken = 0
        wire.script = lambda _: reply(200, b"last")
        connection.send(get(cookie, "/api/v1/x", "Connection: close"))
        assert b"\r\nconnection: close\r\n" in connection.answer(b"last")
        assert lane.taken == 1


def test_a_session_that_ended_is_not_served_by_the_lane(
    running: Running, wire: Wire, lane: _WatchedLane
) -> None:
    with Browser(running.public_url) as browser, _Connection(running) as connection:
        browser.sign_in()
        own = f"Cookie: {SESSION_COOKIE}={browser.cookie(SESSION_COOKIE)}\r\n"
        warm(connection, own, wire)
        connection.send(get(own, "/api/v1/warm"))
        connection.answer(b"warm")
        assert lane.taken >= 1
        assert browser.fetch("/auth/logout", "POST").status_code == 200
        connection.send(get(own, "/api/v1/x"))
        assert statuses(connection.answer(b"}")) == [401]
