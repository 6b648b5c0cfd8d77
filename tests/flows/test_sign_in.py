"""The whole way, in both pictures: sign in, call, refresh with rotation, sign out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gateway.browser.cookie import LOGIN_COOKIE_PREFIX, SESSION_COOKIE
from tests.support.running import running_gateway
from tests.support.wire import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.browser import Browser
    from tests.support.running import Running


@pytest.fixture(scope="module", params=["lexware", "openid"])
def running(request: pytest.FixtureRequest) -> Iterator[Running]:
    day = {"LEXGATE_SESSION_IDLE": "86400", "LEXGATE_SESSION_MAX": "86400"}
    with running_gateway(request.param, settings=day) as running:
        yield running


def test_the_whole_way(running: Running, browser: Browser) -> None:
    assert browser.fetch("/auth/session").json()["reason"] == "none"
    landed = browser.sign_in("/vouchers?page=2")
    assert landed.status_code == 200, landed.text
    assert str(landed.url) == f"{running.public_url}/vouchers?page=2"

    session = browser.fetch("/auth/session").json()
    assert session["active"] is True
    assert session["claims"]["name"] == "Anna Petersen"
    assert session["tokens"]["generation"] == 1
    profile = browser.fetch("/api/v1/profile")
    assert profile.status_code == 200, profile.text
    assert profile.json()["companyName"] == "Nordlicht Leuchten GmbH"

    running.clock.advance(session["tokens"]["expires_in_seconds"] - 30)
    assert browser.fetch("/api/v1/profile").status_code == 200
    until(lambda: browser.generation() == 2)

    answer = browser.fetch("/auth/logout", "POST")
    assert answer.status_code == 200
    assert browser.cookie(SESSION_COOKIE) is None
    assert running.sandbox.counters.events["revoked_tokens"] >= 1
    assert browser.fetch("/auth/session").json()["active"] is False
    refused = browser.fetch("/api/v1/profile")
    assert (refused.status_code, refused.json()["code"]) == (401, "session_required")


def test_each_person_sees_their_own_organization(browser: Browser, other_browser: Browser) -> None:
    browser.sign_in(user="anna")
    other_browser.sign_in(user="jonas")
    companies = {each.fetch("/api/v1/profile").json()["companyName"] for each in (browser, other_browser)}
    assert companies == {"Nordlicht Leuchten GmbH", "Rebenhof Sommer e. K."}
    assert other_browser.fetch("/auth/logout", "POST").status_code == 200
    assert browser.fetch("/auth/session").json()["active"] is True


def test_a_sign_in_ends_the_session_before_it_and_makes_a_new_id(running: Running, browser: Browser) -> None:
    browser.sign_in()
    first = browser.cookie(SESSION_COOKIE)
    running.clock.advance(1)
    browser.sign_in(user="jonas", query="&prompt=login")
    assert browser.cookie(SESSION_COOKIE) != first
    assert browser.fetch("/auth/session").json()["claims"]["name"] == "Jonas Sommer"
    stolen = browser.fetch("/auth/session", headers={"Cookie": f"{SESSION_COOKIE}={first}"}).json()
    assert (stolen["active"], stolen["reason"]) == (False, "replaced")


def test_a_planted_session_cookie_never_becomes_the_victims_session(
    browser: Browser, other_browser: Browser
) -> None:
    """Session fixation: the attacker's own, valid cookie in the victim's browser before the sign-in."""
    other_browser.sign_in(user="jonas")
    planted = other_browser.cookies[other_browser.origin.removeprefix("http://")]
    browser.cookies[browser.origin.removeprefix("http://")] = dict(planted)
    before = browser.cookie(SESSION_COOKIE)
    browser.sign_in(user="anna")
    assert browser.cookie(SESSION_COOKIE) != before
    assert browser.fetch("/auth/session").json()["claims"]["name"] == "Anna Petersen"
    assert other_browser.fetch("/auth/session").json()["active"] is False


def test_neither_the_callback_nor_the_navigation_after_it_carries_the_session_cookie(
    browser: Browser,
) -> None:
    browser.sign_in()
    browser.received.clear()
    landed = browser.sign_in("/contacts", query="&prompt=login")
    callback, after = browser.received[-2:]
    assert callback.url.path == "/auth/callback"
    assert SESSION_COOKIE + "=" not in callback.request.headers.get("cookie", "")
    assert after is landed
    assert SESSION_COOKIE + "=" not in after.request.headers.get("cookie", "")
    assert browser.fetch("/auth/session").json()["active"] is True


def test_the_cookies_are_as_strict_as_browsers_allow(browser: Browser) -> None:
    login = browser.navigate("/auth/login", site="same-origin", follow=False)
    (attempt,) = login.headers.get_list("set-cookie")
    name, _, rest = attempt.partition("=")
    assert name.startswith(LOGIN_COOKIE_PREFIX)
    assert rest.split("; ")[1:] == ["Path=/", "Secure", "HttpOnly", "SameSite=Lax", "Max-Age=600"]
    browser.sign_in()
    callback = browser.received[-2]
    session, cleared = callback.headers.get_list("set-cookie")
    assert session.startswith(f"{SESSION_COOKIE}=")
    assert session.split("; ")[1:] == ["Path=/", "Secure", "HttpOnly", "SameSite=Strict"]
    assert "Max-Age=0" in cleared


def test_every_answer_of_the_sign_in_is_for_nobodys_cache(browser: Browser) -> None:
    browser.sign_in()
    own = [answer for answer in browser.received if answer.url.path.startswith("/auth/")]
    assert {answer.headers["cache-control"] for answer in own} == {"no-store"}
    assert {answer.headers["referrer-policy"] for answer in own} == {"no-referrer"}


def test_the_authorization_request_carries_pkce_and_what_the_app_may_add(
    running: Running, browser: Browser
) -> None:
    """RFC 7636 §4.3, and a `login_hint` that is passed as it came."""
    query = "/auth/login?login_hint=anna%40example.org&ui_locales=de&scope=evil&state=mine&redirect_uri=evil"
    answer = browser.navigate(query, site="same-origin", follow=False)
    location = answer.next_request
    assert location is not None
    sent = location.url.params
    assert sent["code_challenge_method"] == "S256"
    assert len(sent["code_challenge"]) == 43
    assert (sent["login_hint"], sent["ui_locales"]) == ("anna@example.org", "de")
    assert sent["redirect_uri"] == f"{running.public_url}/auth/callback"
    assert sent["state"] != "mine"
    assert "evil" not in str(sent["scope"])


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"},
        {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "embed"},
        {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"},
        {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
        {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Sec-Purpose": "prefetch"},
        {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Sec-Purpose": "prefetch;prerender"},
    ],
)
def test_login_refuses_what_is_no_navigation_of_a_person(browser: Browser, headers: dict[str, str]) -> None:
    refused = browser.fetch("/auth/login", headers=headers)
    assert refused.status_code == 403
    assert "set-cookie" not in refused.headers
    assert "location" not in refused.headers
