"""What the resource server may say to the app's origin."""

from __future__ import annotations

import pytest

from gateway.proxy.headers import HOP_BY_HOP
from gateway.proxy.response_headers import build_safety_headers, filter_response_headers

DESTINATION = "https://api.example.com"
SILENT = [(b"cache-control", b"no-store")]


def filter_one(name: str, value: bytes = b"x") -> list[tuple[bytes, bytes]]:
    return filter_response_headers([(name.encode(), value)], destination=DESTINATION)


def cache_headers(*values: bytes) -> list[tuple[bytes, bytes]]:
    return filter_response_headers([(b"Cache-Control", value) for value in values], destination=DESTINATION)


@pytest.mark.parametrize(
    "name",
    [
        *sorted(name.decode() for name in HOP_BY_HOP),
        "Set-Cookie",
        "SET-COOKIE",
        "Set-Cookie2",
        "Clear-Site-Data",
        "Strict-Transport-Security",
        "Content-Security-Policy",
        "Content-Security-Policy-Report-Only",
        "Permissions-Policy",
        "Referrer-Policy",
        "X-Frame-Options",
        "X-Content-Type-Options",
        "Access-Control-Allow-Origin",
        "Access-Control-Allow-Credentials",
        "Access-Control-Anything-New",
        "Cross-Origin-Opener-Policy",
        "Cross-Origin-Resource-Policy",
        "Timing-Allow-Origin",
        "Service-Worker-Allowed",
        "SourceMap",
        "X-SourceMap",
        "Refresh",
        "Speculation-Rules",
        "Alt-Svc",
        "NEL",
        "Report-To",
        "Reporting-Endpoints",
        "Set-Login",
        "Use-As-Dictionary",
        "Accept-CH",
        "Sec-WebSocket-Accept",
        "Server",
        "Via",
        "X-Powered-By",
        "X-AspNet-Version",
        "Date",
        "Authorization",
        "Authentication-Info",
        "X-Accel-Redirect",
        "X-Accel-Buffering",
        "X-Sendfile",
        "X-Lighttpd-Send-File",
        "Surrogate-Control",
        "CDN-Cache-Control",
        "Cloudflare-CDN-Cache-Control",
    ],
)
def test_header_that_could_harm_the_apps_origin_is_dropped(name: str) -> None:
    """RFC 9110 §7.6.1 for those of one connection."""
    assert filter_one(name) == SILENT


@pytest.mark.parametrize(
    "name",
    ["Content-Type", "Content-Length", "Content-Encoding", "Content-Disposition", "Content-Range",
     "Accept-Ranges", "ETag", "Last-Modified", "Expires", "Age", "Vary", "Retry-After", "Allow",
     "Server-Timing", "X-RateLimit-Remaining", "Deprecation", "Preference-Applied"],
)  # fmt: skip
def test_other_header_passes_unchanged_under_its_name_in_lower_case(name: str) -> None:
    assert filter_one(name, b"Some, Value") == [(name.lower().encode(), b"Some, Value"), *SILENT]


def test_header_named_by_connection_is_dropped() -> None:
    headers = [(b"Connection", b"close, X-Hop"), (b"X-Hop", b"1"), (b"X-Kept", b"2")]
    assert filter_response_headers(headers, destination=DESTINATION) == [(b"x-kept", b"2"), *SILENT]


@pytest.mark.parametrize("value", [b"a\r\nSet-Cookie: a=b", b"a\nb", b"a\x00", b"\x7f"])
def test_header_with_a_control_character_is_dropped(value: bytes) -> None:
    assert filter_one("X-Custom", value) == SILENT
    assert cache_headers(value) == SILENT


def test_only_the_first_content_type_counts() -> None:
    headers = [(b"Content-Type", b"application/pdf"), (b"content-type", b"text/html")]
    filtered = filter_response_headers(headers, destination=DESTINATION)
    assert filtered == [(b"content-type", b"application/pdf"), *SILENT]


