"""The resource server in trouble: what is asked again, what never is, and what the browser is told."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import httpx
import pytest

from gateway.browser.cookie import SESSION_COOKIE
from gateway.listener import bind
from tests.support.browser import Browser
from tests.support.running import running_gateway
from tests.support.wire import SECONDS, Reply, Wire, reply, running_wire

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.running import Running

MAY_HAVE_BEEN_PERFORMED = "The call may have been performed."
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


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


def first(wire: Wire, *answers: Reply) -> None:
    """Script these answers, then `{}` for ever."""
    left = list(answers)
    wire.script = lambda _: left.pop(0) if left else reply()


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_429_is_waited_for_and_sent_again_whatever_the_method(
    signed_in: Browser, wire: Wire, method: str
) -> None:
    """RFC 6585 §4: it was refused before it was performed."""
    first(wire, reply(429, b'{"message": "Rate limit exceeded"}'))
    answer = signed_in.fetch("/api/v1/contacts", method, content=b"abc" if method == "POST" else None)
    assert answer.status_code == 200
    assert [heard.body for heard in wire.heard] == ([b"abc"] * 2 if method == "POST" else [b""] * 2)


def test_a_429_longer_than_the_callers_patience_is_passed_on(signed_in: Browser, wire: Wire) -> None:
    wire.script = lambda _: reply(429, b'{"message": "Rate limit exceeded"}')
    answer = signed_in.fetch("/api/v1/contacts", headers={"Prefer": "wait=0"})
    assert answer.status_code == 429
    assert answer.json() == {"message": "Rate limit exceeded"}
    assert int(answer.headers["retry-after"]) >= 1
    wire.script = lambda _: reply(429, b"{}", "Retry-After: 30")
    answer = signed_in.fetch("/api/v1/contacts")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "30")
    assert len(wire.heard) == 2


@pytest.mark.parametrize("trouble", [reply(504), Reply(closes=True)])
def test_a_lost_get_is_asked_once_more(signed_in: Browser, wire: Wire, trouble: Reply) -> None:
    first(wire, trouble)
    assert signed_in.fetch("/api/v1/contacts").status_code == 200
    assert len(wire.heard) == 2


def test_a_get_that_is_lost_twice_is_told(signed_in: Browser, wire: Wire) -> None:
    wire.script = lambda _: Reply(closes=True)
    refused = signed_in.fetch("/api/v1/contacts")
    assert (refused.status_code, refused.json()["code"]) == (502, "resource_server_broken")
    assert MAY_HAVE_BEEN_PERFORMED not in refused.text
    assert len(wire.heard) == 2


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_a_lost_write_is_never_sent_again(signed_in: Browser, wire: Wire, method: str) -> None:
    wire.script = lambda _: Reply(closes=True)
    refused = signed_in.fetch("/api/v1/contacts/1", method, content=b"abc")
    assert (refused.status_code, refused.json()["detail"]) == (502, MAY_HAVE_BEEN_PERFORMED)
    assert len(wire.heard) == 1
    wire.script = lambda _: reply(504, b'{"message": "Endpoint request timed out"}')
    refused = signed_in.fetch("/api/v1/contacts/1", method, content=b"abc")
    assert (refused.status_code, refused.json()) == (504, {"message": "Endpoint request timed out"})
    assert len(wire.heard) == 2


@pytest.mark.parametrize(
    "said",
    [
        b"garbage\r\n\r\n",
        b"HTTP/1.1 600 Beyond\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 999 Beyond\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nX-A: " + b"a" * 200_000 + b"\r\n\r\n",
        HEAD + b"Content-Encoding: br\r\nContent-Length: 2\r\n\r\n{}",
        HEAD + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nhalf",
    ],
)
def test_what_is_no_answer_is_a_502(signed_in: Browser, wire: Wire, said: bytes) -> None:
    wire.script = lambda _: Reply(said, closes=True)
    refused = signed_in.fetch("/api/v1/contacts", "POST")
    assert (refused.status_code, refused.json()["code"]) == (502, "resource_server_broken"), refused.text
    assert refused.json()["detail"] == MAY_HAVE_BEEN_PERFORMED
    wire.script = lambda _: reply()
    assert signed_in.fetch("/api/v1/contacts").status_code == 200


@pytest.mark.parametrize(
    "said",
    [
        HEAD + b"Content-Length: 100\r\n\r\nhalf",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nzz\r\n",
    ],
)
def test_an_answer_that_breaks_off_looks_broken_to_the_browser(
    signed_in: Browser, wire: Wire, said: bytes
) -> None:
    """RFC 9112 §8: half an answer must not pass for a whole one."""
    wire.script = lambda _: Reply(said, closes=True)
    with pytest.raises(httpx.RemoteProtocolError):
        signed_in.fetch("/api/v1/contacts")
    assert len(wire.heard) == 1
    wire.script = lambda _: reply()
    assert signed_in.fetch("/api/v1/contacts").status_code == 200


def test_a_browser_that_leaves_frees_the_upstream(signed_in: Browser, wire: Wire, running: Running) -> None:
    wire.script = lambda _: Reply(waits=True)
    value = signed_in.cookie(SESSION_COOKIE)
    port = int(running.public_url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as connection:
        request = f"GET /api/v1/slow HTTP/1.1\r\nHost: x\r\nCookie: {SESSION_COOKIE}={value}\r\n\r\n"
        connection.sendall(request.encode())
        assert wire.begun.wait(SECONDS)
    assert wire.left.wait(SECONDS), "the call to the API went on for nobody"
    wire.script = lambda _: reply()
    assert signed_in.fetch("/api/v1/contacts").status_code == 200


def test_a_browser_that_leaves_in_the_middle_of_an_answer_frees_the_upstream(
    signed_in: Browser, wire: Wire, running: Running
) -> None:
    wire.script = lambda _: Reply(HEAD + b"Content-Length: 1000\r\n\r\nbegun", waits=True)
    value = signed_in.cookie(SESSION_COOKIE)
    port = int(running.public_url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as connection:
        request = f"GET /api/v1/slow HTTP/1.1\r\nHost: x\r\nCookie: {SESSION_COOKIE}={value}\r\n\r\n"
        connection.sendall(request.encode())
        received = b""
        while b"begun" not in received:
            received += connection.recv(65536)
    assert wire.left.wait(SECONDS)


def test_a_browser_that_leaves_in_the_middle_of_its_upload_frees_the_upstream(
    signed_in: Browser, wire: Wire, running: Running
) -> None:
    value = signed_in.cookie(SESSION_COOKIE)
    port = int(running.public_url.rpartition(":")[2])
    head = (
        f"POST /api/v1/files HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\nX-CSRF: 1\r\n"
        f"Origin: {running.public_url}\r\nCookie: {SESSION_COOKIE}={value}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as connection:
        connection.sendall(head.encode() + b"x" * 500_000)
        assert wire.begun.wait(SECONDS)
    assert wire.left.wait(SECONDS)
    assert signed_in.fetch("/api/v1/contacts").status_code == 200
    assert [heard.method for heard in wire.heard] == ["GET"], "half an upload is no request"


def test_an_api_that_is_down_is_told() -> None:
    with bind("127.0.0.1", 0, setting="PORT") as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    with (
        running_gateway("openid", settings={"LEXGATE_API_URL": url}) as running,
        Browser(running.public_url) as browser,
    ):
        browser.sign_in()
        refused = browser.fetch("/api/v1/contacts", "POST", content=b"abc")
        assert (refused.status_code, refused.json()["code"]) == (502, "resource_server_unreachable")
        assert MAY_HAVE_BEEN_PERFORMED not in refused.text
        assert browser.fetch("/auth/session").json()["active"] is True
