"""Several requests in one write, and requests that ask before they send."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.hostile.judging import code_of
from tests.support.raw_upstream import OK

if TYPE_CHECKING:
    from tests.hostile.stage import Stage
    from tests.support.raw_upstream import Connection
    from tests.support.rfc9112 import Request

EXPECTING = {"Content-Length": "5", "Expect": "100-continue"}


def echo(connection: Connection, request: Request) -> None:
    """Answer with the target, and a digest of who asked."""
    caller = (request.header("authorization") or b"")[-12:].hex().encode()
    body = request.target + b" " + caller + b" " + request.body
    connection.send(OK + b"Content-Length: %d\r\n\r\n%b" % (len(body), body))


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_ten_pipelined_calls_of_two_people_are_answered_in_order(stage: Stage, method: str) -> None:
    """RFC 9112 §9.3.2: each with its own session's token, each with its own answer."""
    stage.upstream.script = echo
    pipelined = b""
    for number in range(10):
        body = b"body-%d" % number if method == "POST" else b""
        fields = {"Content-Length": str(len(body))} if body else {}
        pipelined += stage.people[number % 2].head(method, f"/api/v1/{number}", fields) + body
    with stage.browser() as browser:
        browser.send(pipelined)
        answers = [browser.answer(method).body.split(b" ") for _ in range(10)]
    assert [answer[0] for answer in answers] == [b"/v1/%d" % number for number in range(10)]
    assert len({answer[1] for answer in answers[::2]}) == 1
    assert len({answer[1] for answer in answers}) == 2
    if method == "POST":
        assert [answer[2] for answer in answers] == [b"body-%d" % number for number in range(10)]


def test_a_pipelined_call_without_a_session_does_not_inherit_one(stage: Stage) -> None:
    stage.upstream.script = echo
    nobody = b"GET /api/v1/nobody HTTP/1.1\r\nHost: x\r\nSec-Fetch-Site: same-origin\r\n\r\n"
    with stage.browser() as browser:
        browser.send(stage.anna.head("GET", "/api/v1/1") + nobody + stage.jonas.head("GET", "/api/v1/2"))
        assert [browser.answer().status for _ in range(3)] == [200, 401, 200]
    assert [request.target for request in stage.upstream.requests] == [b"/v1/1", b"/v1/2"]


def test_a_broken_answer_ends_what_was_pipelined_behind_it(stage: Stage) -> None:
    """Nothing can be told apart behind half an answer."""
    stage.upstream.say_in_turn(
        lambda connection, _: connection.send_last(OK + b"Content-Length: 10\r\n\r\nhalf"), echo, echo
    )
    with stage.browser() as browser:
        browser.send(stage.anna.head("GET", "/api/v1/1") + stage.jonas.head("GET", "/api/v1/2"))
        assert browser.answer().state == "cut"
        assert b"/v1/2" not in browser.rest()


def test_an_expecting_browser_is_told_to_go_on(stage: Stage) -> None:
    """RFC 9110 §10.1.1."""
    with stage.browser() as browser:
        browser.send(stage.anna.head("POST", "/api/v1/thing", EXPECTING))
        browser.receive_until(b"\r\n\r\n")
        assert browser.received.startswith(b"HTTP/1.1 100 ")
        answer = browser.ask(b"hello", "POST")
        assert (answer.status, answer.interim) == (200, (100,))
    (request,) = stage.upstream.requests
    assert (request.body, request.header("expect")) == (b"hello", None)


def test_an_expecting_browser_need_not_wait(stage: Stage) -> None:
    with stage.browser() as browser:
        answer = browser.ask(stage.anna.head("POST", "/api/v1/thing", EXPECTING) + b"hello", "POST")
        assert answer.status == 200
        assert browser.ask(stage.jonas.head("GET", "/api/v1/next")).status == 200
    assert [request.body for request in stage.upstream.requests] == [b"hello", b""]


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"Content-Length": "999999999"}, 413, "body_too_large"),
        ({"X-CSRF": "0"}, 403, "csrf_header_missing"),
        ({"Cookie": "a=b"}, 401, "session_required"),
    ],
)
def test_an_upload_is_refused_before_it_is_sent(
    stage: Stage, fields: dict[str, str], status: int, code: str
) -> None:
    """No 100 first: the body that was announced never travels, and is not taken for a request."""
    with stage.browser() as browser:
        answer = browser.ask(stage.anna.head("POST", "/api/v1/files", EXPECTING | fields), "POST")
        assert (answer.status, code_of(answer), answer.interim) == (status, code, ())
    assert stage.upstream.requests == []


def test_the_upstreams_own_100_is_not_taken_for_an_answer(stage: Stage) -> None:
    stage.upstream.say(
        b"HTTP/1.1 100 Continue\r\n\r\n" * 3, OK + b"Content-Length: 3\r\n\r\nown", closes=False
    )
    answer = stage.call(method="POST", fields=EXPECTING, body=b"hello")
    assert (answer.status, answer.body) == (200, b"own")
