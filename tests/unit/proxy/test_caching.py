"""What RFC 9111 says of storing and using, case by case."""

from __future__ import annotations

import pytest

from gateway.proxy.caching import (
    Freshness,
    Wanted,
    allows_joining,
    build_etag,
    find_freshness,
    join_fields,
    matches_etag,
    parse_directives,
    parse_seconds,
    read_wanted,
    refuse_stored,
)

NOW = 1_790_000_000.0
DATE = b"Mon, 21 Sep 2026 14:13:20 GMT"  # of NOW
LATER = b"Mon, 21 Sep 2026 14:14:20 GMT"
FRESH = Freshness(100.0, 0.0, may_be_stale=True)


def freshness(*headers: tuple[bytes, bytes], status: int = 200, limit: float = 300) -> Freshness | None:
    return find_freshness(status, headers, limit=limit, now=NOW)


def wanted(cache_control: bytes) -> Wanted:
    return read_wanted({b"cache-control": cache_control})


def test_an_answer_that_says_nothing_is_kept_as_long_as_the_setting_says() -> None:
    assert freshness() == Freshness(300.0, 0.0, may_be_stale=True)
    assert freshness((b"cache-control", b"private")) == Freshness(300.0, 0.0, may_be_stale=True)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ([(b"cache-control", b"max-age=60")], 60),
        ([(b"cache-control", b"max-age=9999")], 300),
        ([(b"cache-control", b'max-age="60"')], 60),
        ([(b"cache-control", b"max-age=60, s-maxage=20")], 20),
        ([(b"cache-control", b"public"), (b"cache-control", b"MAX-AGE=60")], 60),
        ([(b"cache-control", b"max-age=60"), (b"expires", b"0")], 60),
        ([(b"expires", LATER), (b"date", DATE)], 60),
        ([(b"expires", LATER)], 60),
        ([(b"expires", LATER), (b"date", b"yesterday")], 60),
    ],
)
def test_the_earlier_of_the_servers_word_and_the_settings_counts(
    headers: list[tuple[bytes, bytes]], seconds: float
) -> None:
    """RFC 9111 §4.2.1: Expires counts where there is no max-age."""
    found = freshness(*headers)
    assert found is not None
    assert found.seconds == seconds


@pytest.mark.parametrize(
    "headers",
    [
        [(b"cache-control", b"no-store")],
        [(b"cache-control", b"no-cache")],
        [(b"cache-control", b"private, No-Cache")],
        [(b"cache-control", b'no-cache="set-cookie"')],
        [(b"cache-control", b"no-cache;x")],
        [(b"cache-control", b"max-age=60"), (b"cache-control", b"no-store")],
        [(b"cache-control", b"max-age=0")],
        [(b"cache-control", b"max-age=-1")],
        [(b"cache-control", b"max-age=soon")],
        [(b"cache-control", b"max-age")],
        [(b"cache-control", b"max-age=60, max-age=600"), (b"age", b"60")],
        [(b"cache-control", b'foo="a, max-age=600", max-age=0')],
        [(b"expires", b"0")],
        [(b"expires", b"-1")],
        [(b"expires", DATE), (b"date", DATE)],
        [(b"expires", DATE), (b"date", LATER)],
        [(b"age", b"300")],
        [(b"age", b"300, 1")],
        [(b"pragma", b"no-cache")],
        [(b"vary", b"*")],
        [(b"vary", b"Accept, *")],
        [(b"vary", b"User-Agent")],
        [(b"vary", b"accept"), (b"vary", b"Prefer")],
        [(b"content-range", b"bytes 0-1/2")],
    ],
)
def test_what_may_not_be_used_without_asking_is_not_stored(headers: list[tuple[bytes, bytes]]) -> None:
    """RFC 9111 §5.2.2.4, §5.2.2.5 forbid it, as RFC 9111 §4.1 does for Vary.

    RFC 9111 §5.3: what is no date is in the past.
    """
    assert freshness(*headers) is None


@pytest.mark.parametrize("status", [0, 201, 203, 204, 206, 301, 304, 404, 410, 429, 500])
def test_only_a_200_is_stored(status: int) -> None:
    assert freshness((b"cache-control", b"max-age=60"), status=status) is None


@pytest.mark.parametrize(
    "vary", [b"Accept", b"accept-language, Accept", b"Accept-Encoding", b"Origin", b"Authorization, Cookie"]
)
def test_what_varies_by_the_key_or_by_what_never_differs_is_stored(vary: bytes) -> None:
    """RFC 9111 §4.1, and §3.5: Authorization is that of the one connection whose answer it is."""
    assert freshness((b"vary", vary)) is not None


def test_an_answer_that_was_stored_on_its_way_is_as_old_as_it_says() -> None:
    assert freshness((b"age", b"40"), (b"cache-control", b"max-age=60")) == Freshness(
        60.0, 40.0, may_be_stale=True
    )


@pytest.mark.parametrize("directive", [b"must-revalidate", b"proxy-revalidate"])
def test_some_answers_are_never_used_stale(directive: bytes) -> None:
    found = freshness((b"cache-control", directive))
    assert found is not None
    assert refuse_stored(wanted(b"max-stale"), found, 299) is None
    assert refuse_stored(wanted(b"max-stale"), found, 301) == "stale"


