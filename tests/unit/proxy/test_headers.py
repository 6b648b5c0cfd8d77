"""What the browser may say to the resource server."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.errors import RequestInvalid
from gateway.proxy.headers import (
    HOP_BY_HOP,
    REQUEST_HEADERS,
    filter_request_headers,
    validate_request_framing,
)

CORPUS = Path(__file__).parents[2] / "data" / "header_smuggling"
ALWAYS_SENT = [(b"accept-encoding", b"identity")]


def read_corpus(outcome: str) -> list[str]:
    lines = CORPUS.read_text(encoding="ascii").split("\n")
    return [line.removeprefix(f"{outcome} ") for line in lines if line.startswith(f"{outcome} ")]


def to_headers(line: str) -> list[tuple[bytes, bytes]]:
    headers: list[tuple[bytes, bytes]] = []
    for field in line.split(" && "):
        name, _, value = field.encode("ascii").decode("unicode_escape").encode("latin-1").partition(b":")
        headers.append((name, value.removeprefix(b" ")))
    return headers


@pytest.mark.parametrize("line", read_corpus("dropped"))
def test_smuggled_header_is_dropped(line: str) -> None:
    """RFC 9110 §7.6.1 for what belongs to one connection, design rule 7 for the rest."""
    headers = to_headers(line)
    validate_request_framing(headers)
    assert filter_request_headers([*headers, (b"Accept", b"a/b")]) == [(b"accept", b"a/b"), *ALWAYS_SENT]


@pytest.mark.parametrize("line", read_corpus("refused"))
def test_smuggled_header_is_refused(line: str) -> None:
    # RFC 9110 §5.1 (names), RFC 9110 §5.5 and RFC 9112 §5.2 (values), RFC 9110 §8.6 and RFC 9112 §6.1
    # (framing), RFC 9112 §3.2 (Host)
    with pytest.raises(RequestInvalid) as refusal:
        validate_request_framing(to_headers(line))
    assert refusal.value.status == 400


def test_corpus_of_smuggled_headers_holds_no_line_twice() -> None:
    lines = read_corpus("dropped") + read_corpus("refused")
    assert len(lines) == len(set(lines)) >= 120


@pytest.mark.parametrize("name", sorted(REQUEST_HEADERS))
def test_allowed_header_passes_unchanged_under_its_name_in_lower_case(name: bytes) -> None:
    assert filter_request_headers([(name.title(), b"Some, Value")]) == [(name, b"Some, Value"), *ALWAYS_SENT]


def test_allow_list_holds_no_underscore_and_nothing_of_a_connection() -> None:
    assert not any(b"_" in name or name.startswith((b"x-", b"proxy", b"sec-")) for name in REQUEST_HEADERS)
    assert not REQUEST_HEADERS & HOP_BY_HOP


def test_headers_keep_their_order_and_repetitions() -> None:
    headers = [
        (b"Prefer", b"wait=5"),
        (b"accept", b"a/b"),
        (b"Prefer", b"respond-async"),
        (b"cookie", b"a=b"),
    ]
    assert filter_request_headers(headers) == [
        (b"prefer", b"wait=5"),
        (b"accept", b"a/b"),
        (b"prefer", b"respond-async"),
        *ALWAYS_SENT,
    ]


def test_an_answer_that_can_be_searched_is_asked_for_in_any_case() -> None:
    assert filter_request_headers([]) == ALWAYS_SENT
    assert filter_request_headers([(b"Accept-Encoding", b"br, gzip")]) == ALWAYS_SENT


@pytest.mark.parametrize(
    "line",
    [
        "Content-Length: 0",
        "Content-Length: 123456789012345678",
        "Content-Length: 007",
        "Transfer-Encoding: chunked",
        "Transfer-Encoding: CHUNKED",
        "Accept: a/b && Accept: c/d",
        "Content-Disposition: attachment; filename=\\xfc\\t.pdf",
        "X-Empty: ",
        "Host: app.example.com && Content-Type: text/plain",
    ],
)
def test_plain_framing_is_accepted(line: str) -> None:
    validate_request_framing(to_headers(line))


def test_refusal_repeats_no_value() -> None:
    with pytest.raises(RequestInvalid) as refusal:
        validate_request_framing([(b"Content-Length", b"secret")])
    assert "secret" not in f"{refusal.value} {refusal.value.detail} {refusal.value.log_detail}"
