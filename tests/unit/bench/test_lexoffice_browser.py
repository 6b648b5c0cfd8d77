"""The simulated browser queues, keeps connections and asks again as a browser does."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

import pytest

from bench.lexoffice.browser import CONNECTIONS, Browser
from bench.lexoffice.dashboard import DASHBOARD
from bench.lexoffice.page import AskOnce, Backoff, Page
from bench.lexoffice.wire import Broken

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ROWS = json.dumps({"content": [{"id": "a"}, {"id": "b"}]}).encode()


@dataclass
class Server:
    """Answers from a script of statuses, 200 when it is used up; notes what it saw."""

    port: int = 0
    statuses: deque[int] = field(default_factory=deque)
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0
    held: asyncio.Event = field(default_factory=asyncio.Event)
    busy: asyncio.Event = field(default_factory=asyncio.Event)
    """Set as soon as all connections of a browser have a request."""
    ended: set[asyncio.Event] = field(default_factory=set)
    says_so: bool = False
    """Whether each answer says that it is the connection's last one."""
    closes: bool = False
    """Whether it closes a connection after an answer, without saying so."""
    breaks: bool = False
    """Whether it closes a connection within an answer."""

    cut: bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{"
    """What is left of an answer that breaks off."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        ended = asyncio.Event()
        self.ended.add(ended)
        try:
            while request := await reader.readuntil(b"\r\n\r\n"):
                self.requests.append(request)
                if len(self.requests) == CONNECTIONS:
                    self.busy.set()
                await self.held.wait()
                writer.write(self.answer(request))
                if self.closes or self.breaks:
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            ended.set()

    def answer(self, request: bytes) -> bytes:
        if self.breaks:
            return self.cut
        if b"If-None-Match" in request:
            return b'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\n\r\n'
        status = self.statuses.popleft() if self.statuses else 200
        last = "Connection: close\r\n" if self.says_so else ""
        head = f'HTTP/1.1 {status} Any\r\nETag: "x"\r\n{last}Content-Length: {len(ROWS)}\r\n\r\n'
        return head.encode() + ROWS


@asynccontextmanager
async def serving(server: Server) -> AsyncIterator[Browser]:
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    browser = Browser([server.port], {"Host": "localhost"})
    try:
        yield browser
    finally:
        browser.close()
        listening.close()
        for ended in server.ended:
            await ended.wait()


async def test_a_browser_has_six_connections_for_all_its_tabs() -> None:
    server = Server()
    async with serving(server) as browser:
        calls = [asyncio.create_task(browser.fetch(f"/{number}")) for number in range(2 * CONNECTIONS)]
        await server.busy.wait()
        assert server.connections == CONNECTIONS
        server.held.set()
        assert {(await call).status for call in calls} == {200}
        assert server.connections == CONNECTIONS


async def test_calls_get_a_connection_in_the_order_in_which_they_were_made() -> None:
    server = Server()
    server.held.set()
    async with serving(server) as browser:
        browser.connections = 1
        browser.__post_init__()
        await asyncio.gather(*(browser.fetch(f"/{number}") for number in range(9)))
    assert [request.split()[1] for request in server.requests] == [b"/%d" % number for number in range(9)]


async def test_what_has_an_etag_is_asked_for_again_and_not_sent_again() -> None:
    server = Server()
    server.held.set()
    async with serving(server) as browser:
        first, second = await browser.fetch("/one"), await browser.fetch("/one")
    assert (first.status, first.body, first.sent_bytes) == (200, ROWS, len(ROWS))
    assert (second.status, second.body, second.sent_bytes) == (200, ROWS, 0)
    assert b'If-None-Match: "x"' in server.requests[1]


async def test_a_connection_that_was_closed_while_idle_is_replaced() -> None:
    server = Server(closes=True)
    server.held.set()
    async with serving(server) as browser:
        statuses = [(await browser.fetch(f"/{number}")).status for number in range(3)]
    assert statuses == [200, 200, 200]
    assert server.connections == 3


async def test_a_connection_whose_answer_is_its_last_one_is_not_used_again() -> None:
    server = Server(says_so=True)
    server.held.set()
    async with serving(server) as browser:
        statuses = [(await browser.fetch(f"/{number}")).status for number in range(3)]
    assert (statuses, server.connections) == ([200, 200, 200], 3)


async def test_a_stream_of_events_takes_one_of_the_connections() -> None:
    server = Server()
    server.held.set()
    async with serving(server) as browser:
        await browser.hold("/auth/events")
        await asyncio.gather(*(browser.fetch(f"/{number}") for number in range(9)))
    assert b"Accept: text/event-stream" in server.requests[0]
    assert server.connections == CONNECTIONS


@pytest.mark.parametrize("breaks", [False, True], ids=["refused", "broken"])
async def test_without_its_stream_of_events_a_browser_is_not_measured(*, breaks: bool) -> None:
    server = Server(statuses=deque([503]), breaks=breaks, cut=b"HTTP/1.1 200")
    server.held.set()
    async with serving(server) as browser:
        with pytest.raises(Broken if breaks else RuntimeError):
            await browser.hold("/auth/events")


async def test_an_answer_that_breaks_off_is_no_answer_and_is_not_asked_for_again() -> None:
    server = Server(breaks=True)
    server.held.set()
    async with serving(server) as browser:
        with pytest.raises(Broken):
            await browser.fetch("/one")
    assert len(server.requests) == 1


async def test_a_page_asks_for_what_its_lists_name_and_tells_how_urgent_and_patient_it_is() -> None:
    server = Server()
    server.held.set()
    async with serving(server) as browser:
        seen = await Page(browser, AskOnce()).load()
    assert len(seen) == len(DASHBOARD)
    assert all(one.is_there for one in seen)
    paths = {request.split()[1] for request in server.requests}
    assert {b"/api/v1/invoices/a", b"/api/v1/payments/a", b"/api/v1/payments/b"} < paths
    assert all(b"Prefer: wait=25\r\n" in request for request in server.requests)
    assert all(b"Priority: u=" in request for request in server.requests)


async def test_a_page_behind_lexgate_asks_once_and_counts_a_refusal() -> None:
    server = Server(statuses=deque([429]))
    server.held.set()
    async with serving(server) as browser:
        seen = await Page(browser, AskOnce()).load()
    assert sum(one.refusals for one in seen) == 1
    assert sum(not one.is_there for one in seen) == 1


async def test_a_list_that_does_not_come_leaves_its_followers_without_an_id() -> None:
    server = Server(statuses=deque([503] * len(DASHBOARD)))
    server.held.set()
    async with serving(server) as browser:
        seen = await Page(browser, AskOnce()).load()
    assert not any(one.is_there for one in seen)
    assert len(seen) == len(DASHBOARD)


async def test_a_page_whose_server_is_gone_has_nothing() -> None:
    server = Server()
    async with serving(server) as browser:
        pass
    seen = await Page(browser, AskOnce()).load()
    assert {one.fetched.status for one in seen} == {0}


async def test_the_retrying_client_asks_until_it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.lexoffice.page.BASE_SECONDS", 0.0)
    server = Server(statuses=deque([429, 429, 429]))
    server.held.set()
    async with serving(server) as browser:
        client = Backoff(Random(1))  # noqa: S311 - waits, no secrets
        fetched, refusals = await client(browser, DASHBOARD[0], "/one")
    assert (fetched.status, refusals) == (200, 3)
