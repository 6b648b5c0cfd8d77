"""Plain calls that the lane hands over: 401, 429 and 504 in every rhythm, and connections that break off."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.hostile.judging import code_of, outcome_of
from tests.hostile.stage import answer_own, own_answer
from tests.hostile.test_lane_answers import byte_by_byte, in_one_piece, late_within_the_body
from tests.support.raw_upstream import OK, in_chunks

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.hostile.stage import Stage
    from tests.support.raw_upstream import Connection
    from tests.support.rfc9112 import Answer, Request

    Rhythm = Callable[[Connection, bytes], None]
    Answering = Callable[[Connection, Request], None]

RHYTHMS = (in_one_piece, byte_by_byte, late_within_the_body)
BODY = b'{"message": "no"}'
FRAMED = {
    "length": b"Content-Length: %d\r\n\r\n%b" % (len(BODY), BODY),
    "chunked": b"Transfer-Encoding: chunked\r\n\r\n" + in_chunks([BODY]),
    "last": b"Connection: close\r\nContent-Length: %d\r\n\r\n%b" % (len(BODY), BODY),
}


def refusal(status: int, framing: str) -> bytes:
    return b"HTTP/1.1 %d No\r\nRetry-After: 0\r\n%b" % (status, FRAMED[framing])


def saying(said: bytes, rhythm: Rhythm, *, closes: bool = False) -> Answering:
    def script(connection: Connection, _: Request) -> None:
        rhythm(connection, said)
        if closes:
            connection.close()

    return script


def ask(stage: Stage, *scripts: Answering, method: str = "GET") -> Answer:
    """Ask through the lane, with a token that is old enough to be replaced; `{}` is said at last."""
    for _ in range(3):
        stage.running.clock.advance(11)
        stage.warm()
        stage.upstream.say_in_turn(*scripts)
        with stage.browser() as browser:
            answer = browser.ask(stage.anna.head(method, "/api/v1/thing"), method)
        if stage.lane.taken:
            break  # else the gateway has looked at the store just now, and read the session anew
    assert (stage.lane.taken, stage.lane.answered) == (1, 0)
    return answer


@pytest.mark.parametrize("rhythm", RHYTHMS)
@pytest.mark.parametrize("framing", FRAMED)
@pytest.mark.parametrize("status", [401, 429, 504])
def test_what_is_asked_again_is_answered_once(
    tight: Stage, status: int, framing: str, rhythm: Rhythm
) -> None:
    """With another token after a 401 alone; nothing of the first answer is seen."""
    answer = ask(tight, saying(refusal(status, framing), rhythm, closes=framing == "last"), answer_own)
    first, second = tight.upstream.requests
    assert (answer.status, answer.body) == (200, own_answer(second))
    assert (first.header("authorization") != second.header("authorization")) == (status == 401)


@pytest.mark.parametrize("status", [401, 504])
def test_what_is_refused_twice_is_told(tight: Stage, status: int) -> None:
    said = saying(refusal(status, "length"), in_one_piece)
    answer = ask(tight, said, said)
    assert (outcome_of(answer), answer.status, answer.body) == ("whole", status, BODY)
    assert len(tight.upstream.requests) == 2


@pytest.mark.parametrize("status", [401, 429, 504])
def test_a_write_without_a_body_is_asked_again_only_if_it_was_not_performed(
    tight: Stage, status: int
) -> None:
    """RFC 9110 §9.2.2: behind a 504 it may have been; a 401 and a 429 say that it was not."""
    answer = ask(tight, saying(refusal(status, "length"), in_one_piece), answer_own, method="POST")
    assert answer.status == (504 if status == 504 else 200)
    assert len(tight.upstream.requests) == (1 if status == 504 else 2)


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 20", OK, b"HTTP/1.1 103 Early Hints\r\n\r\n"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_connection_that_ends_before_the_head_is_replaced_for_what_is_safe(
    tight: Stage, method: str, said: bytes
) -> None:
    """RFC 9110 §9.2.2."""
    answer = ask(tight, saying(said, in_one_piece, closes=True), answer_own, method=method)
    if method == "GET":
        assert (answer.status, answer.body) == (200, own_answer(tight.upstream.requests[-1]))
    else:
        assert (answer.status, code_of(answer)) == (502, "resource_server_broken")
    assert len(tight.upstream.requests) == (2 if method == "GET" else 1)


@pytest.mark.parametrize("rhythm", RHYTHMS)
def test_a_refusal_that_breaks_off_is_asked_again_nevertheless(tight: Stage, rhythm: Rhythm) -> None:
    """The head said all that matters, and its connection is not used again."""
    answer = ask(tight, saying(refusal(429, "length")[:-5], rhythm, closes=True), answer_own)
    assert (answer.status, answer.body) == (200, own_answer(tight.upstream.requests[-1]))


@pytest.mark.parametrize("rhythm", RHYTHMS)
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_an_answer_that_breaks_off_looks_broken(tight: Stage, framing: str, rhythm: Rhythm) -> None:
    """RFC 9112 §8."""
    answer = ask(tight, saying((OK + FRAMED[framing])[:-3], rhythm, closes=True), answer_own)
    assert outcome_of(answer) in {"broken", "refused"} or answer.body == own_answer(
        tight.upstream.requests[-1]
    )


@pytest.mark.parametrize("rhythm", RHYTHMS)
def test_the_token_is_taken_out_of_what_the_lane_saw_of_an_error(tight: Stage, rhythm: Rhythm) -> None:
    """A 401 that quotes the token, twice: the second one is told; looked over after the test, too."""

    def script(connection: Connection, request: Request) -> None:
        body = request.header("authorization") or b"nothing"
        rhythm(connection, b"HTTP/1.1 401 No\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))

    answer = ask(tight, script, script)
    assert (answer.state, answer.status) == ("whole", 401)
    for request in tight.upstream.requests:
        assert (request.header("authorization") or b"")[20:] not in answer.body
