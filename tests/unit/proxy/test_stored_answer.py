"""What is said of a stored answer when it is served."""

from __future__ import annotations

from gateway.proxy.caching import Freshness
from gateway.proxy.stored_answer import StoredAnswer, build_stored_fields, build_stored_head


def test_what_belonged_to_one_call_is_not_served_with_the_next() -> None:
    """RFC 9111 §3.5: no shared cache may keep it; RFC 9110 §8.8.1: the ETag is of these bytes."""
    passed = [
        (b"content-type", b"application/json"),
        (b"etag", b'W/"theirs"'),
        (b"age", b"7"),
        (b"cache-control", b"max-age=60, private"),
        (b"cache-status", b"other; hit"),
        (b"expires", b"0"),
        (b"last-modified", b"x"),
        (b"x-request-id", b"x"),
        (b"server-timing", b"x"),
        (b"content-length", b"4"),
        (b"vary", b"Accept"),
        (b"vary", b"Cookie"),
        (b"x-kept", b"y"),
    ]
    fields, etag = build_stored_fields(passed, b"application/json", b"body")
    assert fields == [
        (b"content-type", b"application/json"),
        (b"x-kept", b"y"),
        (b"etag", etag),
        (b"cache-control", b"private, no-cache"),
        (b"vary", b"Cookie, Accept"),
    ]


def stored() -> StoredAnswer:
    passed = [(b"content-type", b"a/b"), (b"content-location", b"/api/x"), (b"content-language", b"de")]
    fields, etag = build_stored_fields(passed, b"a/b", b"body")
    return StoredAnswer(
        fields=fields,
        content_type=b"a/b",
        body=b"body",
        etag=etag,
        freshness=Freshness(60.0, 3.0, may_be_stale=True),
        wall=100.0,
        monotonic=5.0,
        number=1,
        searched_for=b"",
    )


def test_a_200_has_everything_and_its_age() -> None:
    """RFC 9211 §2: each cache adds a member of its own; RFC 9111 §5.1: Age."""
    head = build_stored_head(stored(), is_match=False, age=7.9, cache_status=b"lexgate; hit")
    fields = dict(head.fields)
    assert (head.status, head.has_body, head.length, head.content_type) == (200, True, 4, b"a/b")
    assert (fields[b"age"], fields[b"cache-status"], fields[b"content-length"]) == (
        b"7",
        b"lexgate; hit",
        b"4",
    )
    assert fields[b"content-language"] == b"de"


def test_a_304_repeats_what_a_cache_needs_and_has_no_body() -> None:
    """RFC 9110 §13.1.2, §15.4.5."""
    head = build_stored_head(stored(), is_match=True, age=0, cache_status=b"lexgate; hit")
    assert (head.status, head.has_body, head.length, head.content_type) == (304, False, None, None)
    assert {name for name, _ in head.fields} == {
        b"age",
        b"cache-control",
        b"cache-status",
        b"content-location",
        b"etag",
        b"vary",
    }


def test_age_and_what_is_left_of_its_time() -> None:
    """RFC 9111 §4.2.3: it was three seconds old when it came; RFC 9211 §2.4: the ttl may be below zero."""
    answer = stored()
    assert answer.age(wall=110.0, monotonic=5.0) == 13.0
    assert answer.age(wall=90.0, monotonic=6.5) == 4.5
    assert (answer.ttl(13.0), answer.ttl(70.0)) == (47, -10)
    assert answer.size > 1024
