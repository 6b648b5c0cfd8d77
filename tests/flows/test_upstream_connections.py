"""Connections to a resource server: how they come about, are kept, waited for and given up."""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

import gateway.proxy.pool
import gateway.proxy.upstream
from gateway.errors import ResourceServerBroken, ResourceServerUnreachable, UpstreamFull
from gateway.proxy.route import Route
from gateway.proxy.upstream import Upstream
from tests.support.browser import Browser
from tests.support.certificate import write_certificate
from tests.support.running import running_gateway
from tests.support.wire import running_wire

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from gateway.proxy.pool import Pool

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
HEAD = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"


class _Server:
    """A resource server that answers each request with the next of its answers, the last one for ever."""

    def __init__(self, *answers: bytes) -> None:
        self.answers = list(answers or [OK])
        self.connections = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                await self.gate.wait()
                writer.write(self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def running_server(
    server: _Server, *, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
) -> AsyncIterator[_Server]:
    listening = await asyncio.start_server(server.serve, host, 0, ssl=tls)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()


@asynccontextmanager
async def running_pool(route: Route) -> AsyncIterator[Pool]:
    upstream = Upstream()
    try:
        yield upstream.pool(route)
    finally:
        await upstream.close()


async def ask(pool: Pool, *, method: str = "GET", seconds: float = 5.0) -> bytes:
    answer = await pool.send(HEAD, method=method, body=None, connect_seconds=seconds)
    try:
        body = b""
        while piece := await answer.read():
            body += piece
        return body
    finally:
        answer.release()


@pytest.fixture(autouse=True)
def _small_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway.proxy.pool, "MAX_CONNECTIONS", 2)
    monkeypatch.setattr(gateway.proxy.pool, "MAX_WAITING", 3)


async def test_one_connection_serves_calls_one_after_another() -> None:
    async with running_server(_Server()) as server, running_pool(route_to(server)) as pool:
        assert [await ask(pool) for _ in range(5)] == [b"ok"] * 5
        assert server.connections == 1


def route_to(server: _Server, host: str = "127.0.0.1", **more: str) -> Route:
    scheme = "https" if more else "http"
    return Route("/api", f"{scheme}://{host}:{server.port}", **more)  # type: ignore[arg-type] # ca_file alone


async def test_a_name_with_two_addresses_is_reached_though_one_refuses() -> None:
    """RFC 8305 §5: attempts are raced, so that a dead address delays no call."""
    async with running_server(_Server()) as server, running_pool(route_to(server, "localhost")) as pool:
        assert await ask(pool) == b"ok"  # of ::1 and 127.0.0.1 one listens


