"""No token in what comes back, however it is cut and escaped."""

from __future__ import annotations

import html
import json
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.proxy.redaction import MARK, SHORTEST_CUT, TokenRedactor, is_text_like

if TYPE_CHECKING:
    from collections.abc import Callable

JWT = b"eyJhbGciOiJIUzUxMiJ9.eyJzdWIiOiJhLXNhbXBsZSJ9.c2lnbmF0dXJlLW9mLWEtc2FtcGxl-_x"
OPAQUE = b"tok/en+with~many.marks_and-more/+/4f=="
ODD = b'%7e\\"<&>/%2f\\/odd token'

tokens = st.one_of(
    st.sampled_from([JWT, OPAQUE, ODD, b"aab", b"aabaabaac", b"/+/", b"0"]),
    st.text(st.sampled_from("ab/+=.%\\-"), min_size=1, max_size=24).map(str.encode),
)


def redact(token_list: list[bytes], *chunks: bytes) -> bytes:
    redactor = TokenRedactor(token_list)
    return b"".join([redactor.feed(chunk) for chunk in chunks] + [redactor.flush()])


def fill(length: int) -> bytes:
    return MARK + b"*" * (length - len(MARK))


def json_ascii(token: str) -> str:
    return json.dumps(token)[1:-1]


def unicode_escapes(template: str, token: str) -> str:
    return "".join(c if c.isalnum() else template.format(ord(c)) for c in token)


FORMS: dict[str, Callable[[str], str]] = {
    "raw": str,
    "percent": lambda token: quote(token, safe=""),
    "percent_lower": lambda token: quote(token, safe="").replace("%2F", "%2f").replace("%2B", "%2b"),
    "percent_but_slash": quote,
    "percent_all": lambda token: unicode_escapes("%{:02X}", token),
    "percent_twice": lambda token: quote(quote(token, safe=""), safe=""),
    "json": json_ascii,
    "json_slash": lambda token: json_ascii(token).replace("/", "\\/"),
    "json_html_safe": lambda token: token.replace("=", "\\u003d").replace("+", "\\u002b"),
    "json_all": lambda token: unicode_escapes("\\u{:04X}", token),
    "javascript": lambda token: unicode_escapes("\\x{:02x}", token),
    "html": html.escape,
    "html_decimal": lambda token: unicode_escapes("&#{};", token),
    "html_hexadecimal": lambda token: unicode_escapes("&#x{:X};", token),
    "mixed": lambda token: token.replace("/", "\\/", 1).replace("+", "%2B", 1).replace("=", "&#61;", 1),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("token", [JWT, OPAQUE], ids=["jwt", "opaque"])
def test_token_is_replaced_in_every_form_by_something_as_long(token: bytes, form: str) -> None:
    written = FORMS[form](token.decode()).encode()
    body = b'{"message": "\'' + written + b"' is not valid in 'Bearer " + written + b"'\"}"
    expected = body.replace(written, fill(len(written)))
    assert redact([token], body) == expected
    assert redact([token], *(body[i : i + 1] for i in range(len(body)))) == expected


def test_json_stays_json() -> None:
    body = json.dumps({"message": f"Bearer {JWT.decode()}", "a": 1}).encode()
    assert json.loads(redact([JWT], body)) == {"message": f"Bearer {fill(len(JWT)).decode()}", "a": 1}


@given(st.data())
def test_cuts_make_no_difference_and_nothing_leaks(data: st.DataObject) -> None:
    known = data.draw(st.lists(tokens, min_size=1, max_size=2))
    forms = [
        FORMS[form](known[0].decode()).encode() for form in ("raw", "percent", "json_slash", "html_decimal")
    ]
    noise = st.text(st.sampled_from("ab/+=.%\\-&#2xF0;u"), max_size=6).map(str.encode)
    pieces = [*known, *forms, *(token[:-1] for token in known), *(token[1:] for token in known)]
    body = b"".join(data.draw(st.lists(st.one_of(st.sampled_from(pieces), noise), max_size=6)))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=8)))
    chunks = [body[start:end] for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True)]
    whole = redact(known, body)
    assert redact(known, *chunks) == whole
    assert len(whole) == len(body)
    long_enough = [token for token in known if len(token) > len(MARK)]
    assert not any(token in whole for token in long_enough)


@given(st.binary(max_size=60), st.integers(1, 7))
def test_body_without_a_token_passes_unchanged(body: bytes, size: int) -> None:
    chunks = [body[start : start + size] for start in range(0, len(body), size)]
    assert redact([JWT, OPAQUE], *chunks) == body


@given(st.lists(st.sampled_from([JWT[:20], JWT[20:], OPAQUE[:5], b"x", b" "]), max_size=8))
def test_less_than_a_token_is_held_back(chunks: list[bytes]) -> None:
    redactor = TokenRedactor([JWT, OPAQUE])
    received = sent = 0
    for chunk in chunks:
        received += len(chunk)
        sent += len(redactor.feed(chunk))
        assert received - sent < max(len(JWT), len(OPAQUE))


