"""A browser says which codings (RFC 9110 §8.4.1) it takes; whatever it says, there is an answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.browser.content_coding import Coding, is_compressible, rank_codings


@pytest.mark.parametrize(
    ("accept_encoding", "ranked"),
    [
        (None, "identity"),
        ("", "identity"),
        ("gzip, deflate, br, zstd", "br gzip identity"),
        ("gzip", "gzip identity"),
        ("GZIP", "gzip identity"),
        ("x-gzip", "gzip identity"),
        ("br", "br identity"),
        ("deflate, zstd", "identity"),
        ("gzip;q=1.0, br;q=0.5", "gzip br identity"),
        ("gzip;q=0.5,br;q=0.5", "br gzip identity"),
        ("br;q=0, gzip", "gzip identity"),
        ("br;q=0.000, gzip", "gzip identity"),
        ("br;q=0, gzip;q=0", "identity"),
        ("identity, br;q=0.5", "identity br"),
        ("identity;q=0.4, gzip;q=0.5, br;q=0.3", "gzip identity br"),
        ("identity;q=0, gzip", "gzip"),
        ("identity;q=0, br, gzip;q=0.1", "br gzip"),
        ("*", "br gzip identity"),
        ("*;q=0.5, gzip", "gzip br identity"),
        ("*;q=0", ""),
        ("*;q=0, gzip", "gzip"),
        ("*;q=0, identity", "identity"),
        ("*;q=0, identity;q=0.1", "identity"),
        ("identity;q=0", ""),
        ("identity;q=0, *;q=0", ""),
        ("identity;q=0, *", "br gzip"),
        ("gzip ; q=0.7 , br ;\tq=0.8", "br gzip identity"),
        ("gzip;Q=0.2, br", "br gzip identity"),
        (",,gzip,,", "gzip identity"),
    ],
)
def test_codings_are_ranked_by_their_weight(accept_encoding: str | None, ranked: str) -> None:
    """RFC 9110 §12.5.3: the weight decides, `*` speaks for all that is not named, identity always will do."""
    assert " ".join(rank_codings(accept_encoding)) == ranked


@pytest.mark.parametrize(
    "member",
    [
        "br;q=2",
        "br;q=-1",
        "br;q=nan",
        "br;q=1e-1",
        "br;q=0.1234",
        "br;q=1.001",
        "br;q=",
        "br;q",
        "br;level=11",
        "br;q=0.5;level=11",
        "br;q=\u0661",
        "brotli",
        "b r",
        '"br"',
        "br/gzip",
        "\x00br",
        ";q=1",
        "br;;q=1",
    ],
)
def test_a_broken_member_counts_for_nothing(member: str) -> None:
    """RFC 9110 §12.4.2: a weight has three digits after the point at the most."""
    assert rank_codings(f"gzip, {member}") == (Coding.GZIP, Coding.IDENTITY)


def test_a_field_that_no_browser_sends_is_not_read() -> None:
    assert rank_codings("gzip," * 10_000_000) == (Coding.IDENTITY,)


@given(st.text(max_size=80))
def test_any_field_is_answered(accept_encoding: str) -> None:
    ranked = rank_codings(accept_encoding)
    assert len(set(ranked)) == len(ranked)
    assert set(ranked) <= set(Coding)


@pytest.mark.parametrize(
    "media_type",
    [
        "text/javascript; charset=utf-8",
        "text/css",
        "TEXT/HTML",
        "application/json",
        "application/manifest+json",
        "application/geo+json",
        "application/wasm",
        "application/rss+xml",
        "image/svg+xml",
        "font/ttf",
    ],
)
def test_text_is_worth_a_coding(media_type: str) -> None:
    assert is_compressible(media_type)


@pytest.mark.parametrize(
    "media_type",
    [None, "", "image/png", "image/webp", "font/woff2", "application/pdf", "application/gzip", "video/mp4"],
)
def test_what_is_small_already_is_not(media_type: str | None) -> None:
    assert not is_compressible(media_type)
