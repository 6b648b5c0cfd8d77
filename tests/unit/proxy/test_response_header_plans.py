"""The short way through an answer's fields gives what the long way gives."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.proxy import response_headers as headers_file
from gateway.proxy.response_headers import filter_response_headers

DESTINATION = "https://api.example/base"
NAMES = st.sampled_from(
    b"server date content-type content-length last-modified connection etag accept-ranges set-cookie"
    b" cache-control location link vary keep-alive x-other transfer-encoding www-authenticate Content-Type"
    b" ETAG x-request-id retry-after cross-origin-opener-policy".split()
)
VALUES = st.sampled_from(
    [b"keep-alive", b"close", b"etag, close", b"12", b" 12", b"text/html", b"/v1/x", b"a\0b", b"a\tb", b""]
)


@given(st.lists(st.tuples(NAMES, VALUES), max_size=8))
def test_both_ways_pass_the_same_fields(given_fields: list[tuple[bytes, bytes]]) -> None:
    lowered = [(name.lower(), value) for name, value in given_fields]
    long_way = headers_file._filter_one_by_one(lowered, DESTINATION, "/api")  # noqa: SLF001
    assert sorted(filter_response_headers(given_fields, destination=DESTINATION)) == sorted(long_way)
