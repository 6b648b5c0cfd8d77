"""What replicas share through their store: nobody is served what was outdated before he asked."""

from __future__ import annotations

import random
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.contract.redis_servers import RedisServer, free_port
from tests.flows.asking_once.peers import Peers, running_peers
from tests.flows.asking_once.scene import status_of
from tests.support.running import Clock, RunningClock
from tests.support.wire import until

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module", params=["sqlite", "redis"])
def _peers(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peers]:
    folder = tmp_path_factory.mktemp("store")
    with ExitStack() as stack:
        clock = Clock()
        store = f"sqlite://{folder}/sessions.db"
        if request.param == "redis":
            server = RedisServer(folder, free_port())
            stack.callback(server.stop)
            store, clock = f"redis://127.0.0.1:{server.port}", RunningClock()
        yield stack.enter_context(running_peers(store, clock))


@pytest.fixture
def peers(_peers: Peers) -> Peers:
    _peers.reset()
    return _peers


def test_one_replica_finds_what_the_other_fetched(peers: Peers) -> None:
    peers.read(peers.one)
    assert status_of(peers.call(peers.other)) == "hit; detail=peer"
    assert len(peers.upstream.requests) == 1


def test_a_read_beside_the_end_of_a_write_brings_nothing_older_back(peers: Peers) -> None:
    """The write is forgotten here, and not yet in the store: what is there is not to be trusted."""
    peers.read(peers.one)
    with peers.one.browser() as writer:
        with peers.one.holding("before forget_answers"):
            writer.send(peers.head("PUT"))
            peers.one.has_come_to("before forget_answers")
            assert peers.read(peers.one) == peers.written
        assert writer.answer("PUT").status == 200
    assert peers.read(peers.one) == peers.written


def test_a_write_whose_telling_takes_too_long_is_seen_here_at_once(peers: Peers) -> None:
    peers.read(peers.one)
    with peers.one.holding("before forget_answers"):
        assert peers.call(peers.one, "PUT").status == 200
        assert peers.read(peers.one) == peers.written
    until(lambda: peers.read(peers.other) == peers.written)


def test_nobody_joins_a_look_that_began_before_a_write_ended(peers: Peers) -> None:
    peers.read(peers.one)
    peers.one.forget()
    with peers.one.browser() as early, peers.one.browser() as late:
        with peers.one.holding("after claim_answer"):
            early.send(peers.head())
            peers.one.has_come_to("after claim_answer")
            assert peers.call(peers.one, "PUT").status == 200
            late.send(peers.head())
            late.wait_until_read()
        assert early.answer().status == 200
        assert int(late.answer().body) == peers.written


@pytest.mark.parametrize("seconds", [-3600, -20])
def test_a_clock_that_is_set_back_makes_no_answer_younger(peers: Peers, seconds: int) -> None:
    clock = peers.one.running.clock
    peers.read(peers.one)
    clock.advance(seconds)
    try:
        assert status_of(peers.call(peers.other)) == "fwd=uri-miss; stored"
    finally:
        clock.advance(-seconds)


@pytest.mark.parametrize("seed", range(3))
def test_who_leaves_at_any_moment_leaves_nothing_behind(peers: Peers, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - no secret
    for _ in range(40):
        with ExitStack() as stack:
            browsers = [stack.enter_context(each.browser()) for each in (peers.one, peers.other) * 2]
            for browser in browsers:
                browser.send(peers.head("PUT" if chance.random() < 0.2 else "GET"))
            for browser in chance.sample(browsers, 3):
                if chance.random() < 0.5:
                    browser.wait_until_read()
                browser.reset()
    for replica in (peers.one, peers.other):
        until(lambda each=replica: each.left() == 0)  # type: ignore[misc]
        began = time.monotonic()
        peers.call(replica, fields={"Accept": f"text/x{seed}"})
        assert time.monotonic() - began < 4.5, "a claim that nobody holds lasts for five seconds"
        began = time.monotonic()
        peers.call(replica)
        assert time.monotonic() - began < 4.5, "a claim that nobody holds lasts for five seconds"


def test_what_the_other_fetched_must_do_for_each_who_waits_for_it(peers: Peers) -> None:
    """RFC 9111 §5.2.1.3: min-fresh is one caller's own."""
    peers.read(peers.one)
    peers.read(peers.other)  # found once it is kept for all: before that, the claim would lapse by the clock
    peers.other.forget()
    peers.one.running.clock.advance(10)
    with peers.other.browser() as content, peers.other.browser() as strict:
        with peers.other.holding("before claim_answer"):
            content.send(peers.head())
            peers.other.has_come_to("before claim_answer")
            strict.send(peers.head("GET", {"Cache-Control": "min-fresh=295"}))
            until(lambda: peers.other.readers() == 2)
        assert status_of(content.answer()) == "hit; detail=peer"
        assert strict.answer().status == 200
    assert len(peers.upstream.requests) == 2
