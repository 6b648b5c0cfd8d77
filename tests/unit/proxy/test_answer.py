"""Head and body of an answer as the browser may see them."""

from __future__ import annotations

import gzip
import zlib
from typing import TYPE_CHECKING, cast

import pytest

from gateway.errors import ResourceServerBroken
from gateway.proxy import answer as answer_file
from gateway.proxy.answer import PassedAnswer
from gateway.proxy.redaction import TokenRedactor
from gateway.proxy.route import Route
from gateway.proxy.upstream_answer import UpstreamAnswer

if TYPE_CHECKING:
    from gateway.proxy.connection import Connection

TOKEN = "the-access-token-0123456789"
JSON = (b"content-type", b"application/json")


def passed(status: int, *headers: tuple[bytes, bytes], method: str = "GET") -> PassedAnswer:
    answer = UpstreamAnswer(cast("Connection", None), method)
    answer.status, answer.headers = status, list(headers)
    return PassedAnswer(answer, TokenRedactor((TOKEN,)), Route("/api", "https://api.example"))


def test_a_clean_body_passes_as_it_is() -> None:
    body = b'{"a": 1}'
    assert passed(200, JSON).take_whole(body) is body


def test_the_token_is_replaced_in_head_and_body_and_the_length_stays() -> None:
    said = b'{"message": "Bearer %s"}' % TOKEN.encode()
    answer = passed(403, JSON, (b"x-echo", TOKEN.encode()), (b"content-length", b"%d" % len(said)))
    assert TOKEN.encode() not in b"".join(value for _, value in answer.fields)
    body = answer.take_whole(said)
    assert TOKEN.encode() not in body
    assert len(body) == len(said)


@pytest.mark.parametrize("size", range(1, len(TOKEN) + 2))
def test_the_token_is_found_across_pieces(size: int) -> None:
    said = b"before " + TOKEN.encode() + b" after"
    answer = passed(200, JSON)
    pieces = [answer.take(said[start : start + size]) for start in range(0, len(said), size)]
    body = b"".join(pieces) + answer.finish()
    assert TOKEN.encode() not in body
    assert (len(body), body[:7], body[-6:]) == (len(said), b"before ", b" after")


def test_two_bodies_of_one_redactor_do_not_meet() -> None:
    redactor = TokenRedactor((TOKEN,))
    bodies = []
    for _ in range(2):
        answer = UpstreamAnswer(cast("Connection", None), "GET")
        answer.status, answer.headers = 200, [JSON]
        bodies.append(PassedAnswer(answer, redactor, Route("/api", "https://api.example")))
    first, second = bodies
    half = TOKEN.encode()[:12]
    assert first.take(half) + second.take(b"another") + second.finish() == b"another"
    assert first.finish() != half, "the beginning of a token is not passed on either"


def raw_deflate(data: bytes) -> bytes:
    packing = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packing.compress(data) + packing.flush()


@pytest.mark.parametrize(
    ("coding", "pack"),
    [
        (b"gzip", gzip.compress),
        (b"x-gzip", gzip.compress),
        (b"deflate", zlib.compress),
        (b"deflate", raw_deflate),
    ],
)
@pytest.mark.parametrize("in_pieces", [False, True])
def test_an_encoded_text_is_decoded_to_be_searched(coding: bytes, pack: object, *, in_pieces: bool) -> None:
    """RFC 9110 §8.4.1.2: deflate comes with the zlib wrapper, or by mistake without."""
    assert callable(pack)
    packed: bytes = pack(b'{"message": "%s"}' % TOKEN.encode() * 50)
    answer = passed(403, JSON, (b"content-encoding", coding), (b"content-length", b"99"), (b"etag", b'"1"'))
    assert not {b"content-encoding", b"content-length", b"etag"} & {name for name, _ in answer.fields}
    if in_pieces:
        body = b"".join(answer.take(packed[i : i + 1]) for i in range(len(packed))) + answer.finish()
    else:
        body = answer.take_whole(packed)
    assert TOKEN.encode() not in body
    assert body.count(b'"message"') == 50


@pytest.mark.parametrize("status", [200, 500])
def test_a_coding_that_cannot_be_undone_is_a_broken_answer(status: int) -> None:
    with pytest.raises(ResourceServerBroken):
        passed(status, JSON, (b"content-encoding", b"br"))


def test_an_encoded_picture_passes_as_it_is() -> None:
    answer = passed(200, (b"content-type", b"image/png"), (b"content-encoding", b"br"))
    assert answer.take_whole(b"anything") == b"anything"


@pytest.mark.parametrize("cut", [1, 10])
def test_a_coding_that_ends_too_early_is_a_broken_answer(cut: int) -> None:
    answer = passed(200, JSON, (b"content-encoding", b"gzip"))
    answer.take(gzip.compress(b"{}" * 100)[:-cut])
    with pytest.raises(ResourceServerBroken):
        answer.finish()


def test_what_is_no_coding_at_all_is_a_broken_answer() -> None:
    with pytest.raises(ResourceServerBroken):
        passed(200, JSON, (b"content-encoding", b"gzip")).take_whole(b"half")


def test_a_bomb_is_a_broken_answer() -> None:
    bomb = gzip.compress(bytes(answer_file.MAX_DECODED_BYTES + 1))
    answer = passed(200, JSON, (b"content-encoding", b"gzip"))
    with pytest.raises(ResourceServerBroken):
        answer.take_whole(bomb)


@pytest.mark.parametrize(("status", "method"), [(204, "GET"), (304, "GET"), (200, "HEAD")])
def test_an_answer_without_a_body_has_none(status: int, method: str) -> None:
    answer = passed(status, JSON, (b"content-length", b"5"), method=method)
    assert (answer.has_body, answer.take_whole(b"")) == (False, b"")
    named = {name for name, _ in answer.fields}
    assert (b"content-length" in named) == (method == "HEAD")


@pytest.mark.parametrize(
    ("status", "given", "told"),
    [(429, (), b"3"), (429, ((b"retry-after", b"9"),), b"9"), (503, (), None)],
)
def test_a_429_says_when_to_come_again(
    status: int, given: tuple[tuple[bytes, bytes], ...], told: bytes | None
) -> None:
    answer = passed(status, JSON, *given)
    answer.tell_retry_after(2.1)
    assert dict(answer.fields).get(b"retry-after") == told
