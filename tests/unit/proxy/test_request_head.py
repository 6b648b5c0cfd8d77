"""How the head of a request to the resource server frames its body."""

from __future__ import annotations

import pytest

from gateway.proxy.request_head import frame_body


@pytest.mark.parametrize("method", ["GET", "DELETE", "POST"])
def test_a_body_is_framed_by_its_length(method: str) -> None:
    assert frame_body(method, 12) == b"content-length: 12\r\n"


@pytest.mark.parametrize("method", ["GET", "DELETE", "POST"])
def test_a_body_of_unknown_length_comes_in_chunks(method: str) -> None:
    assert frame_body(method, None) == b"transfer-encoding: chunked\r\n"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_a_missing_body_is_stated_where_one_is_expected(method: str) -> None:
    """RFC 9110 §8.6."""
    assert frame_body(method, 0) == b"content-length: 0\r\n"


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "OPTIONS"])
def test_a_missing_body_is_not_told_where_none_is_expected(method: str) -> None:
    assert frame_body(method, 0) == b""
