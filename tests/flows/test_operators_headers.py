"""What every answer carries, whoever gives it, and how what is not offered is refused."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.datastructures import MutableHeaders

from gateway.web.guard import SPA_POLICY, WORKER_POLICY, spare_documents_fields
from tests.support.browser import Browser
from tests.support.running import running_gateway

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.running import Running

HARMLESS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "x-frame-options": "DENY",
}
ALWAYS = HARMLESS | {"cross-origin-opener-policy": None, "x-frame-options": None}
"""Of a script, a style, a picture: what holds wherever it is used; the rest is of documents."""
PAGE = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
FILE = "/app/main.js"
STYLE = "/styles/base.css"
ANSWERS = {
    "the app": ("GET", "/", {}, 200),
    "a path of the app": ("GET", "/vouchers", {}, 200),
    "a file": ("GET", FILE, {}, 200),
    "a file's head": ("HEAD", FILE, {}, 200),
    "a style": ("GET", STYLE, {}, 200),
    "a picture that can run scripts": ("GET", "/favicon.svg", {}, 200),
    "a part of a file": ("GET", FILE, {"Range": "bytes=0-1"}, 206),
    "no such part": ("GET", FILE, {"Range": "bytes=99999999-"}, 416),
    "a malformed range": ("GET", FILE, {"Range": "bytes=x"}, 400),
    "a missing file": ("GET", "/missing.js", {}, 404),
    "a missing page": ("GET", "/auth/missing", PAGE, 404),
    "a refused method": ("POST", "/", {}, 405),
    "the client": ("GET", "/auth/client.js", {}, 200),
    "the style of the pages": ("GET", "/auth/page.css", {}, 200),
    "the end of a sign-in": ("GET", "/auth/signed-in", PAGE, 200),
    "its script": ("GET", "/auth/signed-in.js", {}, 200),
    "a redirect": ("GET", "/auth/login", PAGE, 302),
    "a script's sign-in": ("GET", "/auth/login", {"Sec-Fetch-Mode": "cors"}, 403),
    "a failed callback": ("GET", "/auth/callback?state=x&code=y", PAGE, 400),
    "the session": ("GET", "/auth/session", {}, 200),
    "a sign-out from elsewhere": ("POST", "/auth/logout", {"Origin": "https://evil.example"}, 403),
    "a call without a session": ("GET", "/api/v1/profile", {}, 401),
    "a refused path": ("GET", "/api/v1/..%2f", {}, 400),
    "a call from elsewhere": ("GET", "/api/v1/profile", {"Sec-Fetch-Site": "cross-site"}, 403),
}
PARTS = {
    *("a file", "a file's head", "a part of a file", "a style", "the client", "the style of the pages"),
    "its script",
}


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with running_gateway() as running:
        yield running


@pytest.fixture(scope="module")
def secure() -> Iterator[Running]:
    """Run a gateway that browsers reach by https, through a proxy."""
    with running_gateway(settings={"LEXGATE_PUBLIC_URL": "https://app.example.com"}) as running:
        yield running


@pytest.fixture
def client(running: Running) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=running.public_url, trust_env=False) as client:
        yield client


@pytest.fixture
def url(running: Running) -> str:
    return running.public_url


@pytest.mark.parametrize("name", ANSWERS)
def test_every_answer_carries_what_keeps_it_harmless(running: Running, secure: Running, name: str) -> None:
    method, path, headers, status = ANSWERS[name]
    for stage in (running, secure):
        answer = httpx.request(method, f"{stage.public_url}{path}", headers=headers, trust_env=False)
        assert answer.status_code == status
        is_document = name not in PARTS
        expected = HARMLESS if is_document else ALWAYS
        assert {field: answer.headers.get(field) for field in HARMLESS} == expected
        # RFC 6797 §7.2: never over http, where a browser would not heed it
        assert ("strict-transport-security" in answer.headers) is (stage is secure)
        for field in ("set-cookie", "location"):
            assert len(answer.headers.get_list(field)) <= 1
        for server in ("server", "x-powered-by"):
            assert server not in answer.headers
        policies = answer.headers.get_list("content-security-policy")
        is_script = not is_document and path.endswith(".js")
        assert len(policies) == is_document + is_script
        if is_script:
            assert policies == [WORKER_POLICY]
            continue
        for policy in policies:
            assert "default-src 'none'" in policy
            assert "frame-ancestors 'none'" in policy
            assert "unsafe-" not in policy


@pytest.mark.parametrize(
    "name", [name for name in ANSWERS if ANSWERS[name][1].startswith(("/auth/", "/api/"))]
)
def test_what_is_of_one_person_is_not_kept(running: Running, name: str) -> None:
    method, path, headers, _ = ANSWERS[name]
    answer = httpx.request(method, f"{running.public_url}{path}", headers=headers, trust_env=False)
    is_a_shipped_file = path.endswith((".js", ".css"))
    assert answer.headers["cache-control"] == ("no-cache" if is_a_shipped_file else "no-store")


def test_hsts_speaks_for_this_host_alone(secure: Running) -> None:
    answer = httpx.get(f"{secure.public_url}/", trust_env=False)
    assert answer.headers["strict-transport-security"] == "max-age=31536000"


def test_the_app_may_load_nothing_from_elsewhere(running: Running) -> None:
    policy = httpx.get(f"{running.public_url}/", trust_env=False).headers["content-security-policy"]
    assert policy == SPA_POLICY
    directives = dict(directive.split(" ", 1) for directive in policy.split("; "))
    assert {source for sources in directives.values() for source in sources.split()} <= {
        *("'none'", "'self'", "data:", "blob:", "'script'", "lexgate")
    }
    assert directives["script-src"] == directives["style-src"] == directives["connect-src"] == "'self'"
    assert directives["worker-src"] == "'self'"
    # The client makes its worker's URL by this policy; a second of the name is refused.
    assert directives["require-trusted-types-for"] == "'script'"
    assert directives["trusted-types"] == "lexgate"


@pytest.mark.parametrize("path", ["/", FILE, STYLE, "/favicon.svg", "/auth/client.js"])
def test_a_not_modified_answer_is_as_harmless(client: httpx.Client, path: str) -> None:
    # RFC 9111 §3.2: its fields replace those that the browser has kept.
    first = client.get(path)
    answer = client.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert answer.status_code == 304
    fields = [*HARMLESS, "content-security-policy"]
    assert [answer.headers.get(field) for field in fields] == [first.headers.get(field) for field in fields]


def test_a_worker_may_do_no_more_than_the_page() -> None:
    # CSP3 §4.2: a worker has the policy of its own script's answer.
    page = dict(directive.split(" ", 1) for directive in SPA_POLICY.split("; "))
    worker = dict(directive.split(" ", 1) for directive in WORKER_POLICY.split("; "))
    for name in ("script-src", "connect-src", "worker-src", "font-src"):
        assert worker["default-src"] == page[name] == "'self'"
    for name in ("require-trusted-types-for", "trusted-types"):
        assert worker[name] == page[name]


@pytest.mark.parametrize(
    ("media_type", "is_part"),
    [
        *((one, True) for one in ("text/css; charset=utf-8", "text/javascript", "font/woff2", "image/png")),
        *((one, True) for one in ("application/wasm", "application/manifest+json", "image/webp")),
        *((one, False) for one in ("text/html", "image/svg+xml", "application/xhtml+xml", "text/xml", None)),
        *((one, False) for one in ("application/pdf", "text/plain", "application/json", "", "fonts/x")),
    ],
)
def test_what_may_be_a_document_keeps_what_documents_heed(media_type: str | None, *, is_part: bool) -> None:
    headers = MutableHeaders()
    spare_documents_fields(headers, media_type)
    assert ("x-frame-options" in headers) is is_part


def test_what_the_api_answers_is_as_harmless(running: Running) -> None:
    with Browser(running.public_url) as browser:
        browser.sign_in()
        answers = [browser.fetch(path) for path in ("/api/v1/contacts", "/api/v1/nowhere")]
    for answer in answers:
        assert {field: answer.headers.get(field) for field in HARMLESS} == HARMLESS
        assert answer.headers["content-security-policy"] == (
            "default-src 'none'; frame-ancestors 'none'; sandbox"
        )
        assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/", "GET, HEAD"),
        ("/app.js", "GET, HEAD"),
        ("/vouchers", "GET, HEAD"),
        ("/auth/client.js", "GET, HEAD"),
        ("/auth/login", "GET"),
        ("/auth/callback", "GET"),
        ("/auth/session", "GET"),
    ],
)
def test_what_is_only_read_says_so(client: httpx.Client, method: str, path: str, allowed: str) -> None:
    # RFC 9110 §15.5.6: 405 names what is allowed
    answer = client.request(method, path)
    assert (answer.status_code, answer.json()["code"]) == (405, "method_refused")
    assert answer.headers["allow"] == allowed


@pytest.mark.parametrize("path", ["/auth/logout", "/auth/session/refresh"])
def test_what_changes_something_is_no_link(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert client.post("/auth/unknown").status_code == 404


def test_a_websocket_is_answered_as_the_plain_request_that_it_is(url: str) -> None:
    # RFC 9110 §7.8: an Upgrade field may be ignored; without a 101 no browser opens a WebSocket
    netloc = urlsplit(url).netloc
    upgrade = (
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x\r\n"
    )
    for path, status in (("/api/v1/profile", b"401"), ("/auth/session", b"200")):
        with socket.create_connection(("127.0.0.1", urlsplit(url).port or 0), timeout=10) as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {netloc}\r\n{upgrade}\r\n".encode())
            received = connection.recv(65536)
            assert received.startswith(b"HTTP/1.1 " + status)
            assert b"\r\nconnection: close\r\n" in received, "llhttp reads nothing behind such a head"
            assert b"101" not in received.splitlines()[0]
