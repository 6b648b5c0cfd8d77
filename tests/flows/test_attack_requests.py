"""The attack corpora on a real socket: refused as documented, nothing at the API, nothing left over."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gateway.browser.cookie import SESSION_COOKIE
from gateway.proxy.headers import REQUEST_HEADERS
from tests.support.browser import Browser
from tests.support.running import running_gateway
from tests.support.wire import Wire, reply, running_wire, send_raw, statuses

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.running import Running

DATA = Path(__file__).parents[1] / "data"
PROBE = b"GET /auth/session HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
"""Follows each attack on its connection: who takes a part of it for the attack's is desynchronised."""
READ_BY_THE_SERVER = ("#", "://evil.example/api", "file:", "\\n", " /api", "HTTP:")
"""Targets that the HTTP server cuts before the gateway sees them: authority, fragment, blank, line feed."""
SENT_BY_GATEWAY = {"host", "accept-encoding", "authorization", "traceparent", "tracestate"}


def read_corpus(name: str) -> list[str]:
    lines = (DATA / name).read_text(encoding="ascii").split("\n")
    return [line for line in lines if line and not line.startswith("# ")]


def to_bytes(line: str) -> bytes:
    return line.encode("ascii").decode("unicode_escape").encode("latin-1")


# What is one field to a program is another thing on a socket: blanks around a value are no part of it (RFC
# 9112 §5), and CR LF ends a field, or a head, for everybody.
PLAIN_ON_A_SOCKET = (":  5", ":  chunked", "a\\r\\nX-Forwarded", "a\\r\\n\\r\\nGET")
SMUGGLING = [
    line for line in read_corpus("header_smuggling") if not any(sign in line for sign in PLAIN_ON_A_SOCKET)
]


@pytest.fixture(scope="module")
def wire() -> Iterator[Wire]:
    with running_wire() as wire:
        yield wire


@pytest.fixture(scope="module")
def running(wire: Wire) -> Iterator[Running]:
    with running_gateway("openid", settings={"LEXGATE_API_URL": wire.url}) as running:
        yield running


@pytest.fixture(scope="module")
def cookie(running: Running) -> str:
    with Browser(running.public_url) as browser:
        browser.sign_in()
        return f"{SESSION_COOKIE}={browser.cookie(SESSION_COOKIE)}"


def send(running: Running, request: bytes) -> bytes:
    received = send_raw(running.public_url, request + PROBE)
    for answer in received.split(b"HTTP/1.1 ")[1:]:
        assert b"Traceback" not in answer
    return received


def assert_in_step(received: bytes) -> int:
    """Return the attack's status; after it the connection closes, or only the probe is answered."""
    first, *more = statuses(received)
    assert len(more) <= 1, received
    if more:
        assert more == [200]
        assert received.rstrip().endswith(b'"csrf_header":{"X-CSRF":"1"}}'), received
    else:
        assert b"connection: close" in received.lower()
    return first


@pytest.mark.parametrize("line", read_corpus("paths_refused"))
def test_a_refused_path_never_reaches_the_api(running: Running, wire: Wire, cookie: str, line: str) -> None:
    """RFC 9112 §3.2.1, RFC 3986 §3.3: what is no plain path below /api is nowhere."""
    wire.reset()
    request = b"GET " + to_bytes(line) + f" HTTP/1.1\r\nHost: x\r\nCookie: {cookie}\r\n\r\n".encode()
    received = send(running, request)
    status = assert_in_step(received)
    if any(sign in line for sign in READ_BY_THE_SERVER):
        assert {heard.target for heard in wire.heard} <= {b"/", b"/v1/profile", b"/v1/contacts?page=0"}
        return
    assert wire.heard == []
    assert status == 400 if line.startswith("/api/") else status in {200, 400, 404}, received


