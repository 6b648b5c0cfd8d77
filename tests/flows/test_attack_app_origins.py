"""The attack table of sibling origins: a host that is not on the list, or cannot prove that it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from gateway.browser.cookie import SESSION_COOKIE
from tests.support.browser import Browser
from tests.support.running import running_gateway
from tests.support.siblings import APP, READS, SETTINGS, UNSAFE, assert_unreadable, call, preflight
from tests.support.wire import running_wire

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.running import Running
    from tests.support.wire import Wire

FOREIGN = [
    "https://taken-over.example.com",
    "https://web.example.com.evil.example",
    "https://xweb.example.com",
    "https://web.example.com:8443",
    "http://web.example.com",
    "https://WEB.example.com",
    "https://web.example.com/",
    f"{APP}, {APP}",
    f"{APP} {APP}",
    "null",
    "*",
    "",
]


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


@pytest.mark.parametrize("origin", FOREIGN)
@pytest.mark.parametrize("site", ["same-site", "cross-site", None])
def test_a_sibling_that_is_not_on_the_list_is_refused(
    running: Running, browser: Browser, wire: Wire, origin: str, site: str | None
) -> None:
    """A host of the same site that was taken over sends our cookie along with whatever it likes."""
    cookie = f"{SESSION_COOKIE}={browser.cookie(SESSION_COOKIE)}"
    sent = {"Cookie": cookie, "Origin": origin, "X-CSRF": "1"} | ({"Sec-Fetch-Site": site} if site else {})
    for path, method in (*((path, "GET") for path in READS), ("/auth/events", "GET"), *UNSAFE,
                         ("/auth/logout", "POST")):  # fmt: skip
        answer = httpx.request(method, running.public_url + path, headers=sent, trust_env=False)
        assert (answer.status_code, answer.json()["code"]) == (403, "cross_site_refused"), (path, method)
        assert_unreadable(answer)
        assert_unreadable(preflight(running, path, origin))
    assert wire.heard == []
    assert browser.fetch("/auth/session").json()["active"] is True


@pytest.mark.parametrize("site", ["same-site", "cross-site"])
def test_a_request_that_a_sibling_makes_unseen_is_refused(browser: Browser, wire: Wire, site: str) -> None:
    """An image or a frame sends no Origin: it may be any sibling host's."""
    for path in READS:
        for mode in ("no-cors", "navigate"):
            fields = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode, "Sec-Fetch-Dest": "image"}
            assert browser.fetch(path, headers=fields).status_code == 403
    assert wire.heard == []


@pytest.mark.parametrize("site", ["cross-site", "same-origin", "none", "evil"])
def test_a_listed_origin_of_another_site_is_refused(browser: Browser, wire: Wire, site: str) -> None:
    for path, method in (*((path, "GET") for path in READS), *UNSAFE):
        answer = call(browser, path, method, Sec_Fetch_Site=site)
        assert (answer.status_code, answer.json()["code"]) == (403, "cross_site_refused")
    assert wire.heard == []
