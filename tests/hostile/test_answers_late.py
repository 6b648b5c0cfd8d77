"""Answers that come late, early, in drips, or not at all; connections that die under a call."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.hostile.conftest import SHORT
from tests.hostile.judging import code_of, outcome_of
from tests.support.raw_upstream import OK, PLAIN
from tests.support.wire import SOON, until

if TYPE_CHECKING:
    from tests.hostile.stage import Stage
    from tests.support.raw_upstream import Connection
    from tests.support.rfc9112 import Request

BEGUN = OK + b"Content-Length: 10\r\n\r\nhello"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"


def pause(seconds: float) -> None:
    """Let time pass that a time-out is measured against."""
    end = time.monotonic() + seconds
    until(lambda: time.monotonic() >= end)


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("begun", [b"", b"HTTP/1.1 200 OK\r\nContent-", b"HTTP/1.1 103 Early Hints\r\n\r\n"])
def test_silence_before_the_head_is_a_504(impatient: Stage, method: str, begun: bytes) -> None:
    def script(connection: Connection, _: Request) -> None:
        connection.send(begun)
        assert connection.wait_for_eof(), "the connection was kept"

    impatient.upstream.script = script
    started = time.monotonic()
    answer = impatient.call(method=method)
    assert (answer.status, code_of(answer)) == (504, "resource_server_timeout")
    assert time.monotonic() - started < SOON
    assert len(impatient.upstream.requests) == 1, "whoever waited long enough is not made to wait again"


@pytest.mark.parametrize("begun", [BEGUN, CHUNKED, OK + b"\r\nhello"])
def test_silence_within_the_body_breaks_it_off(impatient: Stage, begun: bytes) -> None:
    def script(connection: Connection, _: Request) -> None:
        connection.send(begun)
        assert connection.wait_for_eof(), "the connection was kept"

    impatient.upstream.script = script
    answer = impatient.call()
    assert (outcome_of(answer), answer.status) == ("broken", 200)


def test_a_body_in_drips_within_the_limit_passes(impatient: Stage) -> None:
    """The idle limit is for each pause, not for the whole."""

    def script(connection: Connection, _: Request) -> None:
        connection.send(OK + b"Content-Length: 8\r\n\r\n")
        for place in range(8):
            pause(SHORT / 4)
            connection.send(b"%d" % place)

    impatient.upstream.script = script
    answer = impatient.call()
    assert (answer.state, answer.body) == ("whole", b"01234567")


def test_a_head_in_drips_cannot_hold_a_call_for_ever(impatient: Stage) -> None:
    """Byte after byte of a head that does not end: the limit for the first byte is one for the head."""

    def script(connection: Connection, _: Request) -> None:
        connection.send(OK)
        for number in range(200):
            pause(SHORT / 4)
            connection.send(b"X-%d: a\r\n" % number)

    impatient.upstream.script = script
    started = time.monotonic()
    answer = impatient.call(method="POST")
    assert answer.status in {502, 504}, answer
    assert time.monotonic() - started < SOON


def test_interim_answers_cannot_hold_a_call_for_ever(impatient: Stage) -> None:
    """RFC 9110 §15.2: dropped, and not for ever."""

    def script(connection: Connection, _: Request) -> None:
        for _number in range(200):
            pause(SHORT / 4)
            connection.send(b"HTTP/1.1 102 Processing\r\n\r\n")

    impatient.upstream.script = script
    answer = impatient.call(method="POST")
    assert answer.status in {502, 504}, answer


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 20", OK, BEGUN, CHUNKED, OK + b"\r\nhello"])
def test_a_reset_at_any_stage_is_seen(stage: Stage, said: bytes) -> None:
    """RFC 9112 §8; a body that only the connection's end would frame (§6.3) is no whole one either."""

    def script(connection: Connection, _: Request) -> None:
        connection.send(said)
        connection.wait_until_read()
        connection.reset()

    stage.upstream.script = script
    answer = stage.call(method="POST")
    assert outcome_of(answer) in {"broken", "refused"}, answer
    assert len(stage.upstream.requests) == 1


