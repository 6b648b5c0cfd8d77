"""The bearer token comes back in every place an answer has: no byte of it reaches a browser."""

from __future__ import annotations

import gzip
import zlib
from typing import TYPE_CHECKING

import pytest

from tests.support import raw_browser
from tests.support.raw_upstream import in_chunks

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.hostile.stage import Stage
    from tests.support.raw_upstream import Connection
    from tests.support.rfc9112 import Answer, Request

    Build = Callable[[bytes], bytes]

JSON = b"HTTP/1.1 %d Said\r\nContent-Type: application/json\r\n"


def framed(status: int, body: bytes, fields: bytes = b"") -> bytes:
    return JSON % status + fields + b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


def chunked(status: int, pieces: list[bytes], fields: bytes = b"", **options: bytes) -> bytes:
    return JSON % status + fields + b"Transfer-Encoding: chunked\r\n\r\n" + in_chunks(pieces, **options)


PLACES: dict[str, Build] = {
    "a header": lambda token: framed(200, b"{}", b"X-Kept: " + token + b"\r\n"),
    "a header's name": lambda token: framed(200, b"{}", b"X-" + token + b": a\r\n"),
    "a list of headers": lambda token: framed(200, b"{}", b"X-Kept: a\r\nX-Kept: Bearer " + token + b"\r\n"),
    "Location": lambda token: framed(
        302, b"", b"Location: https://x.example/?access_token=" + token + b"\r\n"
    ),
    "Location of the API": lambda token: framed(302, b"", b"Location: /v1/x?t=" + token + b"\r\n"),
    "Link": lambda token: framed(200, b"[]", b"Link: </v1/x?t=" + token + b">; rel=next\r\n"),
    "ETag": lambda token: framed(200, b"{}", b'ETag: "' + token + b'"\r\n'),
    "Content-Type": lambda token: framed(200, b"{}", b"Content-Language: " + token + b"\r\n"),
    "Set-Cookie": lambda token: framed(200, b"{}", b"Set-Cookie: t=" + token + b"\r\n"),
    "WWW-Authenticate": lambda token: framed(
        403, b"{}", b'WWW-Authenticate: Bearer error="' + token + b'"\r\n'
    ),
    "a folded header": lambda token: framed(200, b"{}", b"X-Kept: a\r\n " + token + b"\r\n"),
    "the reason": lambda token: b"HTTP/1.1 200 " + token + b"\r\nContent-Length: 2\r\n\r\n{}",
    "the reason of an error": lambda token: b"HTTP/1.1 403 " + token + b"\r\nContent-Length: 2\r\n\r\n{}",
    "an interim head": lambda token: (
        b"HTTP/1.1 103 " + token + b"\r\nLink: <" + token + b">\r\n\r\n" + framed(200, b"{}")
    ),
    "a body": lambda token: framed(200, b'{"token": "' + token + b'"}'),
    "an error's body": lambda token: framed(403, b'{"message": "Bearer ' + token + b' is not valid"}'),
    "a body twice": lambda token: framed(200, token + token + b" " + token),
    "a body until the end": lambda token: JSON % 200 + b"\r\n" + token,
    "an unnamed type": lambda token: b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(token), token),
    "a binary error": lambda token: framed(500, token).replace(b"json", b"octet-stream"),
    "one-byte chunks": lambda token: chunked(200, [token[place : place + 1] for place in range(len(token))]),
    "uneven chunks": lambda token: chunked(403, [token[:1], token[1:60], token[60:61], token[61:]]),
    "a chunk extension": lambda token: chunked(200, [b"{}"], extension=b";" + token),
    "trailers": lambda token: chunked(200, [b"{}"], trailers=b"X-Kept: " + token + b"\r\n"),
    "a gzipped error": lambda token: framed(
        403, gzip.compress(b"a" + token + b"b"), b"Content-Encoding: gzip\r\n"
    ),
    # RFC 9110 §8.4.1.2: without the zlib wrapper, as some send it.
    "a bare deflated error": lambda token: framed(403, bare_deflate(token), b"Content-Encoding: deflate\r\n"),
    "a deflated error": lambda token: framed(403, zlib.compress(token), b"Content-Encoding: deflate\r\n"),
    "gzipped text": lambda token: framed(200, gzip.compress(token), b"Content-Encoding: gzip\r\n"),
    "gzip in chunks": lambda token: chunked(
        500, [bytes([byte]) for byte in gzip.compress(token)], b"Content-Encoding: gzip\r\n"
    ),
    "gzip twice": lambda token: framed(
        403, gzip.compress(gzip.compress(token)), b"Content-Encoding: gzip, gzip\r\n"
    ),
    "gzip that calls itself gzip twice": lambda token: framed(
        403, gzip.compress(token), b"Content-Encoding: gzip\r\nContent-Encoding: identity\r\n"
    ),
    "an error that only says it is gzip": lambda token: framed(403, token, b"Content-Encoding: gzip\r\n"),
    "brotli, it says": lambda token: framed(403, token, b"Content-Encoding: br\r\n"),
    "two gzip members": lambda token: framed(
        403, gzip.compress(b"a") + gzip.compress(token), b"Content-Encoding: gzip\r\n"
    ),
    "behind gzip": lambda token: framed(403, gzip.compress(b"a") + token, b"Content-Encoding: gzip\r\n"),
    "surplus": lambda token: framed(200, b"{}") + token,
    "a body that has none": lambda token: b"HTTP/1.1 204 No\r\n\r\n" + token,
    "a status line that is none": lambda token: b"HTTP/1.1 " + token + b"\r\n\r\n",
    "garbage": lambda token: token,
    "a broken chunk": lambda token: JSON % 200 + b"Transfer-Encoding: chunked\r\n\r\n" + token + b"\r\n",
    "a broken field": lambda token: JSON % 200 + token + b"\r\n\r\n",
    "a conflicting length": lambda token: JSON % 200 + b"Content-Length: " + token + b"\r\n\r\n",
}
FORMS: dict[str, Build] = {
    "percent": lambda token: token.replace(b".", b"%2E").replace(b"-", b"%2d").replace(b"_", b"%5F"),
    "JSON": lambda token: token.replace(b".", b"\\u002e").replace(b"-", b"\\u002D").replace(b"_", b"\\u005f"),
    "HTML": lambda token: token.replace(b".", b"&#46;").replace(b"-", b"&#x2d;").replace(b"_", b"&#95;"),
}