@pytest.mark.parametrize(
    "target",
    [
        "/..%2f..%2f..%2f..%2fetc/passwd",
        "/../pyproject.toml",
        "/%2e%2e/README.md",
        "/..\\README.md",
        "/styles/..%5c..%5cREADME.md",
        "//etc/passwd",
        "/.git/config",
        "/%2e%2e%2f%2e%2e%2fgateway/app.py",
        "/app/%2e%2e/%2e%2e/pyproject.toml",
    ],
)
def test_no_file_outside_the_spa_is_served(running: Running, target: str) -> None:
    received = send(running, f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert b"lexgate-gateway" not in received
    assert b"[tool." not in received
    assert b"root:" not in received
    assert_in_step(received)


@pytest.mark.parametrize("line", [line for line in SMUGGLING if line.startswith("refused ")])
def test_ambiguous_framing_is_refused_and_leaves_nothing_behind(
    running: Running, wire: Wire, cookie: str, line: str
) -> None:
    """RFC 9112 §6.1, §11.2: request smuggling; the next request on the connection is the next request."""
    wire.reset()
    fields = [to_bytes(field) for field in line.removeprefix("refused ").split(" && ")]
    names = {field.partition(b":")[0].lower() for field in fields}
    own = [b"Cookie: " + cookie.encode(), b"X-CSRF: 1", b"Origin: " + running.public_url.encode()]
    host = [] if b"host" in names else [b"Host: x"]
    head = b"\r\n".join([b"POST /api/v1/contacts HTTP/1.1", *host, *own, *fields])
    body = b"0\r\n\r\n" if names & {b"content-length", b"transfer-encoding"} else b""
    received = send(running, head + b"\r\n\r\n" + body)
    for heard in wire.heard:
        assert {name for name, _ in heard.headers} <= SENT_BY_GATEWAY | {
            name.decode() for name in REQUEST_HEADERS
        }, "a field came into being"
        assert heard.target == b"/v1/contacts"
    assert statuses(received)[0] == 400, received
    assert_in_step(received)


@pytest.mark.parametrize("line", [line for line in SMUGGLING if line.startswith("dropped ")])
def test_a_dropped_field_does_not_reach_the_api(running: Running, wire: Wire, cookie: str, line: str) -> None:
    wire.reset()
    fields = [to_bytes(field) for field in line.removeprefix("dropped ").split(" && ")]
    names = {field.partition(b":")[0].lower() for field in fields}
    own = [b"Cookie: " + cookie.encode(), b"Connection: close"]
    host = [] if b"host" in names else [b"Host: x"]
    head = b"\r\n".join([b"GET /api/v1/contacts HTTP/1.1", *host, *own, *fields])
    body = b"0\r\n\r\n" if b"transfer-encoding" in names else b""
    received = send_raw(running.public_url, head + b"\r\n\r\n" + body)
    assert statuses(received)[0] in {100, 200, 401, 403}, received
    for heard in wire.heard:
        sent = {name for name, _ in heard.headers}
        assert sent <= SENT_BY_GATEWAY | {name.decode() for name in REQUEST_HEADERS}
        assert "evil" not in str(heard.headers)
        assert "forged" not in str(heard.headers)
        assert "10.0.0.1" not in str(heard.headers)
        assert heard.header("accept-encoding") == "identity"


@pytest.mark.parametrize(
    ("fields", "size", "status"),
    [
        ("X-CSRF: 0", 1_000_000, 403),
        ("X-CSRF: 1", 11_000_000, 413),
        ("X-CSRF: 1\r\nCookie: a=b", 1_000_000, 401),
    ],
)
def test_the_body_of_a_refused_request_is_not_the_next_request(
    running: Running, wire: Wire, cookie: str, fields: str, size: int, status: int
) -> None:
    wire.reset()
    own = f"Origin: {running.public_url}\r\n" + ("" if "Cookie" in fields else f"Cookie: {cookie}\r\n")
    head = f"POST /api/v1/files HTTP/1.1\r\nHost: x\r\n{own}{fields}\r\nContent-Length: {size}\r\n\r\n"
    smuggled = b"GET /api/v1/smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
    body = smuggled * (size // len(smuggled) + 1)
    received = send(running, head.encode() + body[:size])
    assert assert_in_step(received) == status
    assert wire.heard == []


def test_pipelined_calls_are_answered_in_their_order(running: Running, wire: Wire, cookie: str) -> None:
    """RFC 9112 §9.3.2."""
    wire.reset()
    wire.script = lambda heard: reply(200, heard.target)
    calls = [f"GET /api/v1/{n} HTTP/1.1\r\nHost: x\r\nCookie: {cookie}\r\n\r\n" for n in range(5)]
    received = send(running, "".join(calls).encode())
    assert statuses(received) == [200] * 6
    places = [received.index(b"/v1/%d" % number) for number in range(5)]
    assert places == sorted(places)
