"""Every way in which a sign-in does not come to its end, and the page that tells of it."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from gateway.browser.cookie import SESSION_COOKIE

if TYPE_CHECKING:
    import httpx

    from tests.support.browser import Browser
    from tests.support.running import Running

LINK = re.compile(r'<a class="(\w+)" href="([^"]+)">([^<]+)</a>')


def callback_of(browser: Browser, return_to: str = "/contacts", decision: str = "allow") -> str:
    """Sign in at the authorization server, and stop with the callback URL in the address bar."""
    page = browser.navigate(f"/auth/login?return_to={return_to}", site="same-origin")
    return browser.consent(page, decision=decision, follow=False).headers["location"]


def altered(url: str, **changes: str | None) -> str:
    """Return the URL with parameters replaced, added, or (None) left out."""
    parts = urlsplit(url)
    query = {**dict(parse_qsl(parts.query)), **changes}
    return parts._replace(query=urlencode({k: v for k, v in query.items() if v is not None})).geturl()


def assert_page(page: httpx.Response, status: int, code: str, origin: str, return_to: str) -> dict[str, str]:
    """Check a page and return its links' texts by class."""
    assert page.status_code == status, page.text
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert f"<code>{code}</code>" in page.text
    assert "Traceback" not in page.text
    assert "File " not in page.text
    assert page.headers["cache-control"] == "no-store"
    assert "script" not in page.headers["content-security-policy"]
    links = {name: (url, text) for name, url, text in LINK.findall(page.text)}
    assert links["app"][0] == origin + return_to
    if "login" in links:
        assert links["login"][0] == f"{origin}/auth/login?{urlencode({'return_to': return_to})}"
    assert SESSION_COOKIE not in page.headers.get("set-cookie", "")
    return {name: text for name, (_, text) in links.items()}


def test_a_person_who_denies_may_try_again_with_the_same_return_to(
    running: Running, browser: Browser
) -> None:
    page = browser.navigate(callback_of(browser, decision="deny"), site="cross-site")
    links = assert_page(page, 403, "access_denied", running.public_url, "/contacts")
    assert links == {"login": "Sign in again", "app": "To the app"}
    assert '<html lang="en">' in page.text
    again = browser.navigate("/auth/login?return_to=/contacts", site="same-origin")
    assert browser.consent(again).url.path == "/contacts"


def test_the_pages_speak_german_too(running: Running, browser: Browser) -> None:
    browser.language = "de-DE,de;q=0.9,en;q=0.8"
    page = browser.navigate("/auth/callback?state=none&code=x", site="cross-site")
    links = assert_page(page, 400, "state_unknown", running.public_url, "/")
    assert links == {"login": "Neu anmelden", "app": "Zur App"}
    assert '<html lang="de">' in page.text
    assert "Safari behält über http:// keine Secure-Cookies" in page.text


def test_callback_refuses_a_foreign_state(running: Running, browser: Browser, other_browser: Browser) -> None:
    """RFC 6749 §10.12: the attacker's own response, opened in the victim's browser (login CSRF)."""
    url = callback_of(other_browser)
    before = running.sandbox.counters.token_requests["authorization_code"]
    page = browser.navigate(url, site="cross-site")
    assert_page(page, 400, "state_unknown", running.public_url, "/")
    assert running.sandbox.counters.token_requests["authorization_code"] == before
    assert browser.fetch("/auth/session").json()["active"] is False


def test_callback_refuses_an_attempt_older_than_ten_minutes(running: Running, browser: Browser) -> None:
    url = callback_of(browser)
    running.clock.advance(601)
    page = browser.navigate(url, site="cross-site")
    assert_page(page, 400, "login_attempt_expired", running.public_url, "/contacts")


def test_a_response_counts_once(running: Running, browser: Browser) -> None:
    """RFC 9700 §4.7: a second use finds no attempt, and does not end what the first one began."""
    url = callback_of(browser)
    before = running.sandbox.counters.token_requests["authorization_code"]
    assert browser.navigate(url, site="cross-site").status_code == 200
    page = browser.navigate(url, site="cross-site")
    assert_page(page, 400, "state_unknown", running.public_url, "/")
    assert running.sandbox.counters.token_requests["authorization_code"] == before + 1
    assert browser.fetch("/auth/session").json()["active"] is True
    assert browser.fetch("/api/v1/profile").status_code == 200


def test_a_browser_that_keeps_its_attempt_cannot_use_the_response_twice(
    running: Running, browser: Browser
) -> None:
    url = callback_of(browser)
    host = urlsplit(running.public_url).netloc
    kept = dict(browser.cookies[host])
    assert browser.navigate(url, site="cross-site").status_code == 200
    browser.cookies[host] = kept | browser.cookies[host]
    before = running.sandbox.counters.token_requests["authorization_code"]
    page = browser.navigate(url, site="cross-site")
    assert_page(page, 400, "authorization_response_spent", running.public_url, "/contacts")
    assert running.sandbox.counters.token_requests["authorization_code"] == before
    assert browser.fetch("/auth/session").json()["active"] is True


