"""Which calls under /api are forwarded, where to, and byte for byte how."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import BrowserError, MethodRefused, PathRefused, RouteUnknown, WebSocketRefused
from gateway.proxy.request_target import MAX_TARGET_BYTES, validate_path
from gateway.proxy.route import MatchedRoute, Route, RouteTable

DATA = Path(__file__).parents[2] / "data"
API = Route(prefix="/api", destination="https://api.example.com")


def read_lines(name: str) -> list[str]:
    """Lines of a corpus without its "# " comments."""
    lines = (DATA / name).read_text(encoding="ascii").splitlines()
    return [line for line in lines if not line.startswith("# ")]


def to_bytes(line: str) -> bytes:
    r"""Turn "\xNN", "\r", "\n", "\t" and "\\" of a corpus into bytes."""
    return line.encode("ascii").decode("unicode_escape").encode("latin-1")


def match(target: bytes, *routes: Route, method: str = "GET") -> MatchedRoute:
    """Match a request target as a server hands it on: cut at the first question mark."""
    raw_path, _, query = target.partition(b"?")
    return RouteTable(routes or (API,)).match(method=method, raw_path=raw_path, query=query)


@pytest.mark.parametrize("line", read_lines("paths_refused"))
def test_route_refuses_a_path_that_can_be_read_in_two_ways(line: str) -> None:
    # RFC 3986 §3.3, RFC 3986 §5.2.4, RFC 3629 §3, RFC 9112 §3.2.1
    with pytest.raises(PathRefused) as refusal:
        match(to_bytes(line))
    assert refusal.value.status == 400
    assert refusal.value.code == "path_refused"


def test_corpus_of_refused_paths_holds_no_line_twice() -> None:
    lines = read_lines("paths_refused")
    assert len(lines) == len(set(lines)) >= 120


@pytest.mark.parametrize("line", read_lines("paths_allowed"))
def test_route_sends_an_allowed_path_and_query_byte_for_byte(line: str) -> None:
    received, sent = (to_bytes(part) for part in line.rsplit(maxsplit=1))
    assert match(received).target == sent


@given(st.binary(max_size=40))
def test_route_sends_the_bytes_received_or_nothing(raw: bytes) -> None:
    try:
        matched = match(b"/api/" + raw)
    except BrowserError:
        return
    path, _, query = raw.partition(b"?")
    assert matched.target == b"/" + path + (b"?" + query if query else b"")
    assert not set(matched.target) & set(b"# \r\n\x00\x7f")
    assert b"\\" not in path
    assert all(segment not in {b".", b".."} for segment in path.split(b"/"))


@pytest.mark.parametrize(
    "path", [b"/", b"/apix", b"/apix/v1", b"/api.evil.example/v1", b"/API/v1", b"/ap", b"/api;a=b/v1"]
)
def test_route_leads_nowhere_outside_the_mount_point(path: bytes) -> None:
    with pytest.raises(RouteUnknown):
        match(path)


@pytest.mark.parametrize("path", [b"/auth/session", b"/auth/m%C3%BCller", b"/%2561pi/v1", b"/v1%20x"])
def test_route_leads_nowhere_for_a_harmless_path_of_somebody_else(path: bytes) -> None:
    with pytest.raises(RouteUnknown):
        match(path)


def test_route_refuses_an_overlong_target_but_not_the_longest() -> None:
    longest = b"/api/" + b"a" * (MAX_TARGET_BYTES - len("/api/") - len("q=1"))
    assert match(longest + b"?q=1").target.endswith(b"?q=1")
    with pytest.raises(PathRefused):
        match(longest + b"?q=12")


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
def test_route_allows_the_usual_methods(method: str) -> None:
    assert match(b"/api/v1/profile", method=method).route is API


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "TRACK", "OPTIONS", "PROPFIND", "get", "", "GET "])
def test_route_refuses_other_methods(method: str) -> None:
    with pytest.raises(MethodRefused) as refusal:
        match(b"/api/v1/profile", method=method)
    assert refusal.value.allowed == ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "TRACK"])
def test_route_never_allows_methods_that_echo_or_tunnel(method: str) -> None:
    """RFC 9110 §9.3.8: TRACE answers with the request, token included; §9.3.6: CONNECT is a tunnel."""
    careless = Route("/api", "https://api.example.com", methods=frozenset({"GET", method}))
    with pytest.raises(MethodRefused) as refusal:
        match(b"/api/v1/profile", careless, method=method)
    assert refusal.value.allowed == ("GET",)


def test_route_with_the_longest_prefix_wins() -> None:
    files = Route("/api/v1/files", "https://files.example.com", body_limit=50)
    for routes in ((API, files), (files, API)):
        assert match(b"/api/v1/files/1", *routes).route is files
        assert match(b"/api/v1/files", *routes).route is files
        assert match(b"/api/v1/filesystem", *routes).route is API


def test_route_is_matched_on_the_decoded_path() -> None:
    files = Route("/api/v1/files", "https://files.example.com")
    matched = match(b"/api/v1/f%69les/1", API, files)
    assert matched.route is files
    assert matched.target == b"/v1/f%69les/1"


@pytest.mark.parametrize(
    "destination", ["https://api.example.com/base/v2", "https://api.example.com/base/v2/"]
)
def test_route_puts_the_base_path_of_its_destination_first(destination: str) -> None:
    route = Route("/api/", destination)
    assert match(b"/api/x?y=1", route).target == b"/base/v2/x?y=1"
    assert match(b"/api", route).target == b"/base/v2"
    assert (route.origin, route.base_path) == ("https://api.example.com", "/base/v2")


def test_route_has_the_documented_defaults() -> None:
    assert API.body_limit == 10 * 1024 * 1024
    assert API.attaches_token
    assert API.base_path == ""
    assert API.timeouts.total >= API.timeouts.idle >= API.timeouts.first_byte >= API.timeouts.connect


@pytest.mark.parametrize("prefix", ["", "/", "/v1", "api", "/apix", "/auth"])
def test_route_cannot_be_built_outside_the_mount_point(prefix: str) -> None:
    with pytest.raises(ValueError, match="prefix"):
        Route(prefix, "https://api.example.com")


@pytest.mark.parametrize(
    "destination",
    ["", "api.example.com", "/base", "ftp://a.example", "https://", "https:///x", "https://u@a.example",
     "https://a.example?x", "https://a.example/#", "https://a b"],
)  # fmt: skip
def test_route_cannot_be_built_without_a_plain_destination(destination: str) -> None:
    with pytest.raises(ValueError, match="destination"):
        Route("/api", destination)


def test_validated_path_is_decoded_once() -> None:
    assert validate_path(b"/api/a%2520b") == "/api/a%20b"
    assert validate_path(b"/api/%C3%BC") == "/api/ü"


def test_route_names_host_and_template_of_its_own() -> None:
    """RFC 9110 §7.2: Host is the destination's authority, its port included."""
    route = Route("/api/v1/", "https://api.example.com:8443/base/")
    assert (route.host, route.template) == (b"api.example.com:8443", "/api/v1/*")
    assert (API.host, API.template) == (b"api.example.com", "/api/*")


