"""An app on a sibling origin: what its scripts may do and read, on every way that an answer takes."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import pytest

from gateway.browser.cookie import SESSION_COOKIE
from tests.support.browser import Browser
from tests.support.running import running_gateway
from tests.support.siblings import (
    APP,
    READS,
    SETTINGS,
    UNSAFE,
    assert_granted,
    assert_readable,
    assert_unreadable,
    call,
    preflight,
)
from tests.support.wire import Reply, reply, running_wire

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.running import Running
    from tests.support.wire import Wire


@pytest.fixture(scope="module")
def wire() -> Iterator[Wire]:
    with running_wire() as wire:
        yield wire


@pytest.fixture(scope="module")
def running(wire: Wire) -> Iterator[Running]:
    with running_gateway("openid", settings={**SETTINGS, "LEXGATE_API_URL": wire.url}) as running:
        yield running


@pytest.fixture
def browser(running: Running, wire: Wire) -> Iterator[Browser]:
    wire.reset()
    with Browser(running.public_url) as browser:
        browser.sign_in()
        yield browser


@pytest.mark.parametrize("path", READS)
def test_a_sibling_reads_with_its_session(browser: Browser, path: str) -> None:
    for _ in range(3):  # from the second on the session is remembered
        answer = call(browser, path)
        assert answer.status_code == 200
        assert_readable(answer)
    assert call(browser, "/auth/session").json()["active"] is True


@pytest.mark.parametrize(("path", "method"), UNSAFE)
def test_a_sibling_writes_with_the_header(browser: Browser, path: str, method: str) -> None:
    bare = call(browser, path, method, X_CSRF="0")
    assert (bare.status_code, bare.json()["code"]) == (403, "csrf_header_missing")
    assert_readable(bare)
    answer = call(browser, path, method)
    assert answer.status_code == 200
    assert_readable(answer)


def test_every_listed_origin_is_answered_with_itself(browser: Browser) -> None:
    for path in READS:
        assert_readable(call(browser, path, origin="http://localhost:5173"), "http://localhost:5173")


def test_a_kept_answer_can_be_read(browser: Browser) -> None:
    kept = [call(browser, "/api/v1/kept") for _ in range(2)]
    assert kept[1].headers["cache-status"].startswith("lexgate; hit")
    again = call(browser, "/api/v1/kept", If_None_Match=kept[1].headers["etag"])
    assert again.status_code == 304
    for answer in (*kept, again):
        assert_readable(answer)
        assert "Cookie" in answer.headers["vary"]


def test_answers_of_every_shape_can_be_read(browser: Browser, wire: Wire) -> None:
    """Whole, in pieces, large, empty, with CORS fields of the API's own, errors, and what breaks off."""
    chunked = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
    own = "Access-Control-Allow-Origin: *"
    replies = [
        reply(200, b"{}", own, "Timing-Allow-Origin: *", "Vary: Accept"),
        reply(200, b"x" * 300_000),
        reply(204, b"") if False else Reply(b"HTTP/1.1 204 No Content\r\n\r\n"),
        Reply(chunked + b"3\r\nabc\r\n0\r\n\r\n"),
        reply(404, b'{"message": "no"}'),
        reply(429, b"{}", "Retry-After: 60"),
        Reply(b"nothing\r\n\r\n", closes=True),
    ]
    for each in replies:
        wire.script = lambda _, each=each: each  # type: ignore[misc]
        for method in ("GET", "POST"):
            assert_readable(call(browser, "/api/v1/things", method, Prefer="wait=0"))
    for path, method in (
        ("/api/%2e%2e/x", "GET"),
        ("/api/v1/things", "TRACE"),
        ("/api/v1/things", "OPTIONS"),
    ):
        assert_readable(call(browser, path, method))


def test_a_sibling_without_a_session_can_read_why(running: Running) -> None:
    with Browser(running.public_url) as stranger:
        for path, method in (("/api/v1/profile", "GET"), ("/auth/sessions", "GET"), ("/auth/events", "GET")):
            answer = call(stranger, path, method)
            assert (answer.status_code, answer.json()["reason"]) == (401, "none")
            assert_readable(answer)


def test_a_sibling_hears_events(running: Running, browser: Browser) -> None:
    fields = {"Origin": APP, "Sec-Fetch-Site": "same-site", "Accept": "text/event-stream"}
    fields["Cookie"] = f"{SESSION_COOKIE}={browser.cookie(SESSION_COOKIE)}"
    url = f"{running.public_url}/auth/events"
    with httpx.Client(trust_env=False) as client, client.stream("GET", url, headers=fields) as answer:
        assert answer.status_code == 200
        assert next(answer.iter_text()).startswith("retry: ")
        assert_granted(answer)