def test_location_is_rewritten_or_dropped() -> None:
    assert filter_one("Location", b"https://api.example.com/v1/x") == [(b"location", b"/api/v1/x"), *SILENT]
    assert filter_one("Content-Location", b"/v1/x") == [(b"content-location", b"/api/v1/x"), *SILENT]
    assert filter_one("Location", b"javascript:alert(1)") == SILENT


def test_link_between_pages_is_rewritten_and_any_other_dropped() -> None:
    assert filter_one("Link", b"</v1/x?page=2>; rel=next") == [
        (b"link", b"</api/v1/x?page=2>; rel=next"),
        *SILENT,
    ]
    assert filter_one("Link", b"</app.js>; rel=preload; as=script") == SILENT


@pytest.mark.parametrize("value", [b'Bearer error="insufficient_scope"', b"bearer", b"DPoP algs=ES256"])
def test_challenge_for_a_token_passes(value: bytes) -> None:
    assert filter_one("WWW-Authenticate", value) == [(b"www-authenticate", value), *SILENT]


@pytest.mark.parametrize("value", [b'Basic realm="app"', b"Negotiate", b'Digest realm="app"', b""])
def test_challenge_that_opens_a_password_dialog_is_dropped(value: bytes) -> None:
    """RFC 9110 §11.6.1: browsers ask for a password under the app's name."""
    assert filter_one("WWW-Authenticate", value) == SILENT


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ((b"no-store",), b"no-store"),
        ((b"no-cache, no-store, must-revalidate",), b"no-cache, no-store, must-revalidate"),
        ((b"public, no-store",), b"no-store"),
        ((b"No-Store",), b"No-Store"),
        ((b"",), b"no-store"),
        ((b" , ",), b"no-store"),
    ],
)
def test_api_that_forbids_or_ignores_caching_is_not_cached(said: tuple[bytes, ...], kept: bytes) -> None:
    assert cache_headers(*said) == [(b"cache-control", kept)]


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ((b"private, max-age=60",), b"private, max-age=60"),
        ((b"max-age=60",), b"max-age=60, private"),
        ((b"public, max-age=60, s-maxage=600",), b"max-age=60, private"),
        ((b"PUBLIC", b"S-MaxAge=600, max-age=60"), b"max-age=60, private"),
        ((b"no-cache",), b"no-cache, private"),
        ((b"public",), b"private"),
        ((b'private="x-a, x-b", max-age=60',), b"max-age=60, private"),
        ((b'no-cache="set-cookie, x-a", max-age=60',), b'no-cache="set-cookie, x-a", max-age=60, private'),
        ((b'a="unbalanced, max-age=60',), b"a=, unbalanced, max-age=60, private"),
    ],
)
def test_no_shared_cache_may_store_what_was_asked_with_a_cookie(said: tuple[bytes, ...], kept: bytes) -> None:
    """RFC 9111 §3.5 protects requests with Authorization alone."""
    assert cache_headers(*said) == [(b"cache-control", kept), (b"vary", b"Cookie")]


@pytest.mark.parametrize(
    "content_type",
    [None, b"", b"application/json", b"text/html", b"image/svg+xml", b"application/pdf, text/html",
     b"application/pdfx", b"text/html; x=application/pdf", b"application/octet-stream"],
)  # fmt: skip
def test_answer_of_the_api_cannot_act_as_a_page(content_type: bytes | None) -> None:
    headers = dict(build_safety_headers(content_type))
    policy = headers[b"content-security-policy"].split(b"; ")
    assert policy == [b"default-src 'none'", b"frame-ancestors 'none'", b"sandbox"]
    assert headers[b"x-content-type-options"] == b"nosniff"
    assert headers[b"cross-origin-resource-policy"] == b"same-origin"


@pytest.mark.parametrize(
    "content_type", [b"application/pdf", b"Application/PDF", b"application/pdf;charset=x"]
)
def test_pdf_stays_viewable_within_the_app(content_type: bytes) -> None:
    headers = dict(build_safety_headers(content_type))
    assert b"sandbox" not in headers[b"content-security-policy"]
    assert b"frame-ancestors 'self'" in headers[b"content-security-policy"]
    assert headers[b"x-content-type-options"] == b"nosniff"
