"""The access token behind /api: refreshed ahead, replaced after a 401, and never at the session's cost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from gateway.browser.cookie import SESSION_COOKIE
from gateway.proxy.request_body import REPLAYABLE_BYTES
from tests.support.running import running_gateway
from tests.support.wire import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.browser import Browser
    from tests.support.running import Running

SCOPES = {
    "lexware": "profile.read contacts.read contacts.write",
    "openid": "openid profile contact.read",
}
CONTACT = {"version": 0, "roles": {"customer": {}}, "company": {"name": "Muster & Söhne KG"}}


@pytest.fixture(scope="module", params=["lexware", "openid"])
def running(request: pytest.FixtureRequest) -> Iterator[Running]:
    settings = {
        "LEXGATE_SESSION_IDLE": "86400",
        "LEXGATE_SESSION_MAX": "86400",
        "LEXGATE_SCOPE": SCOPES[request.param],
    }
    with running_gateway(request.param, settings=settings) as running:
        yield running


def expire(running: Running, browser: Browser, *, left: float) -> None:
    """Move the clock until the access token has only `left` seconds."""
    tokens = browser.fetch("/auth/session").json()["tokens"]
    running.clock.advance(tokens["expires_in_seconds"] - left)


def refreshes(running: Running) -> int:
    return running.sandbox.counters.token_requests["refresh_token"]


def generation(browser: Browser) -> int:
    return int(browser.fetch("/auth/session").json()["tokens"]["generation"])


def test_a_token_is_refreshed_a_minute_ahead_and_not_before(running: Running, browser: Browser) -> None:
    browser.sign_in()
    expire(running, browser, left=61)
    assert browser.fetch("/api/v1/profile").status_code == 200
    assert generation(browser) == 1
    running.clock.advance(1)
    assert browser.fetch("/api/v1/profile").status_code == 200
    assert generation(browser) == 2


@pytest.mark.parametrize("left", [30, -1])
def test_twenty_calls_at_once_cause_one_refresh(running: Running, browser: Browser, left: float) -> None:
    browser.sign_in()
    expire(running, browser, left=left)
    running.sandbox.faults.inject("token_slow", {"seconds": 0.2})
    before = refreshes(running)
    with ThreadPoolExecutor(20) as threads:
        calls = [threads.submit(browser.fetch, "/api/v1/profile") for _ in range(20)]
        assert [call.result().status_code for call in calls] == [200] * 20
    assert refreshes(running) == before + 1
    assert running.sandbox.counters.events["refresh_reuse"] == 0
    assert generation(browser) == 2


def test_twenty_calls_with_a_dead_token_cause_one_refresh(running: Running, browser: Browser) -> None:
    browser.sign_in()
    running.sandbox.faults.inject("access_token_death")
    before = refreshes(running)
    with ThreadPoolExecutor(20) as threads:
        calls = [threads.submit(browser.fetch, "/api/v1/profile") for _ in range(20)]
        assert [call.result().status_code for call in calls] == [200] * 20
    assert refreshes(running) == before + 1
    assert generation(browser) == 2


def test_a_401_causes_one_refresh_and_one_replay(running: Running, browser: Browser) -> None:
    browser.sign_in()
    before, calls = refreshes(running), running.sandbox.counters.api_calls["GET /v1/profile"]
    running.sandbox.faults.inject("api_401", {"path": "/v1/profile"}, times=1)
    assert browser.fetch("/api/v1/profile").status_code == 200
    assert refreshes(running) == before + 1
    assert running.sandbox.counters.api_calls["GET /v1/profile"] == calls + 2


def test_a_second_401_is_passed_on_and_the_session_lives(running: Running, browser: Browser) -> None:
    browser.sign_in()
    calls = running.sandbox.counters.api_calls["GET /v1/profile"]
    running.sandbox.faults.inject("api_401", {"path": "/v1/profile"})
    refused = browser.fetch("/api/v1/profile")
    assert (refused.status_code, refused.json()) == (401, {"message": "Unauthorized"})
    assert running.sandbox.counters.api_calls["GET /v1/profile"] == calls + 2
    running.sandbox.faults.clear()
    assert browser.fetch("/api/v1/profile").status_code == 200


def test_an_api_that_refuses_every_token_causes_no_storm_of_refreshes(
    running: Running, browser: Browser
) -> None:
    """401 is what lexoffice answers during an outage: new tokens help nobody then."""
    browser.sign_in()
    before = refreshes(running)
    running.sandbox.faults.inject("api_401", {"path": "/v1/profile"})
    for _ in range(10):
        running.clock.advance(0.5)
        assert browser.fetch("/api/v1/profile").status_code == 401
    assert refreshes(running) == before + 1
    assert browser.fetch("/auth/session").json()["active"] is True
    running.clock.advance(10)
    running.sandbox.faults.clear()
    running.sandbox.faults.inject("access_token_death")
    assert browser.fetch("/api/v1/profile").status_code == 200


def test_a_small_post_is_replayed_once_after_a_401(running: Running, browser: Browser) -> None:
    browser.sign_in()
    total = browser.fetch("/api/v1/contacts").json()["totalElements"]
    calls = running.sandbox.counters.api_calls["POST /v1/contacts"]
    running.sandbox.faults.inject("access_token_death")
    answer = browser.fetch("/api/v1/contacts", "POST", json=CONTACT)
    assert running.sandbox.counters.api_calls["POST /v1/contacts"] == calls + 2
    writes = running.environment["LEXGATE_PROVIDER"] == "lexware"  # the openid scopes only read
    assert answer.is_success is writes, answer.text
    assert browser.fetch("/api/v1/contacts").json()["totalElements"] == total + int(writes)


def test_a_large_post_is_not_replayed(running: Running, browser: Browser) -> None:
    browser.sign_in()
    before, calls = refreshes(running), running.sandbox.counters.api_calls["POST /v1/contacts"]
    running.sandbox.faults.inject("access_token_death")
    large = {**CONTACT, "note": "x" * 20 * REPLAYABLE_BYTES}
    assert browser.fetch("/api/v1/contacts", "POST", json=large).status_code == 401
    assert running.sandbox.counters.api_calls["POST /v1/contacts"] == calls + 1
    assert refreshes(running) == before
    assert browser.fetch("/api/v1/profile").status_code == 200


@pytest.mark.parametrize("fault", ["token_failing", "token_429"])
def test_a_refresh_that_fails_for_now_keeps_the_session(
    running: Running, browser: Browser, fault: str
) -> None:
    browser.sign_in()
    cookie = browser.cookie(SESSION_COOKIE)
    expire(running, browser, left=30)
    running.sandbox.faults.inject(fault, {"seconds": 9} if fault == "token_429" else {})
    before = refreshes(running)
    for _ in range(4):
        assert browser.fetch("/api/v1/profile").status_code == 200, "the old token still serves"
    assert refreshes(running) == before + 1, "the token endpoint is left in peace for a while"
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
    assert generation(browser) == 2


def test_a_rate_limit_of_the_token_endpoint_is_heeded(running: Running, browser: Browser) -> None:
    """RFC 6585 §4: a client that goes on asking prolongs the block."""
    browser.sign_in()
    expire(running, browser, left=-1)
    running.sandbox.faults.inject("token_429", {"seconds": 40}, times=1)
    before = refreshes(running)
    for wait in (40, 30, 1):
        refused = browser.fetch("/api/v1/profile")
        assert (refused.status_code, refused.json()["code"]) == (503, "authorization_server_busy")
        assert refused.headers["retry-after"] == str(wait)
        running.clock.advance(10 if wait == 40 else 29 if wait == 30 else 1)
    assert refreshes(running) == before + 1
    assert browser.fetch("/api/v1/profile").status_code == 200


def test_invalid_grant_ends_the_session_with_its_reason(running: Running, browser: Browser) -> None:
    browser.sign_in()
    expire(running, browser, left=30)
    running.sandbox.faults.inject("token_invalid_grant", times=1)
    refused = browser.fetch("/api/v1/profile")
    assert (refused.status_code, refused.json()["code"]) == (401, "session_required")
    assert refused.json()["reason"] == "grant_ended"
    assert browser.fetch("/auth/session").json()["reason"] == "grant_ended"


def test_a_signed_out_browser_gets_nothing_of_a_refresh_under_way(running: Running, browser: Browser) -> None:
    browser.sign_in()
    expire(running, browser, left=-1)
    running.sandbox.faults.inject("token_slow", {"seconds": 0.5}, times=1)
    with ThreadPoolExecutor(1) as threads:
        before = refreshes(running)
        call = threads.submit(browser.fetch, "/api/v1/profile")
        until(lambda: refreshes(running) > before)
        kept = {"Cookie": f"{SESSION_COOKIE}={browser.cookie(SESSION_COOKIE)}"}
        assert browser.fetch("/auth/logout", "POST", headers=kept).status_code == 200
        assert call.result().status_code == 401
    assert browser.fetch("/auth/session", headers=kept).json()["reason"] == "signed_out"
