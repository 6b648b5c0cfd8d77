"""The attack table of forward-auth: whoever is no proxy finds nothing, and no header makes a write a read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from tests.support.browser import Browser
from tests.support.canary import find_leaks
from tests.support.forward_auth import NGINX, PATH, PROOF, SECRET, SETTINGS, ask, cookie_of
from tests.support.running import running_gateway
from tests.support.wire import send_raw, statuses

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.running import Running

EVIL = "https://evil.example"
WRITE = {**PROOF, "X-Original-Method": "POST"}
READ_SPOOFS = [
    ("X-Forwarded-Method", "GET"),
    ("X-Original-Method", "GET"),
    ("X-HTTP-Method-Override", "GET"),
    ("X_Original_Method", "GET"),
    ("X-Forwarded-Uri", "/public"),
    ("X-Original-Uri", "/public"),
    ("X-Original-URL", "/public"),
    ("X-Forwarded-Host", "evil.example"),
    ("X-Forwarded-Proto", "https"),
    ("X-Forwarded-For", "192.0.2.1"),
    ("Forwarded", "for=192.0.2.1;host=evil.example"),
]


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with running_gateway(settings=SETTINGS) as running:
        yield running


@pytest.fixture
def cookie(browser: Browser) -> str:
    browser.sign_in()
    return cookie_of(browser)


def assert_nothing_there(answer: httpx.Response) -> None:
    assert answer.status_code == 404
    assert answer.json()["code"] == "route_unknown"
    assert not [name for name in answer.headers if name.startswith(("authorization", "x-lexgate"))]


@pytest.mark.parametrize("path", [PATH, f"{PATH}/", f"{PATH}/reports/7", f"{PATH}%2Freports", f"{PATH}?a=b"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS", "DELETE"])
def test_a_browser_finds_nothing_there(
    running: Running, browser: Browser, cookie: str, path: str, method: str
) -> None:
    del cookie
    answer = browser.fetch(path, method, headers={"X-Original-Method": "GET"})
    assert answer.status_code == 404
    assert not {"authorization", "x-lexgate-subject"} & set(answer.headers)
    page = browser.navigate(path)
    assert (page.status_code, "authorization" in page.headers) == (404, False)
    assert running.public_url == browser.origin


@pytest.mark.parametrize(
    "secret",
    [
        "",
        SECRET[:-1],
        f"{SECRET}0",
        SECRET.upper(),
        f"{SECRET},{SECRET}",
        f'"{SECRET}"',
        "\xe4" * 32,
        "x" * 9000,
    ],
)
def test_a_wrong_secret_finds_nothing(running: Running, cookie: str, secret: str) -> None:
    proof = {"X-Lexgate-Proxy-Secret": secret, "X-Original-Method": "GET"}
    assert_nothing_there(ask(running, cookie, proof=proof))


def test_a_secret_that_is_given_twice_is_none(running: Running, cookie: str) -> None:
    assert_nothing_there(ask(running, cookie, ("X-Lexgate-Proxy-Secret", SECRET)))
    assert_nothing_there(ask(running, cookie, ("X-Lexgate-Proxy-Secret", "planted")))


@pytest.mark.parametrize("networks", ["192.0.2.0/24", "::1", "127.0.0.2,10.0.0.0/8", "::ffff:192.0.2.0/120"])
def test_the_secret_alone_does_not_do_from_elsewhere(networks: str) -> None:
    """The connection's own address counts; what a header says of addresses is not even read."""
    settings = {**SETTINGS, "LEXGATE_FORWARD_AUTH_PROXIES": networks, "LEXGATE_TRUSTED_PROXIES": "127.0.0.1"}
    with running_gateway(settings=settings) as running, Browser(running.public_url) as browser:
        browser.sign_in()
        for spoof in (("X-Forwarded-For", "192.0.2.7"), ("Forwarded", "for=192.0.2.7"), ("X-Real-IP", "::1")):
            assert_nothing_there(ask(running, cookie_of(browser), spoof))


def test_it_is_off_unless_it_is_configured() -> None:
    with running_gateway() as running, Browser(running.public_url) as browser:
        browser.sign_in()
        assert_nothing_there(ask(running, cookie_of(browser)))
        assert_nothing_there(ask(running, cookie_of(browser), path=f"{PATH}/reports/7", proof=PROOF))


@pytest.mark.parametrize("spoof", READ_SPOOFS)
def test_no_header_of_a_browser_makes_a_write_a_read(
    running: Running, cookie: str, spoof: tuple[str, str]
) -> None:
    for site in ("same-origin", "cross-site"):
        told = ask(running, cookie, ("Sec-Fetch-Site", site), spoof, proof=WRITE)
        envoy = ask(
            running, cookie, ("Sec-Fetch-Site", site), spoof, path=f"{PATH}/a", method="POST", proof=PROOF
        )
        assert (told.status_code, envoy.status_code) == (403, 403)
        assert not {"authorization", "x-lexgate-subject"} & {*told.headers, *envoy.headers}