def bare_deflate(data: bytes) -> bytes:
    """Compress without the wrapper."""
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


def echo(stage: Stage, build: Build, method: str = "GET") -> Answer:
    """Answer with what `build` makes of the token that came, and keep what the browser got decoded too."""

    def script(connection: Connection, request: Request) -> None:
        connection.sock.sendall(build((request.header("authorization") or b"").partition(b" ")[2]))
        connection.close()

    stage.upstream.script = script
    answer = stage.call(method=method)
    raw_browser.received_by_all.append(unpacked(answer.body))
    return answer


def unpacked(body: bytes) -> bytes:
    """Undo gzip or deflate as often as it can be undone, however little of it is there."""
    for _ in range(3):
        for bits in (31, 15, -15):
            try:
                body = zlib.decompressobj(bits).decompress(body) or body
                break
            except zlib.error:
                continue
    return body


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize("place", PLACES)
def test_no_place_of_an_answer_gives_the_token_away(stage: Stage, place: str, method: str) -> None:
    """Judged by what every raw browser received, after the test."""
    echo(stage, PLACES[place], method)
    assert stage.upstream.tokens()
    stage.assert_no_token_was_seen()


@pytest.mark.parametrize("form", FORMS)
def test_no_form_of_the_token_gets_out(stage: Stage, form: str) -> None:
    answer = echo(stage, lambda token: framed(200, FORMS[form](token)))
    (token,) = stage.upstream.tokens()
    written = FORMS[form](token.encode())
    assert answer.is_whole
    for start in range(0, len(written) - 24, 12):
        assert written[start : start + 24] not in answer.body


def test_a_token_split_at_any_byte_is_found(stage: Stage) -> None:
    """In two reads, and in two chunks, at every place."""
    echo(stage, lambda _: framed(200, b"{}"))
    (token,) = (token.encode() for token in stage.upstream.tokens())
    body = b'{"token": "' + token + b'"}'
    head = framed(200, body).removesuffix(body)
    with stage.browser() as browser:
        for place in range(1, len(body), 3):
            if place % 2:
                stage.upstream.say(head + body[:place], body[place:], closes=False)
            else:
                stage.upstream.say(chunked(403, [body[:place], body[place:]]), closes=False)
            answer = browser.ask(stage.anna.head("GET", "/api/v1/thing"))
            assert answer.is_whole
            assert len(answer.body) == len(body)
            for start in range(0, len(token) - 24, 12):
                assert token[start : start + 24] not in answer.body, place


def test_a_body_cut_within_the_token_gives_little_away(stage: Stage) -> None:
    echo(stage, lambda _: framed(200, b"{}"))
    (token,) = (token.encode() for token in stage.upstream.tokens())
    for place in range(8, len(token), 40):
        stage.upstream.say(JSON % 200 + b"Content-Length: 5000\r\n\r\n" + token[:place])
        answer = stage.call()
        assert not answer.is_whole
        assert token[:8] not in answer.body
