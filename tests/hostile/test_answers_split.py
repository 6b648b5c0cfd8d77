"""The resource server's answer in pieces: wherever it is cut, the browser gets the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.raw_upstream import OK, in_chunks

if TYPE_CHECKING:
    from tests.hostile.stage import Stage

HEAD = b"HTTP/1.1 200 OK\r\n"
ANSWERS = {
    "length": (HEAD + b"Content-Length: 11\r\nX-Kept: a\r\n\r\nhello world", b"hello world"),
    "no body": (HEAD + b"Content-Length: 0\r\n\r\n", b""),
    "chunked": (
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + in_chunks([b"hello", b" wor", b"ld"]),
        b"hello world",
    ),
    "extensions and trailers": (
        HEAD
        + b"Transfer-Encoding: chunked\r\n\r\n"
        + in_chunks([b"hello ", b"world"], extension=b';a="b;c"', trailers=b"X-Sum: 1\r\nX-More: 2\r\n"),
        b"hello world",
    ),
    "until the end": (HEAD + b"Content-Type: text/plain\r\n\r\nhello world", b"hello world"),
    "after early hints": (
        b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + HEAD + b"Content-Length: 5\r\n\r\nhello",
        b"hello",
    ),
    "no reason": (b"HTTP/1.1 200 \r\nContent-Length: 5\r\n\r\nhello", b"hello"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_byte_by_byte_is_the_same_answer(stage: Stage, name: str) -> None:
    """RFC 9112 §2.2: a message is a sequence of octets, whatever reads they come in."""
    data, body = ANSWERS[name]
    stage.upstream.say(*(data[place : place + 1] for place in range(len(data))))
    answer = stage.call()
    assert (answer.state, answer.status, answer.body) == ("whole", 200, body)
    assert len(stage.upstream.requests) == 1


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_in_two_parts_is_the_same_answer(stage: Stage, name: str) -> None:
    data, body = ANSWERS[name]
    closes = name == "until the end"
    with stage.browser() as browser:
        for place in range(1, len(data)):
            stage.upstream.say(data[:place], data[place:], closes=closes)
            answer = browser.ask(stage.anna.head("GET", "/api/v1/thing"))
            assert (answer.state, answer.status, answer.body) == ("whole", 200, body), place
            assert browser.received == b"", place
    assert len(stage.upstream.requests) == len(data) - 1


def test_a_body_that_comes_with_or_without_its_head_is_the_same(stage: Stage) -> None:
    body = bytes(range(256)) * 400
    head = OK.replace(b"application/json", b"application/octet-stream") + b"Content-Length: %d\r\n\r\n" % len(
        body
    )
    for parts in ([head + body], [head, body], [head + body[:1], body[1:-1], body[-1:]]):
        stage.upstream.say(*parts, closes=False)
        answer = stage.call()
        assert (answer.state, answer.body) == ("whole", body)