async def test_a_certificate_is_checked_against_the_routes_own_authority(tmp_path: Path) -> None:
    files = write_certificate(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(files.certificate, files.key)
    async with running_server(_Server(), tls=tls) as server:
        async with running_pool(route_to(server, ca_file=str(files.certificate))) as pool:
            assert await ask(pool) == b"ok"
            assert await ask(pool) == b"ok"
            assert server.connections == 1
        stranger = Route("/api", f"https://127.0.0.1:{server.port}")
        async with running_pool(stranger) as pool:
            with pytest.raises(ResourceServerUnreachable) as refusal:
                await ask(pool)
            assert "CERTIFICATE_VERIFY_FAILED" in refusal.value.log_detail


async def test_a_certificate_for_another_name_is_no_connection(tmp_path: Path) -> None:
    files = write_certificate(tmp_path, "127.0.0.2")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(files.certificate, files.key)
    async with (
        running_server(_Server(), tls=tls) as server,
        running_pool(route_to(server, ca_file=str(files.certificate))) as pool,
    ):
        with pytest.raises(ResourceServerUnreachable):
            await ask(pool)


async def test_a_server_that_speaks_no_tls_is_no_connection(tmp_path: Path) -> None:
    files = write_certificate(tmp_path)
    async with (
        running_server(_Server(b"garbage\r\n\r\n")) as server,
        running_pool(route_to(server, ca_file=str(files.certificate))) as pool,
    ):
        with pytest.raises(ResourceServerUnreachable):
            await ask(pool, seconds=2)


async def test_nobody_listening_is_told_at_once() -> None:
    async with running_server(_Server()) as server:
        route = route_to(server)
    async with running_pool(route) as pool:
        with pytest.raises(ResourceServerUnreachable):
            await ask(pool)


async def test_calls_wait_for_each_other_in_their_order_and_no_further_connection_is_opened() -> None:
    async with running_server(_Server()) as server, running_pool(route_to(server)) as pool:
        server.gate.clear()
        calls = [asyncio.create_task(ask(pool)) for _ in range(5)]
        await until(lambda: pool.waiting == 3)
        with pytest.raises(UpstreamFull) as refusal:
            await ask(pool)
        assert refusal.value.log_detail == "too many calls wait"
        server.gate.set()
        assert await asyncio.gather(*calls) == [b"ok"] * 5
        assert server.connections == 2


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - the server and the pool tell nobody
            await asyncio.sleep(0.001)


async def test_who_waits_too_long_is_told_and_takes_nothing_along() -> None:
    async with running_server(_Server()) as server, running_pool(route_to(server)) as pool:
        server.gate.clear()
        calls = [asyncio.create_task(ask(pool)) for _ in range(2)]
        waiting = asyncio.create_task(ask(pool, seconds=0.05))
        leaving = asyncio.create_task(ask(pool))
        await until(lambda: pool.waiting == 2)
        leaving.cancel()
        with pytest.raises(UpstreamFull):
            await waiting
        server.gate.set()
        assert await asyncio.gather(*calls) == [b"ok"] * 2
        assert [await ask(pool) for _ in range(3)] == [b"ok"] * 3
        assert server.connections == 2


async def test_a_connection_that_breaks_makes_room_for_another() -> None:
    async with running_server(_Server(b"HTTP/1.1 2", OK)) as server, running_pool(route_to(server)) as pool:
        broken = asyncio.create_task(ask(pool))
        await asyncio.sleep(0)
        server.gate.clear()
        held = asyncio.create_task(ask(pool))
        await until(lambda: server.connections == 2)
        waiting = asyncio.create_task(ask(pool))
        await until(lambda: pool.waiting == 1)
        broken.cancel()  # it closes its connection, whose place is free then
        await until(lambda: server.connections == 3)
        server.gate.set()
        assert list(await asyncio.gather(held, waiting)) == [b"ok"] * 2


@pytest.mark.parametrize(("number", "passes"), [(0, True), (16, True), (17, False)])
async def test_interim_answers_are_dropped_up_to_a_bound(number: int, *, passes: bool) -> None:
    """RFC 9110 §15.2: a client that did not ask for one may drop it."""
    interim = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * number
    async with running_server(_Server(interim + OK)) as server, running_pool(route_to(server)) as pool:
        if passes:
            assert await ask(pool) == b"ok"
            return
        with pytest.raises(ResourceServerBroken):
            await ask(pool)


async def test_connections_that_nobody_uses_are_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway.proxy.upstream, "IDLE_SECONDS", 0.05)
    async with running_server(_Server()) as server, running_pool(route_to(server)) as pool:
        assert await ask(pool) == b"ok"
        await until(lambda: pool.open == 0)
        assert await ask(pool) == b"ok"
        assert server.connections == 2


def test_an_upload_may_take_longer_than_the_first_byte_of_its_answer() -> None:
    """The limit for the answer begins when the request is whole: a slow line is no slow API."""

    def slowly() -> Iterator[bytes]:
        for _ in range(8):
            threading.Event().wait(0.1)  # slower altogether than the limit below
            yield b"x" * 20_000

    with running_wire() as wire:
        route = {"prefix": "/api", "destination": wire.url, "token": "user", "timeouts": {"first_byte": 0.3}}
        settings = {"LEXGATE_API_URL": wire.url, "LEXGATE_ROUTES": json.dumps([route])}
        with running_gateway("openid", settings=settings) as running, Browser(running.public_url) as browser:
            browser.sign_in()
            assert browser.fetch("/api/v1/files", "POST", content=slowly()).status_code == 200
            assert len(wire.heard[-1].body) == 160_000
