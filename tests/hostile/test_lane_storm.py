"""Many calls of many sessions through few connections, some left, some broken: each gets its own answer."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

import gateway.proxy.pool
from tests.hostile.judging import code_of
from tests.hostile.places import assert_places
from tests.hostile.stage import own_answer, running_stage
from tests.hostile.test_leaving import leave
from tests.support.raw_upstream import OK, in_chunks
from tests.support.tcp import ESTABLISHED, open_sockets
from tests.support.wire import SECONDS, SOON, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.hostile.stage import Stage
    from tests.support.raw_upstream import Connection
    from tests.support.rfc9112 import Request

CONNECTIONS = 3
PEOPLE = ("anna", "jonas", "anna", "jonas", "anna", "jonas")
WORKERS = 14
CALLS = 20
WAYS = ("whole", "whole", "whole", "split", "chunked", "large", "slow", "last", "refused", "hangup")
LEAVES = 0.2


@pytest.fixture(scope="module")
def _crowded_stage() -> Iterator[Stage]:
    with running_stage({"LEXGATE_SESSION_CONCURRENCY": "2"}, people=PEOPLE) as stage:
        yield stage


@pytest.fixture
def crowded(_crowded_stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """Give a stage of six sessions, each with two places, and three connections to the upstream."""
    monkeypatch.setattr(gateway.proxy.pool, "MAX_CONNECTIONS", CONNECTIONS)
    _crowded_stage.reset()
    yield _crowded_stage
    _crowded_stage.assert_nothing_is_left()
    for person in _crowded_stage.people:
        assert_places(_crowded_stage, person)
    _crowded_stage.assert_nothing_is_left()


@dataclass
class Crowd:
    """What became of the calls, and how many connections there were at once."""

    stage: Stage
    outcomes: Counter[str] = field(default_factory=Counter)
    most: int = 0
    once: set[bytes] = field(default_factory=set)

    def script(self, connection: Connection, request: Request) -> None:
        """Answer in the way that the path names; what is refused or hung up on, only the first time."""
        port = self.stage.upstream.port
        opened = [
            each for each in open_sockets(port) if each.remote_port == port and each.state == ESTABLISHED
        ]
        self.most = max(self.most, len(opened))
        way = request.target.rpartition(b"/")[2].decode()
        if way in {"refused", "hangup"} and request.target not in self.once:
            self.once.add(request.target)
            if way == "refused":
                connection.send(b"HTTP/1.1 504 No\r\nContent-Length: 0\r\n\r\n")
            else:
                connection.close()
            return
        body = own_answer(request)
        if way == "large":
            body = body.ljust(40_000)
        head = OK + (b"Connection: close\r\n" if way == "last" else b"")
        if way == "chunked":
            connection.send(head + b"Transfer-Encoding: chunked\r\n\r\n", in_chunks([body[:9], body[9:]]))
            return
        if way == "slow":
            threading.Event().wait(0.02)
        said = head + b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
        connection.send(*((said[:-20], said[-20:]) if way == "split" else (said,)))
        if way == "last":
            connection.close()

    def work(self, worker: int) -> Counter[str]:
        """Call one after another, on one connection as long as it lasts, and leave now and then."""
        dice = random.Random(worker)  # noqa: S311 - the same storm each time
        person = self.stage.people[worker % len(PEOPLE)]
        outcomes: Counter[str] = Counter()
        left = CALLS
        while left:
            with self.stage.browser() as browser:
                while left:
                    left -= 1
                    way = dice.choice(WAYS)
                    target = f"/{worker}-{left}/{way}"
                    browser.send(person.head("GET", "/api/v1" + target))
                    if dice.random() < LEAVES:
                        threading.Event().wait(dice.random() / 100)
                        leave(browser, dice.choice(["close", "reset"]))
                        outcomes["left"] += 1
                        break
                    answer = browser.answer()
                    outcomes[f"{answer.status}{code_of(answer)}"] += 1
                    assert answer.is_whole, answer
                    if answer.status == 200:
                        assert answer.body.split()[1].decode() == "/v1" + target
                        self.callers.setdefault(person.cookie, set()).add(answer.body.split()[0])
        return outcomes

    callers: dict[str, set[bytes]] = field(default_factory=dict)
    """Whose token each session's answers were made for."""


