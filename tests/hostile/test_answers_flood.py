"""Answers without end where an end is due: a 502 or a broken answer, in bounded time and memory."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.hostile.judging import outcome_of
from tests.support.raw_upstream import OK

if TYPE_CHECKING:
    from tests.hostile.stage import Stage
    from tests.support.raw_upstream import Connection
    from tests.support.rfc9112 import Request

MEGABYTE = b"a" * 1_000_000
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
ENDLESS = {
    "one field": (OK + b"X-Long: ", b"a" * 65_536),
    "one field of a megabyte": (OK + b"X-Long: " + MEGABYTE + b"\r\n\r\n", b"a" * 65_536),
    "one name": (OK, b"a" * 65_536),
    "fields": (OK, b"X-Many: aaaaaaaaaaaaaaaa\r\n" * 2_000),
    "a folded field": (OK + b"X-Folded: a\r\n", b" aaaaaaaaaaaaaaaa\r\n" * 2_000),
    "a status line": (b"HTTP/1.1 200 ", b"a" * 65_536),
    "interim answers": (b"", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 1_000),
    "interim fields": (b"HTTP/1.1 103 Early Hints\r\n", b"X-Many: aaaaaaaaaaaaaaaa\r\n" * 2_000),
    "empty lines": (b"", b"\r\n" * 30_000),
    "garbage": (b"", b"\x00\xff" * 30_000),
}
ENDLESS_BODIES = {
    "a chunk extension": (CHUNKED + b"5;", b"a" * 65_536),
    "a chunk size": (CHUNKED, b"0" * 65_536),
    "trailers": (CHUNKED + b"5\r\nhello\r\n0\r\n", b"X-Many: aaaaaaaaaaaaaaaa\r\n" * 2_000),
    "one trailer": (CHUNKED + b"5\r\nhello\r\n0\r\nX-Long: ", b"a" * 65_536),
}
BOUND = 64
"""How many pieces of 64 KB the gateway may take before it has had enough."""


def pour(stage: Stage, begun: bytes, piece: bytes) -> list[int]:
    """Let the upstream begin so, and then repeat the piece for ever; returns how often it could."""
    poured: list[int] = []

    def script(connection: Connection, _: Request) -> None:
        poured.append(0)
        connection.send(begun)
        try:
            while poured[-1] < 2_000:
                connection.sock.sendall(piece)
                poured[-1] += 1
        except OSError:
            return

    stage.upstream.script = script
    return poured


@pytest.mark.parametrize("name", ENDLESS)
def test_a_head_without_end_is_refused(stage: Stage, name: str) -> None:
    poured = pour(stage, *ENDLESS[name])
    started = time.monotonic()
    answer = stage.call(method="POST")
    assert (outcome_of(answer), answer.status) == ("refused", 502)
    assert time.monotonic() - started < 5
    assert max(poured) < 2 * BOUND, "kept on reading"


@pytest.mark.parametrize("name", ENDLESS_BODIES)
def test_a_body_whose_framing_has_no_end_breaks(stage: Stage, name: str) -> None:
    poured = pour(stage, *ENDLESS_BODIES[name])
    started = time.monotonic()
    answer = stage.call(method="POST")
    assert outcome_of(answer) in {"broken", "refused"}
    assert time.monotonic() - started < 5
    assert max(poured) < 2 * BOUND, "kept on reading"


@pytest.mark.parametrize("count", [100, 1_000])
def test_many_small_fields_pass_or_are_refused_but_never_in_part(stage: Stage, count: int) -> None:
    lines = b"".join(b"X-Many-%d: %d\r\n" % (number, number) for number in range(count))
    stage.upstream.say(OK + lines + b"Content-Length: 2\r\n\r\n{}")
    answer = stage.call(method="POST")
    if outcome_of(answer) == "whole":
        passed = [name for name, _ in answer.headers if name.startswith("x-many-")]
        assert len(passed) == count
    else:
        assert (outcome_of(answer), count) == ("refused", 1_000)


def test_a_field_of_a_megabyte_is_refused(stage: Stage) -> None:
    stage.upstream.say(OK + b"X-Long: " + MEGABYTE + b"\r\nContent-Length: 2\r\n\r\n{}")
    answer = stage.call(method="POST")
    assert (outcome_of(answer), answer.status) == ("refused", 502)


def test_a_body_of_tiny_chunks_passes(stage: Stage) -> None:
    """Each byte a chunk of its own: no more than slow."""
    stage.upstream.say(CHUNKED + b"1\r\na\r\n" * 20_000 + b"0\r\n\r\n")
    answer = stage.call()
    assert (answer.state, answer.body) == ("whole", b"a" * 20_000)
