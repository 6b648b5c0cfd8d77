"""What a connection remembers of its last call's fields: a request with one field changed is judged anew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from gateway.browser.cookie import SESSION_COOKIE
from tests.hostile.judging import code_of
from tests.hostile.stage import answer_own

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.hostile.stage import Stage
    from tests.support.raw_browser import RawBrowser
    from tests.support.rfc9112 import Answer, Request

    Lines = list[str]

BODY = b"hello"


@dataclass(frozen=True)
class Changed:
    """The second request's lines as made of the first one's, its body, and what must become of it."""

    lines: Callable[[Stage, Lines], Lines]
    status: int
    code: str = ""
    body: bytes = b""
    heard: Callable[[Stage, Request], bool] = lambda _, __: True


def without(name: str) -> Callable[[Stage, Lines], Lines]:
    return lambda _, lines: [line for line in lines if not line.startswith(name + ":")]


def with_(line: str) -> Callable[[Stage, Lines], Lines]:
    name = line.partition(":")[0]
    return lambda stage, lines: [*without(name)(stage, lines), line]


def also(line: str) -> Callable[[Stage, Lines], Lines]:
    return lambda _, lines: [*lines, line]


def again(name: str) -> Callable[[Stage, Lines], Lines]:
    return lambda _, lines: [*lines, *(line for line in lines if line.startswith(name + ":"))]


def as_jonas(stage: Stage, lines: Lines) -> Lines:
    return with_(f"Cookie: {stage.jonas.cookie}")(stage, lines)


def has(name: str, value: bytes | None) -> Callable[[Stage, Request], bool]:
    return lambda _, request: request.header(name) == value


def is_jonass(stage: Stage, request: Request) -> bool:
    asked = [each.header("authorization") for each in stage.upstream.requests]
    return request.header("authorization") == asked[-1] != asked[0]


FORGED = f"Cookie: {SESSION_COOKIE}=forged"
ANY = {
    "nothing": Changed(lambda _, lines: lines, 200),
    "the order": Changed(lambda _, lines: lines[::-1], 200),
    "another session": Changed(as_jonas, 200, heard=is_jonass),
    "no session": Changed(without("Cookie"), 401, "session_required"),
    "another cookie": Changed(with_("Cookie: a=b"), 401, "session_required"),
    "a forged session": Changed(with_(FORGED), 401, "session_required"),
    "half the session": Changed(
        lambda stage, lines: with_(f"Cookie: {stage.anna.cookie[:-3]}")(stage, lines), 401, "session_required"
    ),
    "a foreign origin": Changed(with_("Origin: https://evil.example"), 403, "cross_site_refused"),
    "no origin that is one": Changed(with_("Origin: null"), 403, "cross_site_refused"),
    "another site": Changed(with_("Sec-Fetch-Site: cross-site"), 403, "cross_site_refused"),
    "the same site alone": Changed(with_("Sec-Fetch-Site: same-site"), 403, "cross_site_refused"),
    "two hosts": Changed(again("Host"), 400, "request_invalid"),
    "a control character": Changed(also("X-Other: a\x01b"), 400, "request_invalid"),
    "a name that is none": Changed(also("X Other: a"), 400, "request_invalid"),
    "a range": Changed(also("Range: bytes=0-1"), 200, heard=has("range", b"bytes=0-1")),
    "a token of its own": Changed(
        also("Authorization: Bearer evil"), 200, heard=lambda _, heard: b"evil" not in heard.raw
    ),
    "a condition": Changed(also('If-None-Match: "1"'), 200, heard=has("if-none-match", b'"1"')),
    "a hop's own field": Changed(
        lambda _, lines: [*lines, "Accept: text/plain", "Connection: accept"], 200, heard=has("accept", None)
    ),
    "trailers asked for": Changed(also("TE: trailers"), 200, heard=has("te", None)),
    "two lengths": Changed(
        lambda _, lines: [*lines, "Content-Length: 5", "Content-Length: 6"], 400, "request_invalid", BODY
    ),
    "a length that is none": Changed(with_("Content-Length: +5"), 400, "request_invalid", BODY),
    "length and chunks": Changed(
        lambda _, lines: [*lines, "Content-Length: 5", "Transfer-Encoding: chunked"],
        400, "request_invalid", b"5\r\nhello\r\n0\r\n\r\n",
    ),
    "another coding": Changed(with_("Transfer-Encoding: gzip"), 400, "request_invalid", BODY),
}  # fmt: skip
WRITES = {
    "no header": Changed(without("X-CSRF"), 403, "csrf_header_missing"),
    "another header": Changed(with_("X-CSRF: 0"), 403, "csrf_header_missing"),
    "an empty header": Changed(with_("X-CSRF:"), 403, "csrf_header_missing"),
    "a body": Changed(with_("Content-Length: 5"), 200, body=BODY, heard=lambda _, heard: heard.body == BODY),
    "chunks": Changed(
        with_("Transfer-Encoding: chunked"), 200, body=b"5\r\nhello\r\n0\r\n\r\n",
        heard=lambda _, heard: heard.body == BODY,
    ),
    "neither origin nor site": Changed(
        lambda stage, lines: without("Origin")(stage, without("Sec-Fetch-Site")(stage, lines)),
        403, "cross_site_refused",
    ),
}  # fmt: skip


def ask(browser: RawBrowser, method: str, lines: Lines, body: bytes = b"") -> Answer:
    head = f"{method} /api/v1/thing HTTP/1.1\r\n" + "".join(f"{line}\r\n" for line in lines) + "\r\n"
    return browser.ask(head.encode("latin-1") + body, method)


def first_lines(stage: Stage, method: str) -> Lines:
    return stage.anna.head(method, "/api/v1/thing").decode("latin-1").rstrip().split("\r\n")[1:]


CASES = [("GET", name) for name in ANY] + [("POST", name) for name in {**ANY, **WRITES}]


@pytest.mark.parametrize(("method", "name"), CASES)
def test_a_request_with_one_field_changed_is_judged_anew(stage: Stage, method: str, name: str) -> None:
    """On the connection whose last request was accepted, and that accepts the same one afterwards."""
    changed = {**ANY, **WRITES}[name]
    stage.warm()
    stage.upstream.script = answer_own
    lines = first_lines(stage, method)
    with stage.browser() as browser:
        assert ask(browser, method, lines).status == 200
        assert stage.lane.answered == 1
        answer = ask(browser, method, changed.lines(stage, lines), changed.body)
        assert (answer.status, code_of(answer)) == (changed.status, changed.code)
        if changed.status == 200:
            assert changed.heard(stage, stage.upstream.requests[-1])
        assert len(stage.upstream.requests) == (2 if changed.status == 200 else 1)
        if not browser.end and answer.header("connection") != b"close":
            last = ask(browser, method, lines)
            assert last.status == 200
            own = stage.upstream.requests[0].header("authorization")
            assert stage.upstream.requests[-1].header("authorization") == own
            assert stage.upstream.requests[-1].body == b""


def test_an_accepted_method_does_not_speak_for_another(stage: Stage) -> None:
    """The same fields: enough for GET, too few for what changes something."""
    stage.warm()
    lines = first_lines(stage, "GET")
    with stage.browser() as browser:
        for method, status in (("GET", 200), ("POST", 403), ("DELETE", 403), ("HEAD", 200), ("PUT", 403)):
            assert ask(browser, method, lines).status == status
    assert [request.method for request in stage.upstream.requests] == ["GET", "HEAD"]


def test_a_refused_request_is_remembered_as_no_accepted_one(stage: Stage) -> None:
    stage.warm()
    lines = first_lines(stage, "GET")
    evil = with_("Sec-Fetch-Site: cross-site")(stage, lines)
    with stage.browser() as browser:
        assert [ask(browser, "GET", each).status for each in (evil, evil, lines, evil)] == [
            403,
            403,
            200,
            403,
        ]


def test_bodies_of_the_same_length_are_each_their_own(stage: Stage) -> None:
    """All fields are the same, and the bodies are not."""
    stage.warm()
    stage.upstream.script = answer_own
    lines = [*first_lines(stage, "POST"), "Content-Length: 5"]
    with stage.browser() as browser:
        for body in (b"first", b"other", b"third"):
            assert ask(browser, "POST", lines, body).body.endswith(body)


def test_a_trailer_is_not_remembered_as_a_field(stage: Stage) -> None:
    """RFC 9110 §6.5.1."""
    stage.warm()
    lines = [*first_lines(stage, "POST"), "Transfer-Encoding: chunked"]
    body = b"5\r\nhello\r\n0\r\nRange: bytes=0-1\r\nCookie: " + stage.jonas.cookie.encode() + b"\r\n\r\n"
    with stage.browser() as browser:
        for _ in range(3):
            assert ask(browser, "POST", lines, body).status == 200
    assert {request.header("range") for request in stage.upstream.requests} == {None}
    assert len({request.header("authorization") for request in stage.upstream.requests}) == 1
