"""Pipelined calls, some of which go past ASGI and some not: each its own answer, in order."""

from __future__ import annotations

import itertools
import threading
from typing import TYPE_CHECKING

import pytest

from tests.hostile.judging import code_of
from tests.hostile.stage import answer_own
from tests.support.raw_upstream import OK, in_chunks
from tests.support.wire import SECONDS, until

if TYPE_CHECKING:
    from tests.hostile.stage import Stage
    from tests.support.raw_upstream import Connection
    from tests.support.rfc9112 import Request

KINDS = ("plain", "write", "large", "refused", "page", "late")


def build(stage: Stage, kind: str, number: int) -> bytes:
    """Build a request that takes this way."""
    person = stage.people[number % 2]
    path = f"/api/v1/{kind}-{number}"
    if kind == "write":
        body = b"written-%d" % number
        return person.head("POST", path, {"Content-Length": str(len(body))}) + body
    if kind == "refused":
        return person.head("GET", path, {"Sec-Fetch-Site": "cross-site"})
    return person.head("GET", "/auth/session" if kind == "page" else path)


def script(connection: Connection, request: Request) -> None:
    """Answer as the kind wants it."""
    if b"/large-" in request.target:
        connection.send(OK + b"Content-Length: 300000\r\n\r\n" + request.target.ljust(300_000))
    elif b"/late-" in request.target:
        connection.send(OK + b"Transfer-Encoding: chunked\r\n\r\n", in_chunks([request.target]))
    else:
        answer_own(connection, request)


@pytest.mark.parametrize("kinds", list(itertools.permutations(KINDS, 2)), ids="-".join)
def test_pipelined_calls_of_every_kind_are_answered_in_order(tight: Stage, kinds: tuple[str, ...]) -> None:
    """RFC 9112 §9.3.2: in one write, between two plain calls."""
    tight.warm()
    tight.upstream.script = script
    sequence = ("plain", *kinds, "plain")
    with tight.browser() as browser:
        browser.send(b"".join(build(tight, kind, number) for number, kind in enumerate(sequence)))
        for number, kind in enumerate(sequence):
            answer = browser.answer("POST" if kind == "write" else "GET")
            if kind == "refused":
                assert (answer.status, code_of(answer)) == (403, "cross_site_refused")
            elif kind == "page":
                assert (answer.status, tight.people[number % 2].name in answer.body.decode()) == (200, True)
            else:
                assert answer.status == 200
                assert b"/v1/%b-%d" % (kind.encode(), number) in answer.body
            if kind == "write":
                assert answer.body.endswith(b" written-%d" % number)
    assert tight.lane.taken >= 1
    tokens = {
        (int(request.target.rpartition(b"-")[2]) % 2, request.header("authorization"))
        for request in tight.upstream.requests
    }
    assert len(tokens) == len({person for person, _ in tokens}), "a call went out with somebody else's token"


def test_what_is_pipelined_behind_a_plain_call_is_not_sent_before_its_answer(tight: Stage) -> None:
    """Nor is it sent at all for a browser that leaves meanwhile."""
    tight.warm()
    released = threading.Event()

    def held(connection: Connection, request: Request) -> None:
        assert released.wait(SECONDS)
        answer_own(connection, request)

    tight.upstream.script = held
    with tight.browser() as browser:
        browser.send(tight.anna.head("GET", "/api/v1/1") + tight.anna.head("GET", "/api/v1/2"))
        browser.wait_until_read()
        until(lambda: len(tight.upstream.requests) == 1)
        browser.reset()
    until(lambda: bool(tight.lane.taken))
    released.set()
    until(lambda: not tight.upstream.busy())
    assert [request.target for request in tight.upstream.requests] == [b"/v1/1"]


def test_garbage_behind_a_plain_call_does_not_reach_its_answer(tight: Stage) -> None:
    """RFC 9112 §11.2: the plain call is answered, what follows refused or dropped; the connection ends."""
    for garbage in (b"GARBAGE\r\n\r\n", b"\0" * 40, b"GET / HTTP/9.9\r\n\r\n", b"X" * 70_000):
        tight.warm()
        tight.upstream.script = answer_own
        with tight.browser() as browser:
            browser.send(tight.anna.head("GET", "/api/v1/thing") + garbage)
            received = browser.rest()
        assert received.count(b"HTTP/1.1 ") <= 2
        if received:
            assert received.startswith((b"HTTP/1.1 200 ", b"HTTP/1.1 400 ", b"HTTP/1.1 431 "))
        if received.startswith(b"HTTP/1.1 200 "):
            assert b" /v1/thing " in received


def test_a_plain_call_in_pieces_is_one_call(tight: Stage) -> None:
    head = tight.anna.head("GET", "/api/v1/thing")
    for place in range(1, len(head), 23):
        tight.warm()
        tight.upstream.script = answer_own
        with tight.browser() as browser:
            browser.send(head[:place])
            browser.wait_until_read()
            answer = browser.ask(head[place:])
            assert (answer.status, answer.body.split(b" ")[1]) == (200, b"/v1/thing")
        assert (tight.lane.answered, len(tight.upstream.requests)) == (1, 1)
