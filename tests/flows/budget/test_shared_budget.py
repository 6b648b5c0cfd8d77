"""One budget for all who share a store: replicas keep to it together, and its outage is told."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.contract.redis_servers import RedisServer, free_port
from tests.flows.budget.paced import fetch_all, most_at_once, paced, signed_in
from tests.support.browser import Browser
from tests.support.running import RunningClock, running_gateway, running_replica
from tests.support.wire import Heard, Reply, reply, running_wire, until

if TYPE_CHECKING:
    from pathlib import Path

REPLICAS = 3
RATE = 20


def test_the_sandboxs_own_limit_is_never_met() -> None:
    limits = {"rate": 10.0, "burst": 4}  # two more, for cores that are late
    settings = {"LEXGATE_BUDGET_RATE": "10"}
    with (
        running_gateway(
            "lexware", settings=settings, sandbox_options=limits, clock=RunningClock()
        ) as running,
        signed_in(running) as browser,
        ThreadPoolExecutor(24) as threads,
    ):
        time_began = time.monotonic()
        calls = [partial(browser.fetch, f"/api/v1/contacts?page=0&size={size}") for size in range(1, 25)]
        answers = fetch_all(threads, calls)
        took = time.monotonic() - time_began
        refused = running.sandbox.counters.api_answers["429"]
    assert [answer.status_code for answer in answers] == [200] * 24
    assert refused == 0
    assert 2.0 < took < 3.2  # 22 calls at ten a second, and a margin


@pytest.mark.parametrize("kind", ["sqlite", "redis"])
def test_replicas_keep_to_one_budget_and_use_it(kind: str, tmp_path: Path) -> None:
    times: list[float] = []

    def note(_: Heard) -> Reply:
        times.append(time.monotonic())
        return reply()

    with ExitStack() as stack:
        store = f"sqlite:///{tmp_path / 'sessions.sqlite'}"
        if kind == "redis":
            server = RedisServer(tmp_path, free_port())
            stack.callback(server.stop)
            store = server.url
        wire = stack.enter_context(running_wire())
        wire.script = note
        settings = {"LEXGATE_API_URL": wire.url, "LEXGATE_BUDGET_RATE": str(RATE)}
        first = stack.enter_context(
            running_gateway("openid", settings=settings, store=store, clock=RunningClock())
        )
        gateways = [first, *(stack.enter_context(running_replica(first)) for _ in range(REPLICAS - 1))]
        browsers = [stack.enter_context(Browser(gateway.public_url, via=gateway.url)) for gateway in gateways]
        browsers[0].sign_in()
        for browser in browsers[1:]:
            browser.cookies = {host: dict(jar) for host, jar in browsers[0].cookies.items()}
        threads = stack.enter_context(ThreadPoolExecutor(60))
        calls = [partial(browsers[number % REPLICAS].fetch, f"/api/{number}") for number in range(60)]
        answers = fetch_all(threads, calls)
    assert [answer.status_code for answer in answers] == [200] * 60
    assert most_at_once(times, rate=RATE) < 2 + 0.5 * RATE  # the burst, and what a busy machine is late by
    # One replica after the other would take three times as long; that no
    # turn is lost is shown by a clock that only the test moves: tests/unit/proxy/test_waiting_lines.py.
    assert times[-1] - times[0] < 2 * 58 / RATE


def test_a_store_that_is_away_is_told_and_nobody_is_signed_out(tmp_path: Path) -> None:
    server = RedisServer(tmp_path, free_port())
    try:
        with paced(2, LEXGATE_STORE=server.url) as slow, signed_in(slow.running) as browser:
            slow.spend_burst(browser)
            waiting = [slow.begin(browser, f"/api/{number}") for number in range(3)]
            server.stop()
            answers = [call.result() for call in waiting]
            assert {answer.status_code for answer in answers[1:]} == {503}
            assert {answer.json()["code"] for answer in answers[1:]} == {"store_unavailable"}
            assert all(int(answer.headers["retry-after"]) >= 1 for answer in answers[1:])
            assert not any("set-cookie" in answer.headers for answer in answers)
            until(lambda: slow.metric("lexgate_budget_waiting") == 0)
            server.start()
    finally:
        server.stop()
