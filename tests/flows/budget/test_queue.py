"""Calls wait their turn: round the sessions, the urgent first, as long as they would, and no longer."""

from __future__ import annotations

import json
import socket
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.flows.budget.paced import Paced, paced, queue_milliseconds, signed_in
from tests.support.running import RunningClock, running_gateway
from tests.support.wire import Reply, until

if TYPE_CHECKING:
    from tests.support.browser import Browser


def test_turns_go_round_the_sessions_and_in_each_to_the_urgent_first() -> None:
    """RFC 9218 §4.1: what is on the screen has the lower number."""
    with paced(2) as slow, signed_in(slow.running) as anna, signed_in(slow.running, "jonas") as jonas:
        slow.spend_burst(anna)
        wanted = [
            (anna, "/api/a/prefetch", "u=5"),
            (anna, "/api/a/rest", "i"),
            (anna, "/api/a/screen", "u=1, i"),
            (jonas, "/api/c/rest", "u=9"),
            (jonas, "/api/c/screen", "u=0"),
        ]
        calls = [slow.begin(browser, path, Priority=priority) for browser, path, priority in wanted]
        assert [call.result().status_code for call in calls] == [200] * 5
    assert slow.heard() == ["/a/screen", "/c/screen", "/a/rest", "/c/rest", "/a/prefetch"]


def test_the_wait_is_told_in_the_answer_and_counted(slow: Paced) -> None:
    with signed_in(slow.running) as browser:
        first = browser.fetch("/api/a")
        second = browser.fetch("/api/b")
    assert queue_milliseconds(first) < 100
    assert 150 < queue_milliseconds(second) < 1000
    assert first.headers["server-timing"].startswith("gateway;dur=")
    assert slow.metric("lexgate_budget_queue_seconds_count") == 2
    assert slow.metric("lexgate_budget_queue_seconds_sum") > 0.15
    assert slow.metric("lexgate_budget_waiting") == 0


def test_a_call_without_patience_is_served_if_it_need_not_wait(slow: Paced) -> None:
    """RFC 7240 §4.3: wait=0 is no time at all."""
    with signed_in(slow.running) as browser:
        assert browser.fetch("/api/a", headers={"Prefer": "wait=0"}).status_code == 200


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_call_that_cannot_be_served_in_time_is_refused_at_once(method: str) -> None:
    """RFC 6585 §4; RFC 9457 §3.1.1: the type is that of the draft of the RateLimit fields."""
    with paced(0.25) as slow, signed_in(slow.running) as browser:
        slow.spend_burst(browser)
        started = time.monotonic()
        refused = browser.fetch("/api/b", method, headers={"Prefer": "wait=2"})
        assert time.monotonic() - started < 2
        heard = slow.heard()
    assert refused.status_code == 429
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.headers["cache-control"] == "no-store"
    assert refused.headers["ratelimit-policy"] == '"default";q=1;w=4'
    seconds = int(refused.headers["retry-after"])
    assert seconds in {2, 3}  # its turn comes in 4.1 s less what has passed: 2 more than it would wait
    assert refused.headers["ratelimit"] == f'"default";r=0;t={seconds}'
    assert queue_milliseconds(refused) < 500
    document = refused.json()
    assert document.pop("instance") == f"urn:request:{refused.headers['x-request-id']}"
    assert document == {
        "type": "https://iana.org/assignments/http-problem-types#quota-exceeded",
        "title": "Too many calls are waiting for the API",
        "status": 429,
        "code": "budget_exhausted",
        "retry_after": seconds,
        "violated-policies": ["default"],
    }
    assert heard == []


def test_a_call_that_was_overtaken_is_refused_when_its_patience_is_over() -> None:
    with paced(2) as slow, signed_in(slow.running) as browser:
        slow.spend_burst(browser)
        overtaken = slow.begin(browser, "/api/late", Priority="u=7", Prefer="wait=1")
        urgent = [slow.begin(browser, f"/api/{number}", Priority="u=0") for number in range(4)]
        refused = overtaken.result()
        assert [call.result().status_code for call in urgent] == [200] * 4
    assert (refused.status_code, refused.json()["code"]) == (429, "budget_exhausted")
    assert queue_milliseconds(refused) < 1500
    assert "/late" not in slow.heard()


def test_a_session_with_one_call_is_not_refused_for_another_ones_many(slow: Paced) -> None:
    with signed_in(slow.running) as anna, signed_in(slow.running, "jonas") as jonas:
        slow.spend_burst(anna)
        many = [
            slow.begin(anna, f"/api/{number}", waits=number < 2, Prefer="wait=25") for number in range(30)
        ]
        answer = jonas.fetch("/api/one", headers={"Prefer": "wait=1"})
        assert answer.status_code == 200
        assert queue_milliseconds(answer) < 1500  # behind all of the other's it would be six seconds
        slow.running.call(slow.running.gateway._budget.close())  # type: ignore[union-attr] # noqa: SLF001 - not to wait for the rest
        assert {call.result().status_code for call in many} == {200, 503}


