"""The API refuses in spite of the budget: nothing was performed, the call goes again, and all slow down."""

from __future__ import annotations

import time

import pytest

from tests.flows.budget.paced import Paced, paced, queue_milliseconds, signed_in
from tests.support.wire import SOON, Reply, reply, until

EXCEEDED = reply(429, b'{"message": "Rate limit exceeded"}')
THROTTLED = reply(500, b'{"message": "The Rate Limit of this account was exceeded"}')
DEFECT = reply(500, b'{"message": "An unexpected error occurred"}')


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_a_429_goes_back_to_the_head_of_its_queue_whatever_its_method(slow: Paced, method: str) -> None:
    """RFC 6585 §4: it was refused before it was performed."""
    with signed_in(slow.running) as browser:
        slow.spend_burst(browser)
        slow.answers[:] = [EXCEEDED]
        first = slow.begin(browser, "/api/first", method, Priority="u=6")
        until(lambda: len(slow.wire.heard) == 1 or first.done())
        others = [slow.begin(browser, f"/api/{n}", Priority="u=0") for n in range(2)]
        assert first.result().status_code == 200
        assert [call.result().status_code for call in others] == [200, 200]
    assert slow.heard()[:2] == ["/first", "/first"]
    assert slow.metric('lexgate_rate_limited_total{cause="resource_server"}') == 1


def test_after_a_429_all_calls_come_at_half_the_rate_and_then_faster_again(slow: Paced) -> None:
    with signed_in(slow.running) as anna, signed_in(slow.running, "jonas") as jonas:
        slow.spend_burst(anna)
        slow.answers[:] = [EXCEEDED]
        anna.fetch("/api/first")
        for number in range(3):
            assert jonas.fetch(f"/api/{number}").status_code == 200
        gaps = [after - before for before, after in zip(slow.times[1:-1], slow.times[2:], strict=True)]
        assert min(gaps) > 0.35, gaps  # 0.4 s in place of 0.2
        slow.running.clock.advance(60)  # a tenth in ten seconds
        for number in range(3):
            assert jonas.fetch(f"/api/again/{number}").status_code == 200
        gaps = [after - before for before, after in zip(slow.times[-3:-1], slow.times[-2:], strict=True)]
        assert 0.15 < min(gaps) < 0.38, gaps


def test_a_429_that_does_not_end_is_passed_on_when_the_patience_is_over(slow: Paced) -> None:
    with signed_in(slow.running) as browser:
        slow.spend_burst(browser)
        slow.answers[:] = [EXCEEDED] * 50
        started = time.monotonic()
        answer = browser.fetch("/api/a", headers={"Prefer": "wait=2"})
        assert time.monotonic() - started < 2 + SOON
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) >= 1
    assert 2 <= len(slow.wire.heard) <= 4


def test_a_429_is_the_callers_who_would_not_wait(slow: Paced) -> None:
    with signed_in(slow.running) as browser:
        until(lambda: slow.metric("lexgate_budget_waiting") == 0)
        slow.answers[:] = [EXCEEDED]
        answer = browser.fetch("/api/a", headers={"Prefer": "wait=0"})
    assert (answer.status_code, answer.json()) == (429, {"message": "Rate limit exceeded"})
    assert int(answer.headers["retry-after"]) >= 1


def test_the_apis_own_word_on_when_to_come_again_is_heeded(slow: Paced) -> None:
    with signed_in(slow.running) as browser:
        slow.answers[:] = [reply(429, b"{}", "Retry-After: 1")]
        answer = browser.fetch("/api/a")
        assert answer.status_code == 200
        assert queue_milliseconds(answer) >= 1000
        slow.answers[:] = [reply(429, b"{}", "Retry-After: 30")]
        answer = browser.fetch("/api/b")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "30")


def test_a_500_that_speaks_of_the_rate_limit_is_sent_again_if_the_method_is_safe(slow: Paced) -> None:
    """RFC 9110 §9.2.1: nobody knows whether a write was performed."""
    with signed_in(slow.running) as browser:
        slow.answers[:] = [THROTTLED]
        assert browser.fetch("/api/a").status_code == 200
        assert slow.heard() == ["/a", "/a"]
        slow.answers[:] = [THROTTLED]
        answer = browser.fetch("/api/b", "POST")
        assert (answer.status_code, answer.json()["message"]) == (
            500,
            "The Rate Limit of this account was exceeded",
        )
        slow.answers[:] = [DEFECT]
        answer = browser.fetch("/api/c")
        assert (answer.status_code, answer.json()["message"]) == (500, "An unexpected error occurred")
    assert slow.heard() == ["/a", "/a", "/b", "/c"]
    assert slow.metric('lexgate_rate_limited_total{cause="resource_server"}') == 1


def test_a_500_that_comes_in_pieces_or_is_large_passes_whole(slow: Paced) -> None:
    large = b'{"message": "' + b"x" * 100_000 + b' rate limit"}'
    with signed_in(slow.running) as browser:
        slow.answers[:] = [reply(500, large)]
        answer = browser.fetch("/api/a")
        assert (answer.status_code, len(answer.content)) == (500, len(large))
        chunked = b"HTTP/1.1 500 Said\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        chunked += b'8\r\n{"rate l\r\n6\r\nimit"}\r\n0\r\n\r\n'
        slow.answers[:] = [Reply(chunked)]
        assert browser.fetch("/api/b").status_code == 200
    assert slow.heard() == ["/a", "/b", "/b"]


@pytest.mark.parametrize("trouble", [reply(504), Reply(closes=True)])
def test_every_sending_takes_a_turn(slow: Paced, trouble: Reply) -> None:
    with signed_in(slow.running) as browser:
        slow.answers[:] = [trouble]
        answer = browser.fetch("/api/a")
        assert answer.status_code == 200
        assert queue_milliseconds(answer) > 150
        assert slow.metric("lexgate_budget_queue_seconds_count") == 2
        slow.answers[:] = [trouble]
        told = browser.fetch("/api/b", "POST")
    assert told.status_code in {502, 504}
    assert slow.heard() == ["/a", "/a", "/b"]


def test_a_lost_write_may_have_been_performed_and_is_told_so(slow: Paced) -> None:
    with signed_in(slow.running) as browser:
        slow.answers[:] = [Reply(closes=True)]
        told = browser.fetch("/api/b", "POST")
    assert told.json()["detail"] == "The call may have been performed."


def test_a_repetition_after_a_401_takes_a_turn() -> None:
    with paced(5) as slow, signed_in(slow.running) as browser:
        slow.running.clock.advance(11)  # younger tokens are not blamed for a 401
        slow.answers[:] = [reply(401)]
        answer = browser.fetch("/api/a")
        assert answer.status_code == 200
        assert queue_milliseconds(answer) > 150
        assert [heard.target for heard in slow.wire.heard] == [b"/a", b"/a"]
