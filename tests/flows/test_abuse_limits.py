"""What one client may take up: fields, addresses, slow bodies, pipelined requests, connections."""

from __future__ import annotations

import contextlib
import json
import socket
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

import gateway.http_protocol
import gateway.http_timely
from gateway.http_protocol import MAX_FIELDS, MAX_PIPELINED, MAX_UNREAD_BYTES
from gateway.http_refusal import FullListener
from gateway.proxy.request_target import MAX_TARGET_BYTES
from tests.support.browser import Browser
from tests.support.running import running_gateway
from tests.support.wire import SECONDS, reply, running_wire, send_raw, statuses, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.running import Running
    from tests.support.wire import Wire

MAX_CONNECTIONS = 8
OPEN_ROUTE = {"prefix": "/api/open", "token": "none"}


@pytest.fixture(scope="module")
def stage() -> Iterator[tuple[Running, Wire]]:
    with running_wire() as wire:
        routes = json.dumps([{**OPEN_ROUTE, "destination": wire.url}])
        with running_gateway(settings={"LEXGATE_ROUTES": routes}) as running:
            yield running, wire


@pytest.fixture
def running(stage: tuple[Running, Wire]) -> Running:
    stage[1].reset()
    return stage[0]


@pytest.fixture
def wire(stage: tuple[Running, Wire]) -> Wire:
    stage[1].reset()
    return stage[1]


def connect(running: Running) -> socket.socket:
    port = urlsplit(running.public_url).port
    assert port is not None
    return socket.create_connection(("127.0.0.1", port), timeout=SECONDS)


def rest_of(connection: socket.socket) -> bytes:
    received = bytearray()
    with contextlib.suppress(ConnectionResetError):
        while chunk := connection.recv(65_536):
            received += chunk
    return bytes(received)


def get(path: str = "/auth/session", *fields: str) -> bytes:
    lines = [f"GET {path} HTTP/1.1", "Host: x", *fields, "", ""]
    return "\r\n".join(lines).encode()


@contextmanager
def before_a_deaf_server(**timeouts: float) -> Iterator[socket.socket]:
    """Connect to a gateway whose resource server takes connections and reads nothing."""
    deaf = socket.create_server(("127.0.0.1", 0))
    destination = f"http://127.0.0.1:{deaf.getsockname()[1]}"
    route = {**OPEN_ROUTE, "destination": destination, "body_limit": 100_000_000, "timeouts": timeouts}
    routes = json.dumps([route])
    with running_gateway(settings={"LEXGATE_ROUTES": routes}) as other, deaf, connect(other) as connection:
        yield connection


def test_a_request_has_at_most_100_fields(running: Running) -> None:
    """RFC 6585 §5."""
    many = ["Connection: close", *(f"X-{number}: 1" for number in range(MAX_FIELDS - 2))]
    assert statuses(send_raw(running.public_url, get("/auth/session", *many))) == [200]
    received = send_raw(running.public_url, get("/auth/session", *many, "X-Last: 1"))
    assert statuses(received) == [431]
    assert b'"code": "request_head_too_large"' in received


def test_a_request_target_is_at_most_8_kb(running: Running) -> None:
    """RFC 9110 §15.5.15: 414, before any application sees it."""
    longest = "/auth/session?" + "a" * (MAX_TARGET_BYTES - len("/auth/session?"))
    assert statuses(send_raw(running.public_url, get(longest, "Connection: close"))) == [200]
    received = send_raw(running.public_url, get(longest + "a", "Connection: close"))
    assert statuses(received) == [414]
    assert b'"code": "request_target_too_long"' in received
    assert statuses(send_raw(running.public_url, b"GET /" + b"a" * 400_000)) == [414]
    assert statuses(send_raw(running.public_url, b"\r\n" * 40_000)) == [431]


def post(length: int, path: str = "/api/open/upload") -> bytes:
    return (
        f"POST {path} HTTP/1.1\r\nHost: x\r\nX-CSRF: 1\r\nSec-Fetch-Site: same-origin\r\n"
        f"Content-Length: {length}\r\n\r\n"
    ).encode()


def test_a_body_that_does_not_come_is_answered_408(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway.http_timely, "BODY_SECONDS", 0.2)
    with connect(running) as connection:
        connection.sendall(post(20_000) + b"a" * 100)
        received = rest_of(connection)
    assert statuses(received) == [408]
    assert b'"code": "request_too_slow"' in received


