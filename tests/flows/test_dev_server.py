"""A dev server behind the gateway: what reaches it, what comes back, and who may ask at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from tests.support.browser import Browser
from tests.support.ports import free_port
from tests.support.raw_upstream import RawUpstream, in_chunks, running_raw_upstream
from tests.support.running import Running, running_gateway
from tests.support.sockets import open_socket, refusal_of, running_socket_server
from tests.support.wire import SECONDS, send_raw, statuses, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.raw_upstream import Connection
    from tests.support.rfc9112 import Request
    from tests.support.sockets import SocketServer

PAGE = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
LARGE = b"0123456789abcdef" * 40_000
SECRETS = {
    "Authorization": "Basic eA==",
    "Cookie": "theirs=1; __Host-Http-lexgate=ours",
    "X-CSRF": "1",
    "X-Forwarded-For": "1.2.3.4",
    "X-Forwarded-Host": "evil.example",
    "X_Forwarded_User": "anna",
}


@pytest.fixture(scope="module")
def stage() -> Iterator[tuple[Running, RawUpstream]]:
    with running_raw_upstream() as server, running_gateway(dev_server=server.url) as running:
        yield running, server


@pytest.fixture
def running(stage: tuple[Running, RawUpstream]) -> Running:
    return stage[0]


@pytest.fixture
def server(stage: tuple[Running, RawUpstream]) -> Iterator[RawUpstream]:
    stage[1].reset()
    yield stage[1]
    assert stage[1].faults == []


@pytest.fixture
def browser(running: Running, server: RawUpstream) -> Iterator[Browser]:
    with Browser(running.public_url) as browser:
        browser.sign_in()
        server.reset()
        yield browser


@pytest.fixture(scope="module")
def socket_stage() -> Iterator[tuple[Running, SocketServer]]:
    def choose(_: object, offered: list[Subprotocol]) -> Subprotocol | None:
        return Subprotocol("vite-hmr") if "vite-hmr" in offered else None

    with (
        running_socket_server(select_subprotocol=choose) as server,
        running_gateway(dev_server=server.url) as running,
    ):
        yield running, server


@pytest.fixture
def sockets(socket_stage: tuple[Running, SocketServer]) -> tuple[Running, SocketServer]:
    socket_stage[1].reset()
    return socket_stage


@pytest.fixture(scope="module")
def lonely() -> Iterator[Running]:
    with running_gateway(dev_server=f"http://localhost:{free_port()}") as running:
        yield running


def test_pages_come_from_the_dev_server_and_all_else_from_the_gateway(
    browser: Browser, server: RawUpstream
) -> None:
    server.say(PAGE + b"Content-Length: 3\r\n\r\napp", closes=False)
    assert browser.navigate("/invoices/7").text == "app"
    assert browser.fetch("/auth/session").json()["active"] is True
    assert "/auth/login?return_to=" in browser.fetch("/auth/client.js").text
    assert browser.fetch("/auth/unknown").status_code == 404
    assert browser.fetch("/api/v1/profile").status_code == 200
    assert [request.target for request in server.requests] == [b"/invoices/7"]


def test_the_dev_server_hears_nothing_of_sessions_and_takes_itself_for_the_browsers_origin(
    running: Running, browser: Browser, server: RawUpstream
) -> None:
    headers = {**SECRETS, "Accept": "text/css", "Sec-Fetch-Dest": "style", "Origin": running.public_url}
    assert browser.fetch("/src/app.css", headers=headers).status_code == 200
    (heard,) = server.requests
    for name in SECRETS:
        assert heard.header(name.lower()) is None
    assert b"lexgate" not in heard.raw
    assert heard.header("host") == server.url.removeprefix("http://").encode()
    assert heard.header("origin") == server.url.encode()
    assert (heard.header("accept"), heard.header("sec-fetch-dest")) == (b"text/css", b"style")


def test_a_field_of_the_connection_goes_no_further(browser: Browser, server: RawUpstream) -> None:
    """RFC 9110 §7.6.1: what Connection names is for the gateway alone."""
    browser.fetch("/", headers={"Connection": "keep-alive, If-Match", "If-Match": '"1"', "TE": "trailers"})
    (heard,) = server.requests
    assert heard.header("if-match") is None
    assert heard.header("te") is None


@pytest.mark.parametrize(
    "target",
    ["/@vite/client", "/@fs/home/a%20b/x.ts?v=1&t=%2F", "/src//App.tsx?import", "/x?", "/@id/__x00__y?a=%00"],
)
def test_the_target_passes_byte_for_byte(running: Running, server: RawUpstream, target: str) -> None:
    request = f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    assert statuses(send_raw(running.url, request.encode())) == [200]
    assert [heard.target for heard in server.requests] == [target.removesuffix("?").encode()]


def test_what_the_dev_server_may_not_say_is_dropped_and_pages_get_the_policy_of_development(
    running: Running, browser: Browser, server: RawUpstream
) -> None:
    own = f"Location: {server.url}/there\r\nSet-Cookie: a=1\r\nClear-Site-Data: *\r\nETag: 1\r\n".encode()
    more = b"Content-Security-Policy: script-src *\r\nAccess-Control-Allow-Origin: *\r\nContent-Length: 0\r\n"
    server.say(b"HTTP/1.1 302 Found\r\n" + own + more + b"\r\n", closes=False)
    answer = browser.navigate("/here", follow=False)
    assert (answer.status_code, answer.headers["location"]) == (302, "/there")
    assert answer.headers["etag"] == "1"
    for name in ("set-cookie", "clear-site-data", "access-control-allow-origin"):
        assert name not in answer.headers
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self' 'unsafe-inline';" in policy
    assert f"connect-src 'self' {running.public_url.replace('http', 'ws')};" in policy
    assert "trusted-types" not in policy
    assert "'unsafe-eval'" not in policy
    reported = answer.headers["content-security-policy-report-only"]
    assert reported == "require-trusted-types-for 'script'; trusted-types lexgate"
    assert answer.headers["x-frame-options"] == "DENY"


def test_an_answer_without_a_body_has_no_length(browser: Browser, server: RawUpstream) -> None:
    """RFC 9110 §8.6: in a 304 it is that of the answer which was not sent."""
    server.say(b'HTTP/1.1 304 Not Modified\r\nETag: "1"\r\nContent-Length: 7\r\n\r\n', closes=False)
    answer = browser.fetch("/src/App.tsx", headers={"If-None-Match": '"1"'})
    assert (answer.status_code, answer.content) == (304, b"")
    assert server.requests[0].header("if-none-match") == b'"1"'
    server.say(PAGE + b"Content-Length: 7\r\n\r\n", closes=False)
    assert browser.fetch("/", "HEAD").headers["content-length"] == "7"


def test_a_body_streams_up(browser: Browser, server: RawUpstream) -> None:
    assert browser.fetch("/upload", "POST", content=LARGE).status_code == 200
    assert (
        browser.fetch("/upload", "POST", content=iter([LARGE[:100_000], LARGE[100_000:]])).status_code == 200
    )
    assert browser.fetch("/small", "PUT", content=b"x").status_code == 200
    assert browser.fetch("/nothing", "POST").status_code == 200
    assert [request.body for request in server.requests] == [LARGE, LARGE, b"x", b""]
    assert server.requests[3].header("content-length") == b"0"


def test_an_answer_streams_down_and_ends_when_the_browser_leaves(
    running: Running, server: RawUpstream
) -> None:
    ended: list[bool] = []

    def script(connection: Connection, _: Request) -> None:
        connection.send(CHUNKED + in_chunks([b"data: 1\n\n"])[:-5])
        ended.append(connection.wait_for_eof())

    server.script = script
    with httpx.stream("GET", f"{running.url}/__webpack_hmr", trust_env=False, timeout=SECONDS) as answer:
        assert next(answer.iter_raw()) == b"data: 1\n\n"
    until(lambda: ended == [True])


def test_an_answer_that_breaks_off_is_seen_to_be_broken(browser: Browser, server: RawUpstream) -> None:
    server.say(PAGE + b"Content-Length: 9\r\n\r\nhalf")
    with pytest.raises(httpx.RemoteProtocolError):
        browser.fetch("/src/App.tsx")


def test_a_connection_that_a_restart_has_closed_costs_no_request(
    browser: Browser, server: RawUpstream
) -> None:
    def close(connection: Connection, _: Request) -> None:
        connection.close()

    browser.fetch("/first")
    server.say_in_turn(close)
    assert browser.fetch("/second").status_code == 200
    server.script = close
    answer = browser.fetch("/third")
    assert (answer.status_code, answer.json()["code"]) == (502, "dev_server_broken")
    before = len(server.requests)
    answer = browser.fetch("/write", "POST", content=b"once")
    assert (answer.status_code, answer.json()["code"]) == (502, "dev_server_broken")
    assert len(server.requests) == before + 1, "a write is never repeated"


@pytest.mark.parametrize(
    ("headers", "cause"),
    [
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, "cross_site"),
        ({"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"}, "same_site"),
        ({"Origin": "http://evil.example"}, "origin_mismatch"),
        ({"Host": "evil.example:8000"}, "foreign_host"),
        ({"Host": "localhost.evil.example"}, "foreign_host"),
        ({"Host": "evil.example", "Sec-Fetch-Mode": "navigate"}, "foreign_host"),
    ],
)
def test_a_page_from_elsewhere_reads_no_source(
    browser: Browser, server: RawUpstream, headers: dict[str, str], cause: str
) -> None:
    answer = browser.fetch("/src/App.tsx", headers={"Accept": "*/*", **headers})
    assert answer.status_code == 403
    if headers.get("Sec-Fetch-Mode") != "navigate":
        assert answer.json()["cause"] == cause
    assert server.requests == []


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "", "Origin": ""}])
def test_a_write_needs_the_apps_own_origin(
    browser: Browser, server: RawUpstream, headers: dict[str, str]
) -> None:
    headers = {"Sec-Fetch-Mode": "navigate", "Accept": "*/*", **headers}
    assert browser.fetch("/plugin", "POST", headers=headers).status_code == 403
    assert server.requests == []


def test_methods_that_no_page_needs_are_refused(browser: Browser, server: RawUpstream) -> None:
    answer = browser.fetch("/", "TRACE")
    assert (answer.status_code, answer.json()["code"]) == (405, "method_refused")
    assert server.requests == []


def test_a_navigation_from_the_authorization_server_shows_the_app(
    browser: Browser, server: RawUpstream
) -> None:
    assert browser.navigate("/", site="cross-site").status_code == 200
    assert len(server.requests) == 1


def test_a_target_that_is_none_is_refused(running: Running, server: RawUpstream) -> None:
    request = b"GET /r\xc3\xbcbe HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    assert statuses(send_raw(running.url, request)) == [400]
    assert server.requests == []


def test_a_missing_dev_server_is_told_with_what_to_start(lonely: Running) -> None:
    with Browser(lonely.public_url, language="de") as browser:
        page = browser.navigate("/")
        assert (page.status_code, page.headers["refresh"]) == (502, "2")
        assert "Der Entwicklungsserver läuft nicht" in page.text
        assert "npm run dev" in page.text
        answer = browser.fetch("/src/main.tsx")
        assert (answer.status_code, answer.json()["code"]) == (502, "dev_server_unreachable")
        assert "refresh" not in answer.headers
        assert "Start the dev server there" in answer.json()["detail"]
        assert answer.headers["retry-after"] == "1"
        assert browser.fetch("/auth/session").status_code == 200
    with pytest.raises(InvalidStatus) as error:
        open_socket(lonely, None, "/")
    assert refusal_of(error)[1]["code"] == "dev_server_unreachable"


def test_hot_reload_passes_both_ways_without_cookie_and_needs_no_session(
    sockets: tuple[Running, SocketServer],
) -> None:
    running, server = sockets
    offered = [Subprotocol("vite-hmr")]
    with open_socket(running, None, "/?token=x-y", headers=SECRETS, subprotocols=offered) as connection:
        assert connection.subprotocol == "vite-hmr"
        connection.send('{"type":"ping"}')
        assert connection.recv(timeout=SECONDS) == '{"type":"ping"}'
    until(lambda: server.closed == [(1000, "")])
    (heard,) = server.handshakes
    assert heard.path == "/?token=x-y"
    for name in SECRETS:
        assert name not in heard.headers
    assert heard.headers["origin"] == server.url
    assert heard.headers["host"] == server.url.removeprefix("http://")


@pytest.mark.parametrize(
    ("path", "origin", "headers", "code"),
    [
        ("/", "http://evil.example", {}, "cross_site_refused"),
        ("/", None, {}, "cross_site_refused"),
        ("/", "", {"Sec-Fetch-Site": "same-site"}, "cross_site_refused"),
        ("/auth/hot", "", {}, "websocket_refused"),
        ("/webhooks/hot", "", {}, "websocket_refused"),
        ("/api/hot", "", {}, "websocket_refused"),
    ],
)
def test_a_websocket_from_elsewhere_or_to_the_gateways_own_is_refused(
    sockets: tuple[Running, SocketServer], path: str, origin: str | None, headers: dict[str, str], code: str
) -> None:
    running, server = sockets
    with pytest.raises(InvalidStatus) as error:
        open_socket(running, None, path, origin=origin, headers=headers)
    assert refusal_of(error)[1]["code"] == code
    assert not server.handshakes


@pytest.mark.parametrize(
    ("answered", "status", "code"),
    [(401, 403, "websocket_refused"), (404, 403, "websocket_refused"), (500, 502, "dev_server_broken")],
)
def test_a_refusal_of_the_dev_server_is_told(
    sockets: tuple[Running, SocketServer], answered: int, status: int, code: str
) -> None:
    running, server = sockets
    server.statuses = [answered]
    with pytest.raises(InvalidStatus) as error:
        open_socket(running, None, "/")
    found, problem = refusal_of(error)
    assert (found, problem["code"]) == (status, code)
