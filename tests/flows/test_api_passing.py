"""What passes through /api, byte for byte, in both directions."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.support.running import running_gateway
from tests.support.wire import Reply, Wire, reply, running_wire

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.browser import Browser
    from tests.support.running import Running

LIMIT = 10 * 1024 * 1024


@pytest.fixture(scope="module")
def wire() -> Iterator[Wire]:
    with running_wire() as wire:
        yield wire


@pytest.fixture(scope="module")
def running(wire: Wire) -> Iterator[Running]:
    with running_gateway("openid", settings={"LEXGATE_API_URL": wire.url}) as running:
        yield running


@pytest.fixture
def signed_in(wire: Wire, browser: Browser) -> Browser:
    wire.reset()
    browser.sign_in()
    return browser


def pieces(size: int) -> Iterator[bytes]:
    for start in range(0, size, 65_536):
        yield bytes((start // 65_536 + offset) % 251 for offset in range(min(65_536, size - start)))


@pytest.mark.parametrize("size", [0, 1, 65_536, 65_537, 3_000_000, LIMIT])
@pytest.mark.parametrize("framing", ["chunked", "content-length"])
def test_a_body_of_any_size_arrives_whole(signed_in: Browser, wire: Wire, framing: str, size: int) -> None:
    whole = b"".join(pieces(size))
    content: object = whole if framing == "content-length" else pieces(size)
    assert signed_in.fetch("/api/v1/files", "POST", content=content).status_code == 200
    (heard,) = wire.heard
    assert len(heard.body) == size
    assert hashlib.sha256(heard.body).digest() == hashlib.sha256(whole).digest()


@pytest.mark.parametrize("framing", ["chunked", "content-length"])
def test_a_body_above_the_limit_is_413(signed_in: Browser, wire: Wire, framing: str) -> None:
    content: object = b"x" * (LIMIT + 1) if framing == "content-length" else pieces(LIMIT + 1)
    try:
        refused = signed_in.fetch("/api/v1/files", "POST", content=content)
    except httpx.WriteError:
        raise AssertionError("the connection went before the answer was read") from None
    assert (refused.status_code, refused.json()["code"]) == (413, "body_too_large")
    assert all(len(heard.body) <= LIMIT for heard in wire.heard)
    assert signed_in.fetch("/api/v1/files").status_code == 200


def test_an_answer_of_any_kind_arrives_untouched(signed_in: Browser, wire: Wire) -> None:
    pdf = b"%PDF-1.7\r\n" + bytes(range(256)) * 4000
    wire.script = lambda _: reply(
        200, pdf, 'Content-Disposition: inline; filename="R.pdf"', type_="application/pdf"
    )
    answer = signed_in.fetch("/api/v1/invoices/1/file")
    assert answer.content == pdf
    assert answer.headers["content-length"] == str(len(pdf))
    assert answer.headers["content-disposition"] == 'inline; filename="R.pdf"'
    assert answer.headers["content-security-policy"].startswith("frame-ancestors 'self'")


def test_a_chunked_answer_streams(signed_in: Browser, wire: Wire) -> None:
    chunk = b"8000\r\n" + b"z" * 0x8000 + b"\r\n"
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    wire.script = lambda _: Reply(head + chunk * 100 + b"0\r\n\r\n")
    answer = signed_in.fetch("/api/v1/contacts")
    assert answer.content == b"z" * 0x8000 * 100
    assert "content-length" not in answer.headers


@pytest.mark.parametrize(
    ("method", "said", "status"),
    [
        ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n", 200),
        ("GET", b"HTTP/1.1 204 No Content\r\n\r\n", 204),
        ("DELETE", b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", 204),
        ("GET", b'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\nContent-Length: 1234\r\n\r\n', 304),
        ("GET", b'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n', 304),
        (
            "GET",
            b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
            200,
        ),
    ],
)
def test_answers_without_a_body_leave_the_connection_usable(
    signed_in: Browser, wire: Wire, method: str, said: bytes, status: int
) -> None:
    """RFC 9110 §8.6: the length in a 304 or in an answer to HEAD is of a body that does not come."""
    wire.script = lambda _: Reply(said)
    for _ in range(2):
        answer = signed_in.fetch("/api/v1/articles/1", method)
        assert (answer.status_code, answer.content) == (status, b"")
    if method == "HEAD":
        assert answer.headers["content-length"] == "1234"
    wire.script = lambda _: reply()
    assert signed_in.fetch("/api/v1/articles/1").json() == {}


@pytest.mark.parametrize(
    "query", [b"name=johnson%20%26amp%3B%20partner", b"a=1&a=2&&=&b", b"x=%zz", b"q=a+b%2B%c3%BC", b"'(*)~"]
)
def test_path_and_query_pass_byte_for_byte(signed_in: Browser, wire: Wire, query: bytes) -> None:
    url = httpx.URL(f"{signed_in.origin}/api/v1/contacts/%41;x=1").copy_with(
        raw_path=b"/api/v1/contacts/%41;x=1?" + query
    )
    answer = httpx.get(url, headers={"Cookie": cookies(signed_in)}, trust_env=False)
    assert answer.status_code == 200
    assert wire.heard[-1].target == b"/v1/contacts/%41;x=1?" + query


def cookies(browser: Browser) -> str:
    jar = browser.cookies[browser.origin.removeprefix("http://")]
    return "; ".join(f"{name}={cookie.value}" for name, cookie in jar.items())


def test_a_created_resource_is_found_through_the_gateway(signed_in: Browser, wire: Wire) -> None:
    wire.script = lambda _: reply(201, b"{}", f"Location: {wire.url}/v1/contacts/7")
    created = signed_in.fetch("/api/v1/contacts", "POST", json={})
    assert (created.status_code, created.headers["location"]) == (201, "/api/v1/contacts/7")


def test_the_trace_goes_on_with_the_gateway_as_its_parent(signed_in: Browser, wire: Wire) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    answer = signed_in.fetch(
        "/api/v1/profile", headers={"traceparent": f"00-{trace}-b7ad6b7169203331-01", "tracestate": "a=b"}
    )
    sent = wire.heard[-1].header("traceparent")
    assert sent == f"00-{trace}-{answer.headers['x-request-id']}-01"
    assert wire.heard[-1].header("tracestate") == "a=b"


def test_nothing_of_the_browsers_identity_reaches_the_api(signed_in: Browser, wire: Wire) -> None:
    signed_in.fetch("/api/v1/contacts", "POST", json={}, headers={"X-Forwarded-For": "10.0.0.1"})
    heard = wire.heard[-1]
    names = {name for name, _ in heard.headers}
    assert not names & {"cookie", "origin", "referer", "x-csrf", "x-forwarded-for", "sec-fetch-site"}
    assert heard.header("host") == wire.url.removeprefix("http://")
    token = heard.header("authorization")
    assert token is not None
    assert token.startswith("Bearer ")


def test_a_cookie_of_the_api_reaches_neither_the_browser_nor_the_next_call(
    signed_in: Browser, wire: Wire
) -> None:
    wire.script = lambda _: reply(
        200, b"{}", "Set-Cookie: __Host-Http-lexgate=planted; Path=/", "Set-Cookie2: a=b"
    )
    for _ in range(2):
        answer = signed_in.fetch("/api/v1/profile")
        assert "set-cookie" not in answer.headers
        assert "set-cookie2" not in answer.headers
    assert wire.heard[-1].header("cookie") is None
    assert signed_in.fetch("/auth/session").json()["active"] is True


def test_an_answer_is_harmless_as_a_page(signed_in: Browser, wire: Wire) -> None:
    page = b"<script>parent.fetch('/auth/logout')</script>"
    fields = ("Access-Control-Allow-Origin: *", "Service-Worker-Allowed: /", 'Clear-Site-Data: "*"')
    wire.script = lambda _: reply(200, page, *fields, type_="text/html")
    answer = signed_in.fetch("/api/v1/page")
    assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'; sandbox"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert answer.headers["cache-control"] == "no-store"
    for name in ("access-control-allow-origin", "service-worker-allowed", "clear-site-data"):
        assert name not in answer.headers


@pytest.mark.parametrize(
    "type_", ["application/json", "application/pdf", "application/octet-stream", "image/png"]
)
def test_the_token_in_an_error_is_blotted_out_whatever_its_type(
    signed_in: Browser, wire: Wire, type_: str
) -> None:
    """As in lexoffice's own 403, which quotes the bearer token; here in body and header."""

    def echo(heard: object) -> Reply:
        value = getattr(heard, "header")("authorization")  # noqa: B009 - typed as object to stay a plain script
        return reply(
            403,
            b'{"message": "not a valid key=value pair in ' + value.encode() + b'"}',
            f"X-Echo: {value}",
            type_=type_,
        )

    wire.script = echo
    answer = signed_in.fetch("/api/v1/nothing")
    token = str(wire.heard[-1].header("authorization")).removeprefix("Bearer ")
    assert answer.status_code == 403
    assert token not in answer.text
    assert token not in str(answer.headers)
    assert "[redacted]" in answer.text