def call_by_hand(browser: Browser, url: str, path: str) -> socket.socket:
    """Send a call on a connection of its own."""
    cookie = "; ".join(
        f"{name}={cookie.value}" for name, cookie in browser.cookies[urlsplit(url).netloc].items()
    )
    connection = socket.create_connection(("127.0.0.1", urlsplit(url).port or 80), timeout=10)
    host = urlsplit(url).netloc
    fields = f"Host: {host}\r\nCookie: {cookie}\r\nSec-Fetch-Site: same-origin\r\n"
    connection.sendall(f"GET {path} HTTP/1.1\r\n{fields}\r\n".encode())
    return connection


def test_a_caller_that_leaves_frees_its_place() -> None:
    with paced(2) as slow, signed_in(slow.running) as browser:
        slow.spend_burst(browser)
        leaving = [call_by_hand(browser, slow.running.public_url, f"/api/left/{n}") for n in range(6)]
        until(lambda: slow.metric("lexgate_budget_waiting") == 6)
        staying = slow.begin(browser, "/api/stays")
        for connection in leaving:
            connection.close()
        until(lambda: slow.metric("lexgate_budget_waiting") <= 1)
        answer = staying.result()
        assert answer.status_code == 200
        assert queue_milliseconds(answer) < 1500  # behind six others it would be 3.6 seconds
        assert slow.heard() == ["/stays"]


def test_a_session_that_ends_while_its_call_waits_is_not_served() -> None:
    with paced(1) as slow, signed_in(slow.running) as browser:
        slow.spend_burst(browser)
        waiting = [slow.begin(browser, f"/api/{number}", "POST") for number in range(3)]
        assert browser.fetch("/auth/logout", "POST").status_code == 200
        answers = [call.result() for call in waiting]
    assert answers[-1].status_code == 401
    assert answers[-1].json()["code"] == "session_required"
    assert len(slow.heard()) < 3


def test_a_route_without_a_budget_waits_for_nothing() -> None:
    routes = json.dumps([{"prefix": "/api/free", "budget": False}])
    with paced(0.1, LEXGATE_ROUTES=routes) as slow, signed_in(slow.running) as browser:
        slow.spend_burst(browser)
        for _ in range(3):
            answer = browser.fetch("/api/free/call")
            assert answer.status_code == 200
            assert "queue" not in answer.headers["server-timing"]
        assert browser.fetch("/api/call", headers={"Prefer": "wait=1"}).status_code == 429


def test_each_connection_has_a_budget_of_its_own_unless_all_have_one() -> None:
    for key, second in (("connection", 200), ("client", 429)):
        with (
            paced(0.1, LEXGATE_BUDGET_KEY=key) as slow,
            signed_in(slow.running) as anna,
            signed_in(slow.running, "jonas") as jonas,
        ):
            assert anna.fetch("/api/a").status_code == 200
            assert anna.fetch("/api/b", headers={"Prefer": "wait=1"}).status_code == 429
            assert jonas.fetch("/api/a", headers={"Prefer": "wait=1"}).status_code == second


def test_writes_and_reads_keep_to_a_burst() -> None:
    with paced(10, 3) as quick, signed_in(quick.running) as browser:
        answers = [browser.fetch(f"/api/{number}", "POST" if number % 2 else "GET") for number in range(3)]
        assert all(queue_milliseconds(answer) < 80 for answer in answers)
        assert queue_milliseconds(browser.fetch("/api/3", "DELETE")) > 20


def test_the_profile_that_is_read_at_sign_in_counts_though_it_does_not_wait() -> None:
    settings = {"LEXGATE_BUDGET_RATE": "0.1", "LEXGATE_BUDGET_BURST": "2"}
    at_once = {"Prefer": "wait=0", "Cache-Control": "no-store"}
    with (
        running_gateway("lexware", settings=settings, clock=RunningClock()) as running,
        signed_in(running) as browser,
    ):
        answers = [browser.fetch("/api/v1/countries", headers=at_once).status_code for _ in range(2)]
    assert answers == [200, 429]


def test_a_call_takes_a_place_of_its_session_after_its_turn_and_gives_it_back() -> None:
    with paced(50, 8, LEXGATE_SESSION_CONCURRENCY="1") as quick, signed_in(quick.running) as browser:
        quick.answers[:] = [Reply(waits=True)]
        hanging = call_by_hand(browser, quick.running.public_url, "/api/hangs")
        until(lambda: len(quick.wire.heard) == 1)
        busy = browser.fetch("/api/b", headers={"Prefer": "wait=1"})
        assert (busy.status_code, busy.json()["code"]) == (429, "session_busy")
        hanging.close()
        assert quick.wire.left.wait(5)
        for number in range(3):
            assert browser.fetch(f"/api/{number}").status_code == 200
    assert quick.heard() == ["/hangs", "/0", "/1", "/2"]
