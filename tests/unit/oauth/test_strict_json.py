"""JSON is read in one way or not at all."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.oauth.strict_json import parse_object


def test_an_object_is_read() -> None:
    assert parse_object(b' {"a": [1, 2.5, "\xc3\xbc", null, true, {"a": {}}]} ') == {
        "a": [1, 2.5, "\u00fc", None, True, {"a": {}}]
    }


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b" ", b"{", b"}", b"{}{}", b"{} x", b"null", b"true", b"7", b'"text"', b"[]", b"[{}]"),
        *(b"{'a': 1}", b"{a: 1}", b'{"a": 1,}', b'{"a" 1}', b'{"a": 01}', b'{"a": .5}', b'{"a": +1}'),
        *(b'{"a": "\n"}', b'{"a": "\\x41"}', b'{"a": 1} // b', b"\xff", b'{"\xff": 1}', b'{"a": "\xc3"}'),
        *(b"\xef\xbb\xbf{}", '{"a": 1}'.encode("utf-16"), b"<html></html>", b"\x00", b"a=b&c=d"),
        b'{"a": "\xed\xa0\x80"}',
    ],
)
def test_what_is_no_json_object_is_refused(body: bytes) -> None:
    """RFC 8259 §4: an object, in UTF-8."""
    with pytest.raises(ValueError, match=r"."):
        parse_object(body)


@pytest.mark.parametrize(
    "body",
    [
        b'{"a": 1, "a": 1}',
        b'{"a": 1, "b": 2, "a": 3}',
        b'{"a": 1, "\\u0061": 2}',
        b'{"a": {"b": 1, "b": 2}}',
        b'{"a": [{"b": 1, "b": 2}]}',
        b'{"": 1, "": 2}',
    ],
)
def test_a_name_that_stands_twice_is_refused(body: bytes) -> None:
    """RFC 8259 §4: what receivers make of repeated names is unpredictable."""
    with pytest.raises(ValueError, match="repeated"):
        parse_object(body)


@pytest.mark.parametrize("constant", [b"NaN", b"Infinity", b"-Infinity"])
def test_a_number_that_json_has_not_is_refused(constant: bytes) -> None:
    with pytest.raises(ValueError, match="not a JSON number"):
        parse_object(b'{"a": ' + constant + b"}")


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":' * 100_000,
        b"[" * 900_000,
        b'{"a":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
        b'{"a":' + b"9" * 100_000 + b"}",
    ],
)
def test_nesting_and_numbers_are_bounded(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_object(body)


def test_a_body_is_bounded() -> None:
    assert parse_object(b'{"a": 1}'.ljust(1_048_576)) == {"a": 1}
    with pytest.raises(ValueError, match="too large"):
        parse_object(b'{"a": 1}'.ljust(1_048_577))


@given(st.dictionaries(st.text(max_size=5), st.none() | st.integers() | st.text(), max_size=5))
def test_any_object_comes_back(document: dict[str, object]) -> None:
    assert parse_object(json.dumps(document).encode()) == document


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused_with_one_kind_of_error(body: bytes) -> None:
    try:
        assert isinstance(parse_object(body), dict)
    except ValueError:
        return