def test_only_a_possible_beginning_is_held_back() -> None:
    redactor = TokenRedactor([JWT])
    assert redactor.feed(b"data: {}\n\n") == b"data: {}\n\n"
    assert redactor.feed(b"data: eyJ") == b"data: "
    assert redactor.feed(b"x\n\n") == b"eyJx\n\n"
    assert redactor.feed(b"Bearer " + JWT[:-1]) == b"Bearer "
    assert redactor.feed(JWT[-1:] + b"'") == fill(len(JWT)) + b"'"
    assert redactor.flush() == b""


def test_body_that_breaks_off_within_a_token_gives_no_usable_part_away() -> None:
    assert redact([JWT], b"Bearer " + JWT[:-1]) == b"Bearer " + fill(len(JWT) - 1)
    assert redact([JWT], b"a " + JWT[:SHORTEST_CUT]) == b"a [redacte"
    assert redact([JWT], b"a " + JWT[: SHORTEST_CUT - 1]) == b"a " + JWT[: SHORTEST_CUT - 1]
    assert redact([ODD], b"a " + ODD[:-1]) == b"a " + fill(len(ODD) - 1)


def test_token_after_something_like_its_beginning_is_found() -> None:
    assert redact([JWT], JWT[:30] + JWT) == JWT[:30] + fill(len(JWT))
    assert redact([JWT], JWT[:30], JWT[:30], JWT) == JWT[:30] * 2 + fill(len(JWT))
    assert redact([b"aabaabaac"], b"aabaabaabaac") == b"aab[redacted]"[:3] + b"[redacted"


def test_both_of_two_tokens_are_replaced() -> None:
    body = b"old " + OPAQUE + b" new " + JWT
    assert redact([JWT, OPAQUE], body) == b"old " + fill(len(OPAQUE)) + b" new " + fill(len(JWT))


def test_token_that_begins_with_another_is_replaced_to_its_end() -> None:
    longer = JWT + b".more"
    for known in ([JWT, longer], [longer, JWT]):
        assert redact(known, longer) == fill(len(longer))
        assert redact(known, JWT, b".more!") == fill(len(longer)) + b"!"
        assert redact(known, JWT, b".less") == fill(len(JWT)) + b".less"


def test_token_may_be_given_as_text_and_an_empty_one_is_ignored() -> None:
    assert TokenRedactor([JWT.decode(), ""]).redact_header_value(b"a " + JWT) == b"a " + fill(len(JWT))
    assert TokenRedactor([""]).redact_header_value(b"abc") == b"abc"


def test_header_value_is_redacted_apart_from_the_body() -> None:
    redactor = TokenRedactor([OPAQUE])
    assert redactor.feed(b"a " + OPAQUE[:9]) == b"a "
    location = b"/cb?token=" + quote(OPAQUE.decode(), safe="").encode()
    assert redactor.redact_header_value(location) == b"/cb?token=" + fill(len(location) - 10)
    assert redactor.feed(OPAQUE[9:]) == fill(len(OPAQUE))


def test_redactor_for_another_body_holds_nothing_of_this_one() -> None:
    redactor = TokenRedactor([JWT])
    redactor.feed(JWT[:20])
    another = redactor.for_another_body()
    assert another.feed(b"x" + JWT) == b"x" + fill(len(JWT))
    assert another.flush() == b""


def test_redactor_shows_no_token() -> None:
    assert JWT.decode() not in repr(TokenRedactor([JWT]))


def test_unchanged_chunk_is_handed_on_without_a_copy() -> None:
    chunk = b'{"a": 1}' * 1000
    assert TokenRedactor([JWT]).feed(chunk) is chunk


@pytest.mark.parametrize(
    "content_type",
    [None, b"", b"application/json", b"application/json; charset=utf-8", b"application/problem+json",
     b"text/html", b"text/event-stream", b"text/csv", b"application/xml", b"image/svg+xml",
     b"application/javascript", b"application/x-www-form-urlencoded", b"multipart/mixed",
     b"application/x-ndjson", b"APPLICATION/JSON", b"unheard/of", b"garbage"],
)  # fmt: skip
def test_text_like_and_unknown_bodies_are_searched(content_type: bytes | None) -> None:
    assert is_text_like(content_type)


@pytest.mark.parametrize(
    "content_type",
    [b"application/pdf", b"Application/PDF; x=y", b"application/octet-stream", b"image/png", b"image/jpeg",
     b"audio/ogg", b"video/mp4", b"font/woff2", b"application/zip", b"application/gzip", b"application/wasm",
     b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"],
)  # fmt: skip
def test_binary_bodies_are_not_searched(content_type: bytes) -> None:
    assert not is_text_like(content_type)