@pytest.mark.parametrize("size", [0, 100, 300_000])
def test_a_request_that_a_reset_meets_is_told(stage: Stage, size: int) -> None:
    """The upstream hangs up on the request's first byte: nobody knows how much of it was performed."""

    def accept(connection: Connection) -> None:
        connection.receive()
        connection.reset()

    stage.upstream.end()
    stage.upstream.accept = accept
    answer = stage.call(method="POST", body=b"x" * size)
    assert (answer.status, code_of(answer)) == (502, "resource_server_broken")
    assert len(stage.upstream.connections) <= 2
    stage.upstream.accept = None


def test_a_get_on_a_connection_closed_when_it_is_used_again_succeeds(stage: Stage) -> None:
    """RFC 9112 §9.3.1: a safe method is sent again on a fresh connection."""
    for _ in range(5):
        stage.upstream.end()
        assert stage.call().status == 200
        # Answers the first request, and closes as soon as the second one has begun to come.
        stage.upstream.say_in_turn(lambda connection, _: connection.reset())
        assert stage.call().status == 200


def test_a_post_on_a_connection_closed_when_it_is_used_again_is_told(stage: Stage) -> None:
    """Its bytes reached the upstream: it may have been performed, so it is not sent a second time."""
    assert stage.call().status == 200
    stage.upstream.say_in_turn(lambda connection, _: connection.close())
    answer = stage.call(method="POST", body=b"abc")
    assert (answer.status, code_of(answer)) == (502, "resource_server_broken")
    assert [request.method for request in stage.upstream.requests] == ["GET", "POST"]


def test_a_post_finds_a_fresh_connection_where_idle_ones_were_closed_before(stage: Stage) -> None:
    """The end of an idle connection was there to see before the request was written."""
    for _ in range(5):
        assert stage.call().status == 200
        stage.upstream.end()
        assert stage.call(method="POST", body=b"abc").status == 200
    assert len(stage.upstream.requests) == 10


@pytest.mark.parametrize("how", ["length", "chunked"])
def test_an_early_answer_passes_while_the_body_still_goes_up(stage: Stage, how: str) -> None:
    """RFC 9112 §9.5: 413 with close, long before the body's end."""

    def accept(connection: Connection) -> None:
        while b"\r\n\r\n" not in connection.received:
            connection.received += connection.receive()
        connection.send(b"HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 5\r\n\r\nlarge")
        connection.sock.shutdown(1)
        assert connection.wait_for_eof(), "the upload went on for an answered request"
        connection.close()

    stage.upstream.end()
    stage.upstream.accept = accept
    fields = {"Content-Length": "5000000"} if how == "length" else {"Transfer-Encoding": "chunked"}
    piece = b"x" * 200_000 if how == "length" else b"30d40\r\n" + b"x" * 200_000 + b"\r\n"
    with stage.browser() as browser:
        browser.send(stage.anna.head("POST", "/api/v1/files", fields) + piece)
        answer = browser.answer("POST")
        assert (answer.state, answer.status, answer.body) == ("whole", 413, b"large")
    stage.upstream.accept = None


def test_an_answer_that_comes_while_an_idle_browser_uploads_is_not_lost(stage: Stage) -> None:
    """The upstream answers and closes at once: what it said is passed on, even if writing to it failed."""

    def script(connection: Connection, _: Request) -> None:
        connection.send(PLAIN)

    def accept(connection: Connection) -> None:
        while b"\r\n\r\n" not in connection.received:
            connection.received += connection.receive()
        connection.send(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno")
        connection.wait_until_read()
        connection.close()

    stage.upstream.end()
    stage.upstream.accept, stage.upstream.script = accept, script
    with stage.browser() as browser:
        browser.send(stage.anna.head("POST", "/api/v1/files", {"Content-Length": "5000000"}) + b"x" * 100_000)
        until(lambda: any(not each.is_open for each in stage.upstream.connections))
        browser.send(b"x" * 100_000)
        answer = browser.answer("POST")
        assert (answer.status, answer.body) == (403, b"no")
    stage.upstream.accept = None


@pytest.mark.parametrize("begun", [BEGUN, CHUNKED])
def test_a_browser_of_http_1_0_sees_a_broken_answer_too(stage: Stage, begun: bytes) -> None:
    """RFC 9112 §8: where only the connection's end frames the body, an orderly one would make it whole."""
    stage.upstream.say(begun)
    with stage.browser() as browser:
        answer = browser.ask(stage.anna.head("GET", "/api/v1/thing", version="1.0"))
        assert answer.status == 200 or outcome_of(answer) == "refused"
        assert outcome_of(answer) in {"broken", "refused"}
