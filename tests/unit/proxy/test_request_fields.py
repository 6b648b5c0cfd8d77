"""The fields of a request, read once."""

from __future__ import annotations

import tracemalloc

import pytest

from gateway.errors import RequestInvalid
from gateway.proxy.request_fields import read_request_fields

BROWSER = [
    (b"host", b"app.example"),
    (b"accept", b"application/json"),
    (b"cookie", b"a=b"),
    (b"sec-fetch-site", b"same-origin"),
    (b"origin", b"https://app.example"),
    (b"x-csrf", b"1"),
    (b"prefer", b"wait=3"),
    (b"authorization", b"Bearer of the browser's own"),
]


def test_each_fact_is_found() -> None:
    fields = read_request_fields([*BROWSER, (b"content-length", b"12")])
    assert (fields.site, fields.origin, fields.csrf) == (b"same-origin", b"https://app.example", b"1")
    assert (fields.cookie, fields.prefer, fields.length) == (b"a=b", b"wait=3", 12)
    assert fields.passed == b"accept: application/json\r\nprefer: wait=3\r\naccept-encoding: identity\r\n"


def test_a_request_without_a_body_has_length_zero() -> None:
    assert read_request_fields(BROWSER).length == 0


def test_a_chunked_body_has_no_length() -> None:
    assert read_request_fields([*BROWSER, (b"transfer-encoding", b"chunked")]).length is None


def test_two_cookie_fields_are_no_single_one() -> None:
    assert read_request_fields([*BROWSER, (b"cookie", b"c=d")]).cookie is None


def test_another_repeated_field_leaves_the_cookie_alone() -> None:
    assert read_request_fields([*BROWSER, (b"accept", b"*/*")]).cookie == b"a=b"


@pytest.mark.parametrize(
    ("given", "read"), [([], None), ([b"00-a-b-01"], "00-a-b-01"), ([b"00-a-b-01", b"00-c-d-01"], None)]
)
def test_one_traceparent_counts(given: list[bytes], read: str | None) -> None:
    fields = read_request_fields([*BROWSER, *((b"traceparent", value) for value in given)])
    assert fields.traceparent == read


def test_the_pieces_of_a_tracestate_are_joined() -> None:
    fields = read_request_fields([*BROWSER, (b"tracestate", b"a=1"), (b"tracestate", b"b=2")])
    assert fields.tracestate == "a=1,b=2"


@pytest.mark.parametrize(
    "field",
    [
        (b"accept", b"a\r\nauthorization: x"),
        (b"accept", b"a\0"),
        (b"content length", b"1"),
        (b"content-length", b"+1"),
        (b"transfer-encoding", b"gzip"),
    ],
)
def test_what_two_servers_could_read_in_two_ways_is_refused(field: tuple[bytes, bytes]) -> None:
    with pytest.raises(RequestInvalid):
        read_request_fields([*BROWSER, field])


def test_long_connection_fields_are_not_kept() -> None:
    """Anybody can send them, with thousands of options each (RFC 9110 §7.6.1)."""
    options = b",".join(b"%x" % number for number in range(10_000))
    tracemalloc.start()
    try:
        for number in range(20):
            read_request_fields([*BROWSER, (b"connection", b"close,%d,%b" % (number, options))])
        assert tracemalloc.get_traced_memory()[0] < 1_000_000
    finally:
        tracemalloc.stop()
