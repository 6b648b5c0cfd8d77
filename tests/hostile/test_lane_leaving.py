"""Plain calls, which go past ASGI, whose browser leaves: at each point of the answer, and in the queue."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

import gateway.proxy.upstream
from gateway.proxy.deadlines import TICK_SECONDS
from tests.hostile.stage import answer_own, own_answer
from tests.hostile.test_leaving import leave
from tests.support.raw_upstream import OK
from tests.support.wire import until

if TYPE_CHECKING:
    from tests.hostile.stage import Stage
    from tests.support.raw_upstream import Connection
    from tests.support.rfc9112 import Request

HEAD = OK + b"Content-Length: 20\r\n\r\n"
POINTS = {
    "nothing": b"",
    "half the head": HEAD[:30],
    "the head": HEAD,
    "half the body": HEAD + b"0123456789",
    "all but a byte": HEAD + b"0123456789012345678",
    "half of a 401": HEAD.replace(b"200", b"401") + b"0123456789",
    "half of a 504": HEAD.replace(b"200", b"504") + b"0123456789",
    "half of an answer with another end": OK + b"\r\nbegun",
}


@pytest.mark.parametrize("how", ["close", "reset"])
@pytest.mark.parametrize("waits", [False, True], ids=["gathered", "handed over"])
@pytest.mark.parametrize("name", POINTS)
def test_a_browser_may_leave_a_plain_call_at_each_point(
    tight: Stage, name: str, how: str, *, waits: bool
) -> None:
    """The upstream's connection is freed within a second, whether the lane has the call or ASGI has it."""
    ended: list[float] = []

    def script(connection: Connection, _: Request) -> None:
        connection.send(POINTS[name])
        connection.wait_until_read()
        if waits:
            end = time.monotonic() + 1.5 * TICK_SECONDS
            until(lambda: time.monotonic() >= end)
        begun.set()
        if connection.wait_for_eof():
            ended.append(time.monotonic())

    begun = threading.Event()
    tight.warm()
    tight.upstream.script = script
    with tight.browser() as browser:
        browser.send(tight.anna.head("GET", "/api/v1/thing"))
        assert begun.wait(5)
        tight.upstream.script = answer_own
        left_at = leave(browser, how)
    until(lambda: not tight.upstream.busy())
    # A 401 or a 504 was asked again meanwhile, and the first connection was freed for that.
    assert ended
    assert ended[0] - left_at < 1
    assert tight.lane.taken == 1


def test_a_browser_may_leave_while_a_429_is_waited_for(tight: Stage) -> None:
    tight.warm()
    said = b"HTTP/1.1 429 Slowly\r\nRetry-After: 9\r\nContent-Length: 2\r\n\r\n{}"
    tight.upstream.script = lambda connection, _: connection.sock.sendall(said)
    for how in ("close", "reset"):
        with tight.browser() as browser:
            browser.send(tight.anna.head("GET", "/api/v1/thing"))
            until(lambda: tight.lane.handed_over == 1 and not tight.upstream.busy())
            leave(browser, how)
        tight.lane.reset()
    assert len(tight.upstream.requests) == 2


def test_calls_that_wait_for_a_connection_may_leave(tight: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pool is used up: those behind whoever left get their turn, and those who left are not asked for."""
    tight.upstream.end()
    monkeypatch.setattr(gateway.proxy.pool, "MAX_CONNECTIONS", 1)
    tight.warm()
    released = threading.Event()
    left: list[object] = []
    forget = gateway.proxy.pool.Pool.forget

    def forgetting(pool: gateway.proxy.pool.Pool, waiter: gateway.proxy.pool.Waiter) -> None:
        forget(pool, waiter)
        left.append(waiter)

    monkeypatch.setattr(gateway.proxy.pool.Pool, "forget", forgetting)

    def script(connection: Connection, request: Request) -> None:
        assert released.wait(5)
        answer_own(connection, request)

    tight.upstream.script = script
    with tight.browser() as first, tight.browser() as second, tight.browser() as third:
        first.send(tight.anna.head("GET", "/api/v1/first"))
        until(lambda: len(tight.upstream.requests) == 1)
        second.send(tight.anna.head("GET", "/api/v1/second"))
        until(lambda: tight.lane.taken == 2)
        third.send(tight.jonas.head("GET", "/api/v1/third"))
        third.wait_until_read()
        until(lambda: tight.lane.taken >= 2)
        leave(second, "reset")
        until(lambda: bool(left))  # else the first answer may make room for whoever is about to leave
        released.set()
        assert b"/v1/first" in first.answer().body
        assert third.answer().body == own_answer(tight.upstream.requests[-1])
    assert [request.target for request in tight.upstream.requests] == [b"/v1/first", b"/v1/third"]


def test_who_waits_for_a_connection_gets_the_place_of_one_that_ended(
    tight: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    tight.upstream.end()
    monkeypatch.setattr(gateway.proxy.pool, "MAX_CONNECTIONS", 1)
    tight.warm()
    released = threading.Event()

    def script(connection: Connection, request: Request) -> None:
        assert released.wait(5)
        body = own_answer(request)
        connection.send(OK + b"Connection: close\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
        connection.close()

    tight.upstream.script = script
    with tight.browser() as first, tight.browser() as second, tight.browser() as third:
        browsers = (first, second, third)
        for number, browser in enumerate(browsers):
            person = tight.people[number % 2]
            browser.send(person.head("GET", f"/api/v1/{number}"))
            browser.wait_until_read()
        until(lambda: len(tight.upstream.requests) == 1 and tight.lane.taken >= 2)
        released.set()
        for number, browser in enumerate(browsers):
            answer = browser.answer()
            assert (answer.status, answer.body.split(b" ")[1]) == (200, b"/v1/%d" % number)
    assert len(tight.upstream.requests) == 3


def test_a_browser_that_reads_nothing_is_not_written_to_for_ever(tight: Stage) -> None:
    """Plain calls in sequence, each sent once the one before was answered: what lies unread is bounded."""
    tight.warm()
    large = OK + b"Content-Length: 150000\r\n\r\n" + b"x" * 150_000
    tight.upstream.script = lambda connection, _: connection.sock.sendall(large)
    requests = tight.upstream.requests
    with tight.browser() as browser:
        for number in range(1, 200):
            browser.send(tight.anna.head("GET", "/api/v1/thing"))
            deadline = time.monotonic() + 0.5

            def is_answered(number: int = number, deadline: float = deadline) -> bool:
                is_done = len(requests) == number and not tight.upstream.busy()
                return is_done or time.monotonic() > deadline

            until(is_answered)
            if len(requests) < number:
                break
        assert len(requests) < 100, "all of them were answered, and nobody read"
