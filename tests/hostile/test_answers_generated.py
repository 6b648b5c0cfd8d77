"""Generated answers: framing, body, pieces and mutations, each judged by a model of RFC 9112 alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.hostile.conftest import PROFILE
from tests.hostile.judging import assert_is_right, outcome_of
from tests.support.raw_upstream import OK, in_chunks
from tests.support.wire import until

if TYPE_CHECKING:
    from tests.hostile.stage import Stage

STATUSES = (200, 201, 203, 206, 299, 400, 403, 404, 409, 422, 500, 503, 204, 304)
"""Those that are not asked again: 401, 429 and 504 are."""
SPLICES = (
    b"\r",
    b"\n",
    b"\r\n",
    b"\0",
    b" ",
    b"\t",
    b":",
    b"0",
    b";",
    b"-",
    b"\xff",
    b"HTTP/1.1 200 OK\r\n\r\n",
)
BOTH_WAYS = pytest.mark.parametrize("past_asgi", [True, False], ids=["past ASGI", "by ASGI"])
_OPTIONAL = st.sampled_from(
    [b"", b"X-Kept: a\r\n", b"Connection: close\r\n", b'ETag: "1"\r\n', b"X-Empty:\r\n"]
)
_EXTENSIONS = st.sampled_from([b"", b";a", b";a=b", b';a="b\\"c"'])
_TRAILERS = st.sampled_from([b"", b"X-Sum: 1\r\n", b"Set-Cookie: a=b\r\nX: y\r\n"])
_INTERIM = st.sampled_from(
    [b"", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"]
)


@dataclass(frozen=True)
class Said:
    """What the resource server writes, and where it pauses."""

    data: bytes
    cuts: tuple[int, ...]
    method: str

    @property
    def parts(self) -> list[bytes]:
        places = sorted({min(cut, len(self.data)) for cut in self.cuts})
        bounds = zip([0, *places], [*places, len(self.data)], strict=True)
        return [self.data[start:end] for start, end in bounds if end > start]


@dataclass
class Count:
    """How many of the generated answers the lane had, and how many of those it passed on itself."""

    stage: Stage
    goes_past_asgi: bool
    calls: int = 0
    taken: int = 0
    answered: int = 0

    def begin(self) -> None:
        """See to it that the next call can go past ASGI, if it shall."""
        self.stage.warm()
        self.stage.lane.is_open = self.goes_past_asgi

    def end(self) -> None:
        """Count one call."""
        self.calls += 1
        self.taken += self.stage.lane.taken
        self.answered += self.stage.lane.answered

    def assert_most_went_their_way(self) -> None:
        if self.goes_past_asgi:
            assert self.taken >= 0.9 * self.calls, self
        else:
            assert self.taken == 0, self


@st.composite
def answers(draw: st.DrawFn) -> bytes:
    """Draw a correct answer in any framing."""
    status = draw(st.sampled_from(STATUSES))
    pieces = draw(st.lists(st.binary(min_size=1, max_size=80), max_size=4))
    version = draw(st.sampled_from([b"1.1", b"1.1", b"1.0"]))
    head = draw(_INTERIM) + b"HTTP/%b %d %b\r\n" % (
        version,
        status,
        draw(st.sampled_from([b"OK", b"", b"\xe4 b"])),
    )
    head += draw(_OPTIONAL)
    framing = draw(st.sampled_from(["length", "chunked", "close"]))
    if status in {204, 304}:
        return head + b"\r\n"
    if framing == "chunked" and version == b"1.1":
        body = in_chunks(pieces, extension=draw(_EXTENSIONS), trailers=draw(_TRAILERS))
        return head + b"Transfer-Encoding: chunked\r\n\r\n" + body
    if framing == "length":
        head += b"Content-Length: %d\r\n" % sum(map(len, pieces))
    return head + b"\r\n" + b"".join(pieces)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """Draw an answer and spoil it: cut, doubled, spliced, a byte lost or changed."""
    data = draw(answers())
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 6)))
        kind = draw(st.sampled_from(["cut", "splice", "lose", "double", "append", "change"]))
        if kind == "cut":
            data = data[:start]
        elif kind == "splice":
            data = data[:start] + draw(st.sampled_from(SPLICES)) + data[start:]
        elif kind == "lose":
            data = data[:start] + data[end:]
        elif kind == "double":
            data = data[:end] + data[start:]
        elif kind == "append":
            data += draw(st.binary(min_size=1, max_size=20))
        else:
            data = data[:start] + draw(st.binary(min_size=end - start, max_size=end - start)) + data[end:]
    return data


def said(data: st.SearchStrategy[bytes]) -> st.SearchStrategy[Said]:
    cuts = st.lists(st.integers(1, 400), max_size=4).map(tuple)
    return st.builds(Said, data, cuts, st.sampled_from(["GET", "GET", "HEAD", "POST"]))


@BOTH_WAYS
def test_a_right_answer_arrives_as_it_was_said(stage: Stage, *, past_asgi: bool) -> None:
    @PROFILE
    @given(said=said(answers()))
    def check(said: Said) -> None:
        count.begin()
        stage.upstream.say(*said.parts)
        got = stage.call(method=said.method)
        assert outcome_of(got) == "whole"
        assert_is_right(got, said.data, method=said.method)
        count.end()

    count = Count(stage, goes_past_asgi=past_asgi)
    check()
    count.assert_most_went_their_way()
    assert count.answered >= count.taken / 4, "most were handed over to ASGI"


@BOTH_WAYS
def test_a_spoilt_answer_is_repaired_refused_or_broken(stage: Stage, *, past_asgi: bool) -> None:
    """Never another body than was said, never a whole one where it was not, never a second answer."""

    @PROFILE
    @given(said=said(mutated()))
    @example(said=Said(OK + b"Content-Length: 5\r\n\r\nhello" + OK + b"\r\n", (), "GET"))
    @example(said=Said(OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", (), "GET"))
    def check(said: Said) -> None:
        count.begin()
        stage.upstream.say(*said.parts)
        with stage.browser() as browser:
            got = browser.ask(stage.anna.head(said.method, "/api/v1/thing"), said.method)
            assert_is_right(got, said.data, method=said.method)
            count.end()
            if got.is_whole:
                until(lambda: not stage.upstream.busy())
                stage.settle()
                stage.upstream.say(OK + b"Content-Length: 3\r\n\r\nown")
                assert browser.ask(stage.jonas.head("GET", "/api/v1/next")).body == b"own"

    count = Count(stage, goes_past_asgi=past_asgi)
    check()
    count.assert_most_went_their_way()


@BOTH_WAYS
def test_what_is_left_of_a_spoilt_answer_reaches_nobody(stage: Stage, *, past_asgi: bool) -> None:
    """The upstream keeps the connection open; whoever comes next gets their own answer."""

    @PROFILE
    @given(data=mutated(), cut=st.integers(0, 400))
    def check(data: bytes, cut: int) -> None:
        count.begin()
        stage.upstream.say_in_turn(lambda connection, _: connection.send_last(data[:cut], data[cut:]))
        stage.call(method="POST")
        count.end()
        until(lambda: not stage.upstream.busy())
        stage.upstream.say(OK + b"Content-Length: 3\r\n\r\nown", closes=False)
        assert stage.call(method="POST").body == b"own"

    count = Count(stage, goes_past_asgi=past_asgi)
    check()
    count.assert_most_went_their_way()
