"""Plain calls, which go past ASGI: answers in every framing and in every rhythm."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from gateway.proxy.deadlines import TICK_SECONDS
from tests.hostile.judging import assert_is_right, outcome_of
from tests.hostile.stage import answer_own, own_answer
from tests.support.raw_upstream import OK, in_chunks
from tests.support.wire import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.hostile.stage import Stage
    from tests.support.raw_upstream import Connection
    from tests.support.rfc9112 import Request

BODY = b'{"some": "body"}'
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
FRAMINGS = {
    "length": OK + LENGTH + b"\r\n" + BODY,
    "no body": OK + b"Content-Length: 0\r\n\r\n",
    "chunked": CHUNKED + in_chunks([BODY[:5], BODY[5:]]),
    "trailers": CHUNKED + in_chunks([BODY], extension=b";a=b", trailers=b"X-Sum: 1\r\n"),
    "the end": OK + b"\r\n" + BODY,
    "HTTP/1.0": OK.replace(b"1.1", b"1.0") + LENGTH + b"\r\n" + BODY,
    "HTTP/1.0 kept": OK.replace(b"1.1", b"1.0") + b"Connection: keep-alive\r\n" + LENGTH + b"\r\n" + BODY,
    "last": OK + b"Connection: close\r\n" + LENGTH + b"\r\n" + BODY,
    "no content": b"HTTP/1.1 204 No Content\r\n\r\n",
    "not modified": b"HTTP/1.1 304 Not Modified\r\n" + LENGTH + b"\r\n",
    "interim": b"HTTP/1.1 103 Early Hints\r\n\r\n" + OK + LENGTH + b"\r\n" + BODY,
    "error": OK.replace(b"200 OK", b"403 No") + LENGTH + b"\r\n" + BODY,
}
KEPT = frozenset(FRAMINGS) - {"the end", "HTTP/1.0", "HTTP/1.0 kept", "last"}
ENDED = frozenset({"the end"})


def pause() -> None:
    """Let more time pass than the lane waits for the rest of an answer."""
    end = time.monotonic() + 1.6 * TICK_SECONDS
    until(lambda: time.monotonic() >= end)


def in_one_piece(connection: Connection, said: bytes) -> None:
    connection.sock.sendall(said)


def in_two_pieces(connection: Connection, said: bytes) -> None:
    connection.send(said[: len(said) - 4], said[len(said) - 4 :])


def byte_by_byte(connection: Connection, said: bytes) -> None:
    connection.send(*[said[place : place + 1] for place in range(len(said))])


def late_within_the_body(connection: Connection, said: bytes) -> None:
    connection.send(said[: len(said) - 4])
    pause()
    connection.send(said[len(said) - 4 :])


RHYTHMS = (in_one_piece, in_two_pieces, byte_by_byte, late_within_the_body)


def saying(name: str, rhythm: Callable[[Connection, bytes], None]) -> Callable[[Connection, Request], None]:
    """Return a script that says one of the answers in a rhythm."""

    def script(connection: Connection, _: Request) -> None:
        rhythm(connection, FRAMINGS[name])
        if name not in KEPT:
            connection.close()

    return script


@pytest.mark.parametrize("rhythm", RHYTHMS)
@pytest.mark.parametrize("name", FRAMINGS)
def test_a_plain_call_gets_its_answer_in_every_framing_and_rhythm(
    tight: Stage, name: str, rhythm: Callable[[Connection, bytes], None]
) -> None:
    """RFC 9112 §6.3."""
    tight.warm()
    with tight.browser() as browser:
        tight.upstream.script = saying(name, rhythm)
        got = browser.ask(tight.anna.head("GET", "/api/v1/thing"))
        assert outcome_of(got) == "whole"
        assert_is_right(got, FRAMINGS[name], method="GET", ended=name not in KEPT)
        assert tight.lane.taken == 1
        if rhythm is in_one_piece and name not in ENDED:
            assert tight.lane.answered == 1
        assert tight.lane.answered + tight.lane.handed_over == 1
        tight.settle()
        tight.upstream.script = answer_own
        again = browser.ask(tight.jonas.head("GET", "/api/v1/next"))
        assert again.body == own_answer(tight.upstream.requests[-1])


@pytest.mark.parametrize("rhythm", RHYTHMS)
@pytest.mark.parametrize("name", ["length", "chunked", "no body", "error"])
def test_a_plain_head_call_ends_with_the_head(
    tight: Stage, name: str, rhythm: Callable[[Connection, bytes], None]
) -> None:
    """RFC 9112 §6.3: what comes of a body is nobody's."""
    tight.warm()
    with tight.browser() as browser:
        tight.upstream.script = saying(name, rhythm)
        got = browser.ask(tight.anna.head("HEAD", "/api/v1/thing"), "HEAD")
        assert_is_right(got, FRAMINGS[name], method="HEAD")
        until(lambda: not tight.upstream.busy())
        tight.settle()
        tight.upstream.script = answer_own
        again = browser.ask(tight.jonas.head("GET", "/api/v1/next"))
        assert again.body == own_answer(tight.upstream.requests[-1])


@pytest.mark.parametrize("version", ["1.0", "1.1"])
@pytest.mark.parametrize("name", ["length", "chunked", "last", "the end"])
def test_the_last_call_of_a_connection_is_whole_and_ends_it(tight: Stage, name: str, version: str) -> None:
    """RFC 9112 §9.6: by `Connection: close`, or by HTTP/1.0, which does not go through the lane."""
    tight.warm()
    tight.upstream.script = saying(name, in_one_piece)
    with tight.browser() as browser:
        head = tight.anna.head("GET", "/api/v1/thing", {"Connection": "close"}, version=version)
        browser.send(head + tight.jonas.head("GET", "/api/v1/smuggled"))
        got = browser.answer()
        assert_is_right(got, FRAMINGS[name], method="GET", ended=name not in KEPT)
        assert browser.rest() == b""
    assert tight.lane.taken == (version == "1.1")
    assert [request.target for request in tight.upstream.requests] == [b"/v1/thing"]


@pytest.mark.parametrize("is_open", [True, False], ids=["past ASGI", "by ASGI"])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "GET", "HEAD"])
@pytest.mark.parametrize("stated", [{}, {"Content-Length": "0"}], ids=["unstated", "stated"])
def test_a_write_without_a_body_says_so(
    tight: Stage, method: str, stated: dict[str, str], *, is_open: bool
) -> None:
    """RFC 9110 §8.6: many a server answers 411 to a POST without a Content-Length, be it 0."""
    tight.warm()
    tight.lane.is_open = is_open
    assert tight.call(method=method, fields=stated).status == 200
    (request,) = tight.upstream.requests
    expected = b"0" if method in {"POST", "PUT", "PATCH"} else None
    assert (request.header("content-length"), tight.lane.taken) == (expected, int(is_open))
