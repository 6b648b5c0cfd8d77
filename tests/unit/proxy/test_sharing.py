"""What tells one answer from another, and which calls are answered alone."""

from __future__ import annotations

import pytest

from gateway.proxy.request_fields import read_request_fields
from gateway.proxy.route import Route, RouteTable
from gateway.proxy.sharing import CachedPaths, Sharing, plan_sharing, public_path

ROUTES = RouteTable(
    [
        Route("/api", "https://api.example.com/base"),
        Route("/api/files", "https://files.example.com", strip="/api/files", attaches_token=True),
    ]
)
CACHED = CachedPaths({"/api/v1/kept": 60, "/api/v1/kept/not": 0, "/api/v1/kept/not/but": 5, "/api/files": 7})


def plan(path: bytes = b"/api/v1/thing", query: bytes = b"", /, **fields: str) -> Sharing | None:
    headers = [(name.replace("_", "-").encode(), value.encode()) for name, value in fields.items()]
    return plan_sharing(
        read_request_fields(headers),
        ROUTES.match(method="GET", raw_path=path, query=query),
        session=b"session",
        connection=b"connection",
        cached=CACHED,
    )


def lines(path: bytes = b"/api/v1/thing", /, **fields: str) -> list[bytes]:
    planned = plan(path, **fields)
    assert planned is not None
    return [each.lines for each in planned.keys]


@pytest.mark.parametrize(
    ("path", "seconds"),
    [
        (b"/api/v1/kept", 60),
        (b"/api/v1/kept/", 60),
        (b"/api/v1/kept/7", 60),
        (b"/api/v1/kept/not", 0),
        (b"/api/v1/kept/not/7", 0),
        (b"/api/v1/kept/not/but/7", 5),
        (b"/api/v1/keptt", 0),
        (b"/api/v1/Kept", 0),
        (b"/api/v1/%6bept", 0),
        (b"/api/v1/ke", 0),
        (b"/api/files/7", 7),
    ],
)
def test_the_longest_path_decides_for_how_long_and_only_as_it_is_written(path: bytes, seconds: float) -> None:
    planned = plan(path)
    assert planned is not None
    assert planned.seconds == seconds
    assert planned.path == path
    assert planned.kept_as.owner == (b"connection" if seconds else b"session")


def test_the_public_path_is_that_of_the_browser() -> None:
    for path in (b"/api/v1/a", b"/api/files/7", b"/api/a;b=%20"):
        matched = ROUTES.match(method="GET", raw_path=path, query=b"x=/y")
        assert public_path(matched) == path


def test_what_is_sent_is_what_passes_but_for_what_says_nothing_of_the_answer() -> None:
    """RFC 9218 §4; RFC 7240 §2 knows other preferences than how long to wait."""
    sent = lines(accept="a", priority="u=1", prefer="wait=5", user_agent="b", cookie="c", x_other="d")
    assert sent == [b"accept: a\r\nuser-agent: b\r\naccept-encoding: identity\r\n"]
    assert b"prefer: wait=5, return=minimal" in lines(prefer="wait=5, return=minimal")[0]


def test_a_condition_makes_two_keys_of_which_the_last_is_its_own() -> None:
    plain, own = lines(accept="a", if_none_match='"x"', if_modified_since="y")
    assert [plain] == lines(accept="a")
    assert own == b'accept: a\r\nif-none-match: "x"\r\nif-modified-since: y\r\naccept-encoding: identity\r\n'


def test_of_a_kept_path_nothing_is_sent_but_its_key() -> None:
    """RFC 9111 §4.1: what is not in the key cannot select another answer."""
    told = {"accept": "a", "accept_language": "de", "user_agent": "b", "prefer": "c", "if_none_match": '"x"'}
    planned = plan(b"/api/v1/kept", **told)
    assert planned is not None
    keyed = b"accept: a\r\naccept-language: de\r\nuser-agent: lexgate\r\naccept-encoding: identity\r\n"
    assert planned.kept_as.lines == planned.keys[-1].lines == keyed
    assert planned.if_none_match == b'"x"'


@pytest.mark.parametrize("cache_control", ["no-cache", "max-age=0", "max-age=5, evil", "no-cache=evil"])
def test_who_insists_does_so_in_the_gateways_words(cache_control: str) -> None:
    """RFC 9111 §5.2: directives are for the caches on the way, too."""
    kept = lines(b"/api/v1/kept")
    assert lines(b"/api/v1/kept", cache_control=cache_control) == [kept[-1] + b"cache-control: no-cache\r\n"]
    assert kept[0] == kept[-1] + b"cache-control: no-cache\r\n"
    assert b"cache-control: " + cache_control.encode() in lines(cache_control=cache_control)[0]


def test_a_field_that_connection_names_is_in_no_key() -> None:
    """RFC 9110 §7.6.1."""
    assert lines(b"/api/v1/kept", accept="evil", connection="accept") == lines(b"/api/v1/kept")


@pytest.mark.parametrize(
    "fields",
    [
        {"range": "bytes=0-1"},
        {"if_range": '"x"'},
        {"if_match": '"x"'},
        {"if_unmodified_since": "x"},
        {"cache_control": "no-store"},
        {"content_type": "a/b"},
        {"content_digest": "a"},
        {"idempotency_key": "a"},
        {"last_event_id": "a"},
    ],
)
@pytest.mark.parametrize("path", [b"/api/v1/kept", b"/api/v1/thing"])
def test_some_calls_are_answered_alone(path: bytes, fields: dict[str, str]) -> None:
    """RFC 9110 §13.1, §14.2; RFC 9111 §5.2.1.5."""
    assert plan(path, **fields) is None


def test_only_if_cached_means_nothing_where_nothing_is_kept() -> None:
    """RFC 9111 §5.2.1.7."""
    assert plan(cache_control="only-if-cached") is None
    assert plan(b"/api/v1/kept", cache_control="only-if-cached") is not None


def test_the_query_is_a_part_of_the_target_byte_for_byte() -> None:
    queries = [b"", b"a=1&b=2", b"b=2&a=1", b"a=1&b=2&", b"A=1&b=2", b"a=%31&b=2"]
    planned = [plan(b"/api/v1/kept", query) for query in queries]
    assert len({each.kept_as for each in planned if each is not None}) == len(queries)