@pytest.mark.parametrize(
    ("cache_control", "age", "refusal"),
    [
        (b"", 0, None),
        (b"", 99.9, None),
        (b"", 100, "stale"),
        (b"max-age=10", 9, None),
        (b"max-age=10", 10, "request"),
        (b"max-age=0", 0, "request"),
        (b"max-age=ten", 0, "request"),
        (b"no-cache", 0, "request"),
        (b"no-store", 0, "request"),
        (b"min-fresh=10", 89, None),
        (b"min-fresh=10", 91, "request"),
        (b"min-fresh=10", 101, "stale"),
        (b"max-stale=10", 110, None),
        (b"max-stale=10", 111, "stale"),
        (b"max-stale", 100_000, None),
        (b"max-stale=x", 101, "stale"),
        (b"max-age=50, max-stale=100", 120, None),
        (b"max-age=50, max-stale=100", 151, "request"),
        (b"only-if-cached", 0, None),
        (b"unheard-of, max-age=10", 11, "request"),
        (b'"no-cache', 0, None),
    ],
)
def test_the_requests_directives_are_obeyed(cache_control: bytes, age: float, refusal: str | None) -> None:
    """RFC 9111 §4.2, §4.2.4, §5.2.1, §5.2.1.1, §5.2.1.2, §5.2.1.4; the words are of RFC 9211 §2.2."""
    assert refuse_stored(wanted(cache_control), FRESH, age) == refusal


def test_pragma_counts_where_there_is_no_cache_control() -> None:
    """RFC 9111 §5.4."""
    assert read_wanted({b"pragma": b"No-Cache"}).no_cache
    assert not read_wanted({b"pragma": b"no-cache", b"cache-control": b"max-age=5"}).no_cache
    assert read_wanted({b"pragma": b"other"}) == read_wanted({}) == Wanted()


def test_only_if_cached_and_no_store_are_seen() -> None:
    """RFC 9111 §5.2.1.5, §5.2.1.7."""
    assert wanted(b"only-if-cached").only_if_cached
    assert wanted(b"NO-STORE").no_store
    assert not wanted(b'x="no-store"').no_store


@pytest.mark.parametrize(
    ("cache_control", "since", "joins"),
    [
        (b"", None, True),
        (b"", 5, True),
        (b"no-cache", None, True),
        (b"no-cache", 0, False),
        (b"max-age=0", None, True),
        (b"max-age=0", 0, False),
        (b"max-age=10", 9, True),
        (b"max-age=10", 11, False),
    ],
)
def test_who_wants_it_new_joins_a_call_that_was_not_sent_yet(
    cache_control: bytes, since: float | None, joins: object
) -> None:
    assert allows_joining(wanted(cache_control), since) is joins


def test_an_etag_is_strong_and_names_bytes_and_type() -> None:
    """RFC 9110 §8.8.1, §8.8.3."""
    etag = build_etag(b"text/plain", b"body")
    assert etag.startswith(b'"')
    assert etag.endswith(b'"')
    assert etag == build_etag(b"text/plain", b"body")
    others = {
        build_etag(b"text/html", b"body"),
        build_etag(None, b"body"),
        build_etag(b"text/plain", b"bodY"),
    }
    assert etag not in others
    assert len(others) == 3


@pytest.mark.parametrize(
    ("if_none_match", "matches"),
    [
        (None, False),
        (b"", False),
        (b"*", True),
        (b" * ", True),
        (b'"abc"', True),
        (b'W/"abc"', True),
        (b'"x", W/"abc" , "y"', True),
        (b"abc", False),
        (b'"abcd"', False),
        (b'"x, "abc""', True),
        (b'"ABC"', False),
        (b"'abc'", False),
    ],
)
def test_if_none_match_is_compared_weakly(if_none_match: bytes | None, matches: object) -> None:
    """RFC 9110 §13.1.2."""
    assert matches_etag(if_none_match, b'"abc"') is matches


def test_directives_are_read_with_quotes_lists_and_halves() -> None:
    assert parse_directives(b'a, b=1,, c="x, y" ,B=2, d e, f=, "g') == {
        b"a": None,
        b"b": b"1",
        b"c": b"x, y",
        b"d": b"",
        b"f": b"",
        b'"g': b"",
    }
    assert parse_directives(b"") == {}
    assert len(parse_directives(b'"\\' * 4000)) == 1


def test_seconds_are_digits_within_reason() -> None:
    """RFC 9111 §1.2.2: what is larger than can be told stands for 2^31."""
    assert parse_seconds(b"12") == 12
    assert parse_seconds(b"9" * 4000) == 2**31
    assert [parse_seconds(value) for value in (None, b"", b"+1", b"1.5", b"-1", b"1e3", "²".encode())] == [
        None
    ] * 7


def test_repeated_fields_are_one_list() -> None:
    """RFC 9110 §5.3."""
    assert join_fields([(b"a", b"1"), (b"b", b"2"), (b"a", b"3")]) == {b"a": b"1, 3", b"b": b"2"}