def test_a_preflight_allows_what_the_gateway_takes(running: Running) -> None:
    """Browsers send it without cookies."""
    for path in ("/api/v1/contacts", "/api", "/auth/logout", "/auth/sessions/7", "/auth/session/refresh"):
        answer = preflight(running, path, APP)
        assert (answer.status_code, answer.content) == (204, b"")
        assert_readable(answer)
        methods = answer.headers["access-control-allow-methods"].split(", ")
        assert set(methods) == {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}
        allowed = answer.headers["access-control-allow-headers"].split(", ")
        assert {"x-csrf", "content-type", "prefer", "priority", "if-none-match", "range"} <= set(allowed)
        assert not {"authorization", "cookie", "*"} & set(allowed)
        assert answer.headers["access-control-max-age"] == "7200"
        assert answer.headers["x-request-id"]


@pytest.mark.parametrize("path", ["/auth/login", "/auth/callback", "/", "/app.js", "/webhooks/lexoffice"])
def test_what_is_not_for_scripts_is_as_it_was(running: Running, browser: Browser, path: str) -> None:
    assert_unreadable(preflight(running, path, APP))
    assert_unreadable(call(browser, path))


def test_the_apps_own_origin_is_served_as_it_was(browser: Browser) -> None:
    for path in READS:
        for _ in range(2):
            answer = browser.fetch(path)
            assert answer.status_code == 200
            assert_unreadable(answer)
            assert "Origin" in answer.headers["vary"]
    for path, method in UNSAFE:
        assert browser.fetch(path, method).status_code == 200


def where_it_leads(answer: httpx.Response, status: int) -> str:
    """Return where a redirect goes, or a page: others' policies for forms would stop a redirect."""
    if "location" in answer.headers:
        assert answer.status_code == status
        return answer.headers["location"]
    assert answer.status_code == 200
    assert answer.headers["content-security-policy"].startswith("default-src 'none';")
    assert answer.headers["cache-control"] == "no-store"
    url = answer.text.partition('content="0; url=')[2].partition('"')[0]
    assert f'<a href="{url}">' in answer.text
    return html.unescape(url)


def test_a_sign_in_returns_to_a_sibling_and_to_no_other(running: Running) -> None:
    for wanted, landed in (
        (f"{APP}/invoices?tab=open", f"{APP}/invoices?tab=open"),
        (f"{APP}/a'b%26c", f"{APP}/a'b&c"),
        (APP, APP),
        ("https://taken-over.example.com/", "/"),
        (f"{APP}.evil.example/", "/"),
        (f"{APP}@evil.example/", "/"),
        ("/invoices", "/invoices"),
    ):
        with Browser(running.public_url) as browser:
            page = browser.navigate(f"/auth/login?return_to={wanted}", site="same-site")
            page = browser.submit(page, press="user=anna")
            allowed = browser.submit(page, press="decision=allow", follow=False)
            back = browser.navigate(allowed.headers["location"], site="cross-site", follow=False)
            assert where_it_leads(back, 302) == landed


def test_a_sign_in_that_failed_leads_back_to_the_sibling(running: Running) -> None:
    with Browser(running.public_url) as browser:
        page = browser.navigate(f"/auth/login?return_to={APP}/invoices", site="same-site")
        denied = browser.consent(page, decision="deny")
        assert denied.status_code == 403
        assert running.public_url + APP not in denied.text
        assert f'href="{APP}/invoices"' in denied.text or "return_to=https%3A%2F%2Fweb" in denied.text


def test_a_sibling_signs_out_and_is_led_back(browser: Browser) -> None:
    answer = call(browser, f"/auth/logout?return_to={APP}/bye", "POST")
    assert answer.status_code == 200
    assert_readable(answer)
    assert browser.fetch("/auth/session").json()["active"] is False
    state = urlsplit(answer.json()["logout_url"]).query.partition("state=")[2].partition("&")[0]
    landed = browser.navigate(f"/auth/signed-out?state={state}", site="cross-site", follow=False)
    assert where_it_leads(landed, 303) == f"{APP}/bye"


def test_the_client_can_be_imported_by_a_sibling(browser: Browser) -> None:
    assert_readable(call(browser, "/auth/client.js"))