def test_a_body_that_trickles_is_answered_408(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway.http_timely, "BODY_SECONDS", 0.2)
    with connect(running) as connection:
        connection.sendall(post(2_000_000))
        connection.settimeout(0.02)
        received = b""
        for _ in range(500):
            with contextlib.suppress(TimeoutError, BrokenPipeError, ConnectionResetError):
                connection.sendall(b"a" * 10)
                received += connection.recv(65_536)
            if received:
                break
    assert statuses(received) == [408]


def test_a_body_that_comes_fast_enough_takes_its_time(
    running: Running, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway.http_timely, "BODY_SECONDS", 0.1)
    wire.script = lambda heard: reply(200, b'{"length": %d}' % len(heard.body))
    with connect(running) as connection:
        connection.sendall(post(200_000))
        connection.settimeout(0.02)
        for _ in range(19):
            connection.sendall(b"a" * 10_000)
            with pytest.raises(TimeoutError):
                connection.recv(1)
        connection.settimeout(SECONDS)
        connection.sendall(b"a" * 10_000)
        assert b'{"length": 200000}' in connection.recv(65_536)


def test_who_waits_for_the_resource_server_is_not_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """The gateway stopped reading: the resource server takes nothing."""
    monkeypatch.setattr(gateway.http_timely, "BODY_SECONDS", 0.5)
    body = b"a" * 90_000_000
    with before_a_deaf_server() as connection:
        connection.sendall(post(90_000_000))
        connection.settimeout(2.0)
        with pytest.raises(TimeoutError):
            connection.sendall(body)
        with pytest.raises(TimeoutError):
            connection.recv(1)


def test_a_body_that_nobody_reads_is_taken_only_so_far(running: Running) -> None:
    """An early answer is given, then the connection ends, however much there is to come."""
    with connect(running) as connection:
        connection.sendall(post(1_000_000_000, "/auth/session/nothing"))
        answered = connection.recv(65_536)
        sent = 0
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            while sent < 4 * MAX_UNREAD_BYTES:
                sent += connection.send(b"a" * 65_536)
    assert statuses(answered) == [404]
    assert sent < 4 * MAX_UNREAD_BYTES


def test_pipelined_requests_are_answered_in_order_and_only_so_many(running: Running) -> None:
    """RFC 9112 §9.3.2: what was taken is answered, then the connection ends."""
    received = send_raw(running.public_url, get() * 5_000)
    assert set(statuses(received)) == {200}
    assert 1 < len(statuses(received)) <= MAX_PIPELINED + 1
    assert received.lower().count(b"connection: close") == 1
    assert (
        send_raw(running.public_url, get() * 3 + get("/auth/session", "Connection: close")).count(b"200 OK")
        == 4
    )


def test_a_refused_body_is_not_answered_before_the_request_in_front_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A 408 for the second request would be taken for the first one's answer."""
    monkeypatch.setattr(gateway.http_timely, "BODY_SECONDS", 0.2)
    with before_a_deaf_server(first_byte=0.6) as connection:
        connection.sendall(get("/api/open/x") + post(20_000) + b"a")
        assert statuses(rest_of(connection)) == [504, 408]


def test_connections_beyond_the_limit_are_told_that_the_gateway_is_full(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway.http_protocol, "FULL_LISTENER", FullListener())
    settings = {"LEXGATE_MAX_CONNECTIONS": str(MAX_CONNECTIONS)}
    with running_gateway(settings=settings) as running, ExitStack() as held:
        for _ in range(MAX_CONNECTIONS):
            connection = held.enter_context(connect(running))
            connection.sendall(get())
            assert statuses(connection.recv(65_536)) == [200]
        with connect(running) as crowded:
            crowded.sendall(get())
            received = rest_of(crowded)
        assert statuses(received) == [503]
        assert b'"code": "gateway_full"' in received
        assert b"retry-after: 2\r\n" in received
        with connect(running) as another:
            another.sendall(get())
            assert statuses(rest_of(another)) == [503]
        assert [record.message for record in caplog.records].count("the listener is full") == 1
        with Browser(running.admin_url) as operator:
            assert operator.fetch("/livez").status_code == 200
        held.close()
        until(
            lambda: statuses(send_raw(running.public_url, get("/auth/session", "Connection: close"))) == [200]
        )


def test_connections_far_beyond_the_limit_are_cut_off_and_silent_ones_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gateway.http_timely, "CROWDED_SECONDS", 0.2)
    settings = {"LEXGATE_MAX_CONNECTIONS": "1"}
    with running_gateway(settings=settings) as running, connect(running) as first:
        first.sendall(get())
        assert statuses(first.recv(65_536)) == [200]
        with connect(running) as silent, connect(running) as beyond:
            assert rest_of(beyond) == b""
            assert statuses(rest_of(silent)) == [408]
        first.sendall(get())
        assert statuses(first.recv(65_536)) == [200]