def test_of_two_parallel_callbacks_exactly_one_reaches_the_token_endpoint(
    running: Running, browser: Browser
) -> None:
    url = callback_of(browser)
    running.sandbox.faults.inject("token_slow", {"seconds": 0.2})
    before = running.sandbox.counters.token_requests["authorization_code"]
    with ThreadPoolExecutor(4) as threads:
        tries = [threads.submit(browser.navigate, url, site="cross-site", follow=False) for _ in range(4)]
        outcomes = sorted(each.result().status_code for each in tries)
    assert outcomes == [302, 400, 400, 400]
    assert running.sandbox.counters.token_requests["authorization_code"] == before + 1
    assert running.sandbox.counters.events["code_reuse"] == 0
    assert browser.fetch("/auth/session").json()["active"] is True


@pytest.mark.parametrize("repeated", ["state", "code", "iss", "error"])
def test_callback_refuses_repeated_parameters(running: Running, browser: Browser, repeated: str) -> None:
    """RFC 6749 §3.1: of two values each party would read another one."""
    url = altered(callback_of(browser), **({"error": "access_denied"} if repeated == "error" else {}))
    url = altered(url, iss=dict(parse_qsl(urlsplit(url).query)).get("iss", "https://a.example"))
    page = browser.navigate(f"{url}&{repeated}=other", site="cross-site")
    assert_page(page, 400, "parameter_repeated", running.public_url, "/")


def test_a_foreign_state_hides_every_other_error(running: Running, browser: Browser) -> None:
    """RFC 9700 §4.7: nothing is read of a response whose state is not ours, not even its error."""
    page = browser.navigate("/auth/callback?state=forged&error=access_denied&iss=evil", site="cross-site")
    assert_page(page, 400, "state_unknown", running.public_url, "/")
    page = browser.navigate("/auth/callback?error=access_denied", site="cross-site")
    assert_page(page, 400, "state_unknown", running.public_url, "/")


@pytest.mark.parametrize("error", ["server_error", "invalid_scope", "<script>alert(1)</script>", "a\r\nb"])
def test_an_error_response_is_told_without_being_quoted(
    running: Running, browser: Browser, error: str
) -> None:
    """RFC 6749 §4.1.2.1."""
    url = altered(callback_of(browser), code=None, error=error, error_description="<b>click evil.example</b>")
    page = browser.navigate(url, site="cross-site")
    assert_page(page, 502, "authorization_refused", running.public_url, "/contacts")
    assert error not in page.text
    assert "evil.example" not in page.text


@pytest.mark.parametrize("code", [None, "", "a\nb", "x" * 5000])
def test_a_response_without_a_proper_code_is_refused(
    running: Running, browser: Browser, code: str | None
) -> None:
    before = running.sandbox.counters.token_requests["authorization_code"]
    page = browser.navigate(altered(callback_of(browser), code=code), site="cross-site")
    assert_page(page, 502, "authorization_refused", running.public_url, "/contacts")
    assert running.sandbox.counters.token_requests["authorization_code"] == before


def test_a_response_of_another_issuer_is_refused(running: Running, browser: Browser) -> None:
    """RFC 9207 §2.4: mix-up; the code of one authorization server must not be sent to another."""
    before = running.sandbox.counters.token_requests["authorization_code"]
    page = browser.navigate(altered(callback_of(browser), iss="https://evil.example"), site="cross-site")
    assert_page(page, 400, "issuer_mismatch", running.public_url, "/contacts")
    if running.environment["LEXGATE_PROVIDER"] == "openid":
        page = browser.navigate(altered(callback_of(browser), iss=None), site="cross-site")
        assert_page(page, 400, "issuer_mismatch", running.public_url, "/contacts")
    assert running.sandbox.counters.token_requests["authorization_code"] == before


def test_a_forged_code_ends_in_a_page(running: Running, browser: Browser) -> None:
    """RFC 6749 §4.1.2: somebody else's code, or none at all; the session of before stays."""
    browser.sign_in()
    page = browser.navigate(altered(callback_of(browser), code="f" * 128), site="cross-site")
    assert_page(page, 502, "invalid_grant", running.public_url, "/contacts")
    assert browser.fetch("/auth/session").json()["active"] is True


def test_a_stolen_code_is_worth_nothing_in_another_browser(
    running: Running, browser: Browser, other_browser: Browser
) -> None:
    """RFC 7636 §1: the code of one attempt does not fit the verifier of another (code injection)."""
    stolen = dict(parse_qsl(urlsplit(callback_of(browser)).query))["code"]
    page = other_browser.navigate(altered(callback_of(other_browser), code=stolen), site="cross-site")
    assert_page(page, 502, "invalid_grant", running.public_url, "/contacts")
    assert other_browser.fetch("/auth/session").json()["active"] is False


@pytest.mark.parametrize(
    "query", ["prompt=none+login", "max_age=-1", "max_age=1&max_age=2", "ui_locales=%00"]
)
def test_login_refuses_malformed_parameters_with_a_page(
    running: Running, browser: Browser, query: str
) -> None:
    page = browser.navigate(f"/auth/login?return_to=/contacts&{query}", site="same-origin")
    code = "parameter_repeated" if query.count("max_age") > 1 else "request_invalid"
    assert_page(page, 400, code, running.public_url, "/contacts")
