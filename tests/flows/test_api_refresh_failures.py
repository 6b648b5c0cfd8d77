"""Refreshes that fail behind /api: who is told, who is signed out, and how often they are tried."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from gateway.browser.cookie import SESSION_COOKIE
from tests.support.running import running_gateway
from tests.support.wire import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.browser import Browser
    from tests.support.running import Running


@pytest.fixture(scope="module", params=["lexware", "openid"])
def running(request: pytest.FixtureRequest) -> Iterator[Running]:
    settings = {"LEXGATE_SESSION_IDLE": "86400", "LEXGATE_SESSION_MAX": "86400"}
    with running_gateway(request.param, settings=settings) as running:
        yield running


@pytest.mark.parametrize("fault", ["token_failing", "token_429"])
def test_a_refresh_that_fails_for_now_keeps_the_session(
    running: Running, browser: Browser, fault: str
) -> None:
    browser.sign_in()
    cookie = browser.cookie(SESSION_COOKIE)
    running.expire(browser, left=30)
    running.sandbox.faults.inject(fault, {"seconds": 9} if fault == "token_429" else {})
    before = running.refreshes()
    for _ in range(4):
        assert browser.fetch("/api/v1/profile").status_code == 200, "the old token still serves"
        until(lambda: running.refreshes() > before)
    assert running.refreshes() == before + 1, "the token endpoint is left in peace for a while"
    running.clock.advance(31)
    for _ in range(2):
        refused = browser.fetch("/api/v1/profile")
        assert refused.status_code == 503
        assert int(refused.headers["retry-after"]) in range(1, 10)
        assert "set-cookie" not in refused.headers
    assert browser.cookie(SESSION_COOKIE) == cookie
    assert browser.fetch("/auth/session").json()["active"] is True
    running.sandbox.faults.clear()
    running.clock.advance(9)
    assert browser.fetch("/api/v1/profile").status_code == 200
    assert browser.generation() == 2


def test_a_rate_limit_of_the_token_endpoint_is_heeded(running: Running, browser: Browser) -> None:
    """RFC 6585 §4: a client that goes on asking prolongs the block."""
    browser.sign_in()
    running.expire(browser, left=-1)
    running.sandbox.faults.inject("token_429", {"seconds": 40}, times=1)
    before = running.refreshes()
    for wait in (40, 30, 1):
        refused = browser.fetch("/api/v1/profile")
        assert (refused.status_code, refused.json()["code"]) == (503, "authorization_server_busy")
        assert refused.headers["retry-after"] == str(wait)
        running.clock.advance(10 if wait == 40 else 29 if wait == 30 else 1)
    assert running.refreshes() == before + 1
    assert browser.fetch("/api/v1/profile").status_code == 200


def test_a_rate_limit_is_not_prolonged_by_calls_that_heed_it(running: Running, browser: Browser) -> None:
    """RFC 6585 §4: whoever polls faster than once a second gets through when the block is over."""
    browser.sign_in()
    running.expire(browser, left=-1)
    running.sandbox.faults.inject("token_429", {"seconds": 2}, times=1)
    answers = []
    for _ in range(6):
        answers.append(browser.fetch("/api/v1/profile").status_code)
        running.clock.advance(0.4)
    assert answers == [503] * 5 + [200]


def test_invalid_grant_ends_the_session_with_its_reason(running: Running, browser: Browser) -> None:
    browser.sign_in()
    running.expire(browser, left=30)
    running.sandbox.faults.inject("token_invalid_grant", times=1)
    assert browser.fetch("/api/v1/profile").status_code == 200, "the old token served once more"
    until(lambda: browser.generation() == 0)
    refused = browser.fetch("/api/v1/profile")
    assert (refused.status_code, refused.json()["reason"]) == (401, "grant_ended")
    assert browser.fetch("/auth/session").json()["reason"] == "grant_ended"


def test_invalid_grant_is_told_to_the_call_that_waited(running: Running, browser: Browser) -> None:
    browser.sign_in()
    running.expire(browser, left=-1)
    running.sandbox.faults.inject("token_invalid_grant", times=1)
    refused = browser.fetch("/api/v1/profile")
    assert (refused.status_code, refused.json()["code"]) == (401, "session_required")
    assert refused.json()["reason"] == "grant_ended"
    assert browser.fetch("/auth/session").json()["reason"] == "grant_ended"


def test_a_signed_out_browser_gets_nothing_of_a_refresh_under_way(running: Running, browser: Browser) -> None:
    browser.sign_in()
    running.expire(browser, left=-1)
    running.sandbox.faults.inject("token_slow", {"seconds": 0.5}, times=1)
    with ThreadPoolExecutor(1) as threads:
        before = running.refreshes()
        call = threads.submit(browser.fetch, "/api/v1/profile")
        until(lambda: running.refreshes() > before)
        kept = {"Cookie": f"{SESSION_COOKIE}={browser.cookie(SESSION_COOKIE)}"}
        assert browser.fetch("/auth/logout", "POST", headers=kept).status_code == 200
        assert call.result().status_code == 401
    assert browser.fetch("/auth/session", headers=kept).json()["reason"] == "signed_out"