@pytest.mark.parametrize("method", ["get", "GET,POST", "GET, GET", "", "TRACE", "PURGE", "\xe4", "QUERY"])
def test_a_method_that_nobody_knows_is_no_read(running: Running, cookie: str, method: str) -> None:
    own = ("Sec-Fetch-Site", "same-origin")
    answer = ask(running, cookie, own, ("X-Forwarded-Method", method), proof=NGINX)
    assert (answer.status_code, answer.headers["x-lexgate-code"]) == (403, "csrf_header_missing")


@pytest.mark.parametrize(
    ("site", "origin"),
    [
        ("cross-site", None),
        ("same-site", None),
        ("evil", None),
        ("same-origin", EVIL),
        ("same-origin", "null"),
        (None, EVIL),
        (None, "null"),
    ],
)
@pytest.mark.parametrize("proof", [NGINX, WRITE])
def test_a_request_from_elsewhere_is_refused_as_under_api(
    running: Running, cookie: str, site: str | None, origin: str | None, proof: dict[str, str]
) -> None:
    fields = [("X-CSRF", "1")]
    fields += [("Sec-Fetch-Site", site)] if site else []
    fields += [("Origin", origin)] if origin else []
    answer = ask(running, cookie, *fields, proof=proof)
    assert (answer.status_code, answer.headers["x-lexgate-code"]) == (403, "cross_site_refused")
    assert "authorization" not in answer.headers


def test_fields_that_are_given_twice_are_not_believed(running: Running, cookie: str) -> None:
    own = ("Sec-Fetch-Site", "same-origin")
    assert ask(running, cookie, own, ("Sec-Fetch-Site", "cross-site")).status_code == 403
    assert ask(running, cookie, ("Origin", running.public_url), ("Origin", EVIL)).status_code == 403
    assert ask(running, cookie, own, ("X-CSRF", "1"), ("X-CSRF", "1"), proof=WRITE).status_code == 403
    assert ask(running, cookie, own, ("Cookie", cookie)).status_code == 401


def test_nothing_of_a_request_comes_back_in_a_field(running: Running, cookie: str) -> None:
    """Header injection: what the proxy takes over is the gateway's own, whatever was asked."""
    marker = "injected-by-a-browser"
    names = ["X-Original-Uri", "X-Forwarded-Uri", "X-Forwarded-Host", "X-Lexgate-Subject", "X-Lexgate-Code"]
    names += ["X-Lexgate-Login-Url", "Authorization", "Referer", "X-Request-Id"]
    fields = [(name, f"{marker}, x: y\\r\\nSet-Cookie: a=b") for name in names]
    for answer in (ask(running, cookie, *fields), ask(running, None, *fields)):
        assert answer.status_code in {200, 401}
        assert marker not in str(answer.headers.raw)
        assert marker not in answer.text


@pytest.mark.parametrize("value", [b"GET\r\nX-Lexgate-Proxy-Secret: a", b"GET\nx: y", b"GET\0", b"GET\rx: y"])
def test_a_field_with_a_line_end_is_no_request(running: Running, cookie: str, value: bytes) -> None:
    head = b"GET %b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" % PATH.encode()
    head += b"X-Lexgate-Proxy-Secret: %b\r\nCookie: %b\r\n" % (SECRET.encode(), cookie.encode())
    answer = send_raw(running.url, head + b"X-Original-Method: " + value + b"\r\n\r\n")
    assert 200 not in statuses(answer)
    assert b"Bearer" not in answer


def test_neither_the_secret_nor_a_token_is_logged_or_counted(
    running: Running, cookie: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    token = ask(running, cookie).headers["authorization"].removeprefix("Bearer ")
    ask(running, cookie, proof={**NGINX, "X-Lexgate-Proxy-Secret": SECRET[::-1]})
    ask(running, cookie, proof=PROOF)
    ask(running, cookie, ("Sec-Fetch-Site", "cross-site"))
    metrics = httpx.get(f"{running.admin_url}/metrics", trust_env=False).text
    lines = "\n".join(str(vars(record)) for record in caplog.records if record.name.startswith("gateway"))
    assert find_leaks([SECRET, SECRET[::-1], token], (metrics + lines).encode()) == []
    assert 'route="/auth/forward"' in metrics


def test_a_defect_is_answered_without_a_token(
    running: Running, cookie: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: bytes) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(running.gateway._opened, "find", fail)  # noqa: SLF001 - no request brings one about
    answer = ask(running, cookie)
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "authorization" not in answer.headers
