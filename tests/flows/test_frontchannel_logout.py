"""An iframe of the authorization server's ends the session of this browser that it names, and no other."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest

from gateway.browser.cookie import SESSION_COOKIE
from tests.support.browser import Browser
from tests.support.running import running_gateway

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.running import Running

PATH = "/auth/frontchannel-logout"
IFRAME = {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with running_gateway("openid") as running:
        yield running


def embed(browser: Browser, *query: tuple[str, str], site: str = "same-site") -> int:
    headers = {**IFRAME, "Sec-Fetch-Site": site, **({"Cookie": ""} if site == "cross-site" else {})}
    return browser.fetch(f"{PATH}?{urlencode(query)}", headers=headers).status_code


def state(browser: Browser) -> str:
    document = browser.fetch("/auth/session").json()
    return "active" if document["active"] else document["reason"]


def test_the_session_that_is_named_ends_in_this_browser_alone(
    running: Running, browser: Browser, other_browser: Browser
) -> None:
    browser.sign_in()
    iss, sid = ("iss", f"{running.sandbox_url}/openid"), running.sandbox.grants.connections()[-1].sid
    kept = {"Cookie": f"{SESSION_COOKIE}={browser.cookie(SESSION_COOKIE)}"}
    other_browser.sign_in()
    assert embed(other_browser, iss, ("sid", sid)) == 200
    assert state(other_browser) == "active"
    assert embed(browser, iss, ("sid", sid)) == 200
    assert browser.cookie(SESSION_COOKIE) is None
    assert browser.fetch("/auth/session", headers=kept).json()["reason"] == "signed_out_elsewhere"
    assert state(other_browser) == "active"
    assert embed(browser, iss, ("sid", sid)) == 200, "nobody is told that there is no session"


def test_a_page_that_does_not_know_issuer_and_sid_ends_nothing(running: Running, browser: Browser) -> None:
    browser.sign_in()
    iss = ("iss", f"{running.sandbox_url}/openid")
    sid = ("sid", running.sandbox.grants.connections()[-1].sid)
    for query in (
        *((), (iss,), (sid,), (iss, ("sid", "")), (iss, ("sid", "other"))),
        *((("iss", "https://evil.example"), sid), (iss, iss, sid), (iss, sid, sid), (iss, sid, ("sid", "x"))),
    ):
        assert embed(browser, *query) == 200
    # The Strict cookie does not come with a frame on another site.
    assert embed(browser, iss, sid, site="cross-site") == 200
    assert state(browser) == "active"


def test_without_an_issuer_there_is_no_such_address() -> None:
    with running_gateway("lexware") as running, Browser(running.public_url) as browser:
        assert browser.fetch(PATH).json()["code"] == "route_unknown"
