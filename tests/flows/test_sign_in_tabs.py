"""Several sign-ins at once in one browser: each tab has its own attempt, and there are five at most."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from gateway.browser.cookie import LOGIN_COOKIE_PREFIX, SESSION_COOKIE
from gateway.browser.login_attempt import MAX_LOGIN_ATTEMPTS
from tests.support.browser import Cookie

if TYPE_CHECKING:
    from tests.support.browser import Browser
    from tests.support.running import Running


def attempts(browser: Browser) -> dict[str, Cookie]:
    jar = browser.cookies.get(urlsplit(browser.origin).netloc, {})
    return {name: cookie for name, cookie in jar.items() if name.startswith(LOGIN_COOKIE_PREFIX)}


def begin(browser: Browser, running: Running, tab: int) -> str:
    """Sign in at the authorization server in one tab; return the callback's URL."""
    running.clock.advance(1)
    page = browser.navigate(f"/auth/login?return_to=/tab/{tab}", site="same-origin")
    return browser.consent(page, follow=False).headers["location"]


def test_five_tabs_finish_in_any_order(running: Running, browser: Browser) -> None:
    urls = [begin(browser, running, tab) for tab in range(MAX_LOGIN_ATTEMPTS)]
    assert len(attempts(browser)) == MAX_LOGIN_ATTEMPTS
    for tab in (3, 0, 4, 1, 2):
        landed = browser.navigate(urls[tab], site="cross-site")
        assert (landed.status_code, landed.url.path) == (200, f"/tab/{tab}")
        assert browser.fetch("/auth/session").json()["active"] is True
    assert attempts(browser) == {}


def test_a_sixth_tab_drops_the_oldest_attempt_alone(running: Running, browser: Browser) -> None:
    urls = [begin(browser, running, tab) for tab in range(MAX_LOGIN_ATTEMPTS + 3)]
    assert len(attempts(browser)) == MAX_LOGIN_ATTEMPTS
    for tab, url in enumerate(urls):
        page = browser.navigate(url, site="cross-site")
        assert page.status_code == (400 if tab < 3 else 200), tab
        if tab < 3:
            assert "state_unknown" in page.text
            assert f'href="{running.public_url}/"' in page.text


def test_a_hundred_abandoned_attempts_leave_no_large_request(running: Running, browser: Browser) -> None:
    long_way = "/" + "a" * 1000
    for _ in range(100):
        running.clock.advance(1)
        browser.navigate(f"/auth/login?return_to={long_way}", site="same-origin", follow=False)
    sent = sum(len(name) + len(cookie.value) + 3 for name, cookie in attempts(browser).items())
    assert len(attempts(browser)) == MAX_LOGIN_ATTEMPTS
    assert sent < 12_000
    assert browser.sign_in("/contacts").status_code == 200


def test_attempt_cookies_of_no_use_are_cleared_away(running: Running, browser: Browser) -> None:
    host = urlsplit(running.public_url).netloc
    begin(browser, running, 1)
    running.clock.advance(601)
    browser.cookies[host] |= {f"{LOGIN_COOKIE_PREFIX}{'0' * 16}": Cookie("broken", "Lax")}
    browser.navigate("/auth/login", site="same-origin", follow=False)
    assert len(attempts(browser)) == 1


def test_an_attempt_under_another_name_or_from_another_browser_is_none(
    running: Running, browser: Browser, other_browser: Browser
) -> None:
    """The seal binds an attempt to its name, and the name to its state (cookie swapping)."""
    host = urlsplit(running.public_url).netloc
    first, second = begin(browser, running, 1), begin(browser, running, 2)
    (one, kept_one), (two, kept_two) = attempts(browser).items()
    browser.cookies[host] |= {one: kept_two, two: kept_one}
    for url in (first, second):
        assert "state_unknown" in browser.navigate(url, site="cross-site").text
    begin(other_browser, running, 3)
    (_, foreign), *_ = attempts(other_browser).items()
    browser.cookies[host] |= {one: foreign}
    assert "state_unknown" in browser.navigate(first, site="cross-site").text
    assert browser.cookie(SESSION_COOKIE) is None


def test_an_attempt_is_refused_when_any_part_of_it_was_changed(running: Running, browser: Browser) -> None:
    host = urlsplit(running.public_url).netloc
    url = begin(browser, running, 1)
    ((name, genuine),) = attempts(browser).items()
    for place in range(0, len(genuine.value) - 1, 7):
        changed = "A" if genuine.value[place] != "A" else "B"
        value = genuine.value[:place] + changed + genuine.value[place + 1 :]
        browser.cookies[host] = {name: Cookie(value, "Lax")}
        page = browser.navigate(url, site="cross-site")
        assert (page.status_code, "state_unknown" in page.text) == (400, True), place
    browser.cookies[host] = {name: genuine}
    assert browser.navigate(url, site="cross-site").status_code == 200


def test_an_attempt_cookie_that_stands_twice_is_not_believed(running: Running, browser: Browser) -> None:
    """Cookie tossing: nothing tells which of the two was planted."""
    url = begin(browser, running, 1)
    ((name, genuine),) = attempts(browser).items()
    cookies = f"{name}=planted; {name}={genuine.value}"
    page = browser.fetch(url, headers={"Cookie": cookies})
    assert (page.status_code, page.json()["code"]) == (400, "state_unknown")


@pytest.mark.parametrize("path", ["/auth/callback", "/auth/login"])
def test_the_sign_in_knows_get_alone(browser: Browser, path: str) -> None:
    refused = browser.fetch(path, "POST")
    assert (refused.status_code, refused.json()["code"]) == (405, "method_refused")
    assert "GET" in refused.headers["allow"]