def remember(stage: Stage) -> None:
    """Have every session remembered, and a connection to the upstream kept."""
    with stage.browser() as browser:
        for person in stage.people:
            assert browser.ask(person.head("GET", "/api/v1/warm")).status == 200
    stage.upstream.requests.clear()
    stage.lane.reset()


def test_everybody_gets_their_own_answer_in_a_storm(crowded: Stage) -> None:
    crowd = Crowd(crowded)
    crowded.upstream.script = crowd.script
    with ThreadPoolExecutor(WORKERS) as threads:
        for outcomes in threads.map(crowd.work, range(WORKERS)):
            crowd.outcomes += outcomes
    told = crowd.outcomes
    assert told["200"] + told["left"] == WORKERS * CALLS, told
    assert crowd.most <= CONNECTIONS
    assert crowded.lane.taken > WORKERS * CALLS / 4
    owners = [caller for callers in crowd.callers.values() for caller in callers]
    assert len(owners) == len(set(owners)) == len(PEOPLE), "an answer was made with somebody else's token"


def test_calls_that_wait_survive_the_end_of_all_connections(crowded: Stage) -> None:
    """The upstream restarts while the pool is used up: who waited is served by new connections."""
    crowded.warm()
    crowded.upstream.end()
    stopped = threading.Event()

    def held(connection: Connection, _: Request) -> None:
        assert stopped.wait(SECONDS)
        connection.reset()

    crowded.upstream.script = held
    crowd = Crowd(crowded)
    browsers = [crowded.browser() for _ in range(2 * len(PEOPLE))]
    try:
        for number, browser in enumerate(browsers):
            browser.__enter__()
            browser.send(crowded.people[number % len(PEOPLE)].head("GET", f"/api/v1/{number}/whole"))
            browser.wait_until_read()
        until(lambda: len(crowded.upstream.requests) == CONNECTIONS)
        for browser in browsers[4:7]:
            leave(browser, "reset")
        crowded.upstream.script = crowd.script
        stopped.set()
        for number, browser in enumerate(browsers):
            if number not in range(4, 7):
                answer = browser.answer()
                assert (answer.status, answer.body.split()[1]) == (200, b"/v1/%d/whole" % number)
    finally:
        for browser in browsers:
            browser.sock.close()
    assert crowd.most <= CONNECTIONS


def test_the_place_of_a_connection_is_not_lost_with_who_leaves_at_that_moment(
    crowded: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The event loop sees the connection's end and the browser's leaving in one turn: the next has it."""
    crowded.upstream.end()
    monkeypatch.setattr(gateway.proxy.pool, "MAX_CONNECTIONS", 1)
    remember(crowded)
    ending = threading.Event()

    def held(connection: Connection, _: Request) -> None:
        assert ending.wait(SECONDS)
        connection.close()

    crowd, stopped, blocked = Crowd(crowded), threading.Event(), threading.Event()
    crowded.upstream.script = held
    with crowded.browser() as first, crowded.browser() as second, crowded.browser() as third:
        for number, browser in enumerate((first, second, third)):
            browser.send(crowded.people[number].head("POST", f"/api/v1/{number}/whole"))
            browser.wait_until_read()
        until(lambda: len(crowded.upstream.requests) == 1)
        until(lambda: crowded.lane.taken == 3)
        crowded.upstream.script = crowd.script

        def block() -> None:
            blocked.set()
            stopped.wait(SECONDS)

        crowded.running.loop.call_soon_threadsafe(block)
        assert blocked.wait(SECONDS)
        ending.set()
        until(lambda: not any(each.is_open for each in crowded.upstream.connections))
        leave(second, "reset")
        started = time.monotonic()
        stopped.set()
        assert third.answer().body.split()[1] == b"/v1/2/whole"
        assert time.monotonic() - started < SOON, "it waited until nobody else wanted the place"
        assert first.answer().status == 502
    monkeypatch.setattr(gateway.proxy.pool, "MAX_CONNECTIONS", CONNECTIONS)
