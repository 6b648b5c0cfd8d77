"""deploy/nginx.conf before two real gateways on one real Redis: one comes and goes, and nobody notices."""

from __future__ import annotations

import signal
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.contract.redis_servers import RedisServer
from tests.contract.redis_servers import free_port as free_redis_port
from tests.flows.cli.crew import calling, metrics_of, until
from tests.flows.cli.process import SECONDS, end
from tests.flows.cli.stage import Stage, serving, settings_before
from tests.flows.cli.test_cli_serve import call_in_flight
from tests.support.browser import Browser
from tests.support.nginx import running_nginx
from tests.support.ports import free_port
from tests.support.wire import Reply, running_wire

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.flows.cli.stage import HeldApi
    from tests.support.wire import Wire


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[str]:
    """Run a Redis as compose.replicas.yaml has it."""
    server = RedisServer(tmp_path, free_redis_port(), "appendonly yes", "maxmemory-policy noeviction")
    yield f"redis://127.0.0.1:{server.port}/0"
    server.stop()


@contextmanager
def replicas(api: HeldApi, redis: str, folder: Path) -> Iterator[tuple[Stage, Stage, dict[str, str]]]:
    """Run two gateways behind nginx; with them the settings of the first."""
    port = free_port()
    shared = {"public_url": f"http://localhost:{port}", "store": redis, "trusted_proxies": "127.0.0.1"}
    settings = settings_before(api, log_level="warning", **shared)
    ports = {"LEXGATE_BIND": f"127.0.0.1:{free_port()}", "LEXGATE_ADMIN_BIND": f"127.0.0.1:{free_port()}"}
    with (
        running_nginx(port, settings["LEXGATE_BIND"], ports["LEXGATE_BIND"]),
        serving(api, settings, folder) as first,
        serving(api, settings | ports, folder) as second,
    ):
        yield first, second, settings


def calls_of(stage: Stage) -> float:
    """Return how many requests a replica has answered."""
    return sum(
        value for name, value in metrics_of(stage).items() if name.startswith("lexgate_requests_total")
    )


def test_a_replica_comes_and_goes_and_no_call_is_lost(api: HeldApi, redis: str, tmp_path: Path) -> None:
    with replicas(api, redis, tmp_path) as (first, second, settings), calling(first) as callers:
        until(lambda: calls_of(first) > 20 and calls_of(second) > 20)
        with call_in_flight(first) as answers:
            first.process.send_signal(signal.SIGTERM)
            first.drains()
            answered = callers.answered
            until(lambda: callers.answered > answered + 50)
        assert (answers[0].status_code, answers[0].text) == (200, "done")
        first.process.communicate(timeout=SECONDS)
        assert first.process.returncode == 0
        with serving(api, settings, tmp_path) as again:
            until(lambda: calls_of(again) > 20)
            assert callers.failures == []
            callers.stop()
            assert end(again.process)[0] == 0
        assert end(second.process)[0] == 0


def test_writes_are_not_lost_either(api: HeldApi, redis: str, tmp_path: Path) -> None:
    with replicas(api, redis, tmp_path) as (first, second, _):
        fields = f"Host: localhost\r\nOrigin: {first.public_url}\r\nX-CSRF: 1\r\nContent-Length: 0\r\n\r\n"
        write = f"POST /auth/session/refresh HTTP/1.1\r\n{fields}".encode()
        with calling(first, write, status=401) as callers:
            until(lambda: calls_of(first) > 20 and calls_of(second) > 20)
            assert end(first.process)[0] == 0
            answered = callers.answered
            until(lambda: callers.answered > answered + 50)
        assert callers.failures == []


def test_a_session_is_at_home_on_every_replica(api: HeldApi, redis: str, tmp_path: Path) -> None:
    with replicas(api, redis, tmp_path) as (first, second, _), Browser(first.public_url) as browser:
        browser.sign_in()
        before = calls_of(first), calls_of(second)
        for _ in range(10):
            assert browser.fetch("/auth/session").json()["active"] is True
        assert calls_of(first) > before[0]
        assert calls_of(second) > before[1]
        for stage in (first, second):
            assert metrics_of(stage)["lexgate_sessions"] == 1


@pytest.fixture
def behind() -> Iterator[tuple[int, Wire]]:
    """Run nginx before a scripted server."""
    port = free_port()
    with running_wire() as wire:
        address = wire.url.removeprefix("http://")
        with running_nginx(port, address, address):
            yield port, wire


def test_nginx_tells_who_called_and_not_what_they_claim(behind: tuple[int, Wire]) -> None:
    port, wire = behind
    with socket.create_connection(("127.0.0.1", port), SECONDS) as connection:
        claims = "X-Forwarded-For: 203.0.113.7\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
        connection.sendall(f"GET /api/x?q=%2F HTTP/1.1\r\nHost: app.example.com\r\n{claims}\r\n".encode())
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")
    (heard,) = wire.heard
    assert (heard.target, heard.header("host")) == (b"/api/x?q=%2F", "app.example.com")
    assert heard.header("x-forwarded-for") == "127.0.0.1"
    assert (heard.header("upgrade"), heard.header("connection")) == (None, None)


def test_nginx_hands_a_web_socket_through(behind: tuple[int, Wire]) -> None:
    port, wire = behind
    with socket.create_connection(("127.0.0.1", port), SECONDS) as connection:
        connection.sendall(
            b"GET /api/x HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n\r\n"
        )
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")
    assert (wire.heard[0].header("upgrade"), wire.heard[0].header("connection")) == ("websocket", "upgrade")


def test_nginx_keeps_nothing_of_a_stream_back(behind: tuple[int, Wire]) -> None:
    port, wire = behind
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    wire.script = lambda _: Reply(head + b"8\r\ndata: 1\n\r\n", waits=True)
    with socket.create_connection(("127.0.0.1", port), SECONDS) as connection:
        connection.sendall(b"GET /auth/events HTTP/1.1\r\nHost: a\r\n\r\n")
        received = b""
        while b"data: 1\n" not in received:
            chunk = connection.recv(65536)
            assert chunk, received
            received += chunk
        assert not wire.left.is_set(), "the answer goes on"
    assert wire.left.wait(SECONDS)