def test_route_strips_what_its_destination_stands_for() -> None:
    files = Route("/api/v1/files", "https://files.example.com/store", strip="/api/v1/files")
    halfway = Route("/api/v2/files", "https://files.example.com", strip="/api/v2")
    assert match(b"/api/v1/files/1?x=%2F", API, files).target == b"/store/1?x=%2F"
    assert match(b"/api/v1/files", API, files).target == b"/store"
    assert match(b"/api/v2/files/1", API, halfway).target == b"/files/1"
    # RFC 3986 §2.3: what is matched decoded would be cut elsewhere in the raw path.
    with pytest.raises(PathRefused):
        match(b"/api/v1/f%69les/1", API, files)


@pytest.mark.parametrize("strip", ["", "/", "/v1", "/api/v1/files/deep", "/api/v1/file", "/api/v2"])
def test_route_strips_nothing_but_a_beginning_of_its_prefix(strip: str) -> None:
    with pytest.raises(ValueError, match="strips"):
        Route("/api/v1/files", "https://files.example.com", strip=strip)


def test_route_opens_websockets_only_where_it_says_so() -> None:
    live = Route("/api/live", "https://live.example.com", websocket=True, methods=frozenset({"POST"}))
    table = RouteTable((API, live))
    matched = table.match_websocket(raw_path=b"/api/live/ticker", query=b"a=b")
    assert (matched.route, matched.target) == (live, b"/live/ticker?a=b")
    with pytest.raises(WebSocketRefused) as refusal:
        table.match_websocket(raw_path=b"/api/v1/ticker", query=b"")
    assert (refusal.value.status, refusal.value.code) == (403, "websocket_refused")
    with pytest.raises(RouteUnknown):
        table.match_websocket(raw_path=b"/live", query=b"")
    with pytest.raises(PathRefused):
        table.match_websocket(raw_path=b"/api/live/../v1", query=b"")
