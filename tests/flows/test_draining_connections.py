"""A gateway that ends, seen from single connections: whatever was sent is answered."""

from __future__ import annotations

import asyncio
import socket
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import gateway.accepting
import gateway.http_draining
from gateway.accepting import ConnectionCounts
from gateway.app import Gateway
from gateway.listener import Listener, Share, bind
from gateway.serving import serve
from gateway.settings import load_settings
from tests.flows.test_operators_drain import ENVIRONMENT
from tests.support.wire import SOON

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import pytest
    from starlette.types import Receive, Scope, Send

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
SECONDS = 10


@dataclass
class Ending:
    """A server that is about to end; the path /held waits before the head, /halfway after it."""

    port: int = 0
    ending: asyncio.Event = field(default_factory=asyncio.Event)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    released: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Task[None] | None = None
    callers: list[Caller] = field(default_factory=list)

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        if scope["path"] == "/held":
            self.arrived.set()
            await self.released.wait()
        headers = [(b"content-length", b"4")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        if scope["path"] == "/halfway":
            await send({"type": "http.response.body", "body": b"do", "more_body": True})
            self.arrived.set()
            await self.released.wait()
            await send({"type": "http.response.body", "body": b"ne"})
        else:
            await send({"type": "http.response.body", "body": b"done"})

    async def connect(self) -> Caller:
        caller = Caller(*await asyncio.open_connection("127.0.0.1", self.port))
        self.callers.append(caller)
        return caller

    async def begin_to_end(self) -> None:
        """Ask it to end, and wait until it takes no new connection."""
        self.ending.set()
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
            except ConnectionRefusedError:
                break
            await asyncio.sleep(0.005)
        for _ in range(20):  # those that were let in last are made known first, then all are told
            await asyncio.sleep(0)


@dataclass
class Caller:
    """One connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def ask(self, path: str = "/") -> str:
        self.writer.write(GET.replace(b"/ ", f"{path} ".encode(), 1))
        return await self.answer()

    async def answer(self) -> str:
        async with asyncio.timeout(SECONDS):
            head = await self.reader.readuntil(b"\r\n\r\n")
            return (head + await self.reader.readexactly(4)).decode().lower()

    async def closed(self) -> bool:
        async with asyncio.timeout(SECONDS):
            return await self.reader.read() == b""


@asynccontextmanager
async def running(folder: Path, share: Share | None = None) -> AsyncIterator[Ending]:
    server = Ending()
    gateway_ = Gateway(load_settings(ENVIRONMENT, folder))
    ready = asyncio.Event()
    with bind("127.0.0.1", 0, setting="PORT") as listening:
        server.port = listening.getsockname()[1]
        listeners = [Listener(server, listening, share)]
        server.over = asyncio.create_task(
            serve(gateway_, listeners, on_ready=ready.set, ending=server.ending, drain_seconds=5)
        )
        await ready.wait()
        try:
            yield server
        finally:
            server.ending.set()
            server.released.set()
            await server.over
            for caller in server.callers:
                caller.writer.close()
                await caller.writer.wait_closed()


def says_goodbye(answer: str) -> bool:
    return answer.startswith("http/1.1 200 ") and "\r\nconnection: close\r\n" in answer


async def test_a_kept_connection_may_send_once_more(tmp_path: Path) -> None:
    async with running(tmp_path) as server:
        caller = await server.connect()
        assert not says_goodbye(await caller.ask())
        await server.begin_to_end()
        assert says_goodbye(await caller.ask())
        assert await caller.closed()


async def test_a_connection_that_has_not_sent_yet_may_send_once(tmp_path: Path) -> None:
    async with running(tmp_path) as server:
        caller = await server.connect()
        await server.begin_to_end()
        assert says_goodbye(await caller.ask())
        assert await caller.closed()


async def test_a_head_that_is_half_sent_may_be_finished(tmp_path: Path) -> None:
    async with running(tmp_path) as server:
        caller = await server.connect()
        caller.writer.write(GET[:10])
        await server.begin_to_end()
        await asyncio.sleep(gateway.http_draining.LINGER_SECONDS + 0.1)
        caller.writer.write(GET[10:])
        assert says_goodbye(await caller.answer())


async def test_a_call_in_flight_is_the_last_of_its_connection(tmp_path: Path) -> None:
    async with running(tmp_path) as server:
        caller = await server.connect()
        call = asyncio.create_task(caller.ask("/held"))
        await server.arrived.wait()
        await server.begin_to_end()
        server.released.set()
        assert says_goodbye(await call)  # RFC 9112 §9.6
        assert await caller.closed()


async def test_who_was_promised_to_go_on_may_send_once_more(tmp_path: Path) -> None:
    async with running(tmp_path) as server:
        caller = await server.connect()
        call = asyncio.create_task(caller.ask("/halfway"))
        await server.arrived.wait()
        await server.begin_to_end()
        server.released.set()
        assert not says_goodbye(await call), "the head was sent before"
        assert says_goodbye(await caller.ask())
        assert await caller.closed()


async def test_silent_connections_are_closed_and_hold_nobody_up(tmp_path: Path) -> None:
    async with running(tmp_path) as server:
        callers = [await server.connect() for _ in range(3)]
        await callers[0].ask()
        begun = time.monotonic()
        server.ending.set()
        assert all([await caller.closed() for caller in callers])
        assert server.over is not None
        await server.over
        assert gateway.http_draining.LINGER_SECONDS <= time.monotonic() - begun < SOON


async def test_a_request_that_the_loop_has_not_read_is_no_silence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway.http_draining, "LINGER_SECONDS", 0.3)
    async with running(tmp_path) as server:
        caller = await server.connect()
        await caller.ask()
        quick = socket.create_connection(("127.0.0.1", server.port), SECONDS)
        await asyncio.sleep(0.05)
        server.ending.set()
        await asyncio.sleep(0.15)
        time.sleep(0.4)  # noqa: ASYNC251 - the loop is held up until the silence is over
        quick.sendall(GET)
        time.sleep(0.05)  # noqa: ASYNC251 - the request is there before the loop goes on
        quick.setblocking(False)  # noqa: FBT003 - the socket module's own signature
        received = await asyncio.get_running_loop().sock_recv(quick, 65536)
        assert says_goodbye(received.decode().lower())
        quick.close()


async def test_a_connection_that_nobody_has_accepted_yet_is_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway.accepting, "_YIELD_SECONDS", 60.0)
    counts = ConnectionCounts.create()
    mine, idle = counts.claim(), counts.claim()
    assert mine != idle
    async with running(tmp_path, Share(counts, mine)) as server:
        first = await server.connect()
        assert not says_goodbye(await first.ask())
        waiting = await server.connect()  # left to the idle neighbour
        waiting.writer.write(GET)
        await asyncio.sleep(0.05)
        assert counts.has_most(mine)
        server.ending.set()
        assert (await waiting.answer()).startswith("http/1.1 200 ")
        assert says_goodbye(await first.ask())


async def test_a_neighbour_that_does_not_accept_is_not_waited_for(tmp_path: Path) -> None:
    counts = ConnectionCounts.create()
    mine, stuck = counts.claim(), counts.claim()
    async with running(tmp_path, Share(counts, mine)) as server:
        begun = time.monotonic()
        callers = [await server.connect() for _ in range(40)]
        answers = await asyncio.gather(*(caller.ask() for caller in callers))
        assert len(answers) == 40
        assert time.monotonic() - begun < SOON
        counts.release(stuck)
        assert not counts.has_most(mine)


def test_the_counts_are_shared_by_who_maps_them() -> None:
    counts = ConnectionCounts.create()
    here, there = counts.claim(), counts.claim()
    ConnectionCounts(counts.descriptor).note(there, 3)
    assert (counts.has_most(there), counts.has_most(here)) == (True, False)
    counts.release(here)
    assert not counts.has_most(there), "nobody is left who could go first"
    assert counts.claim() == here
