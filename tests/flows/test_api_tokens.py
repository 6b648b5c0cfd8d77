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


def sign_in_a_while_ago(running: Running, browser: Browser) -> None:
    """Sign in, and let the tokens grow so old that a 401 may be their fault."""
    browser.sign_in()
    running.clock.advance(11)


def refreshes(running: Running) -> int:
    return running.sandbox.counters.token_requests["refresh_token"]


def test_a_token_is_refreshed_a_minute_ahead_and_not_before(running: Running, browser: Browser) -> None:
    browser.sign_in()
    expire(running, browser, left=61)
    assert browser.fetch("/api/v1/profile").status_code == 200
    assert browser.generation() == 1
    running.clock.advance(1)
    assert browser.fetch("/api/v1/profile").status_code == 200
    until(lambda: browser.generation() == 2)


def test_a_call_near_the_end_is_served_while_the_refresh_runs_beside_it(
    running: Running, browser: Browser
) -> None:
    browser.sign_in()
    expire(running, browser, left=30)
    running.sandbox.faults.inject("token_slow", {"seconds": 0.5}, times=1)
    before = running.sandbox.counters.token_answers["refresh_token"]
    assert browser.fetch("/api/v1/profile").status_code == 200
    assert running.sandbox.counters.token_answers["refresh_token"] == before
    until(lambda: browser.generation() == 2)


def test_a_large_post_near_the_end_waits_for_the_refresh(running: Running, browser: Browser) -> None:
    """A refresh may end the old token, and what met a 401 then could not be sent again."""
    browser.sign_in()
    expire(running, browser, left=30)
    browser.fetch("/api/v1/contacts", "POST", json={**CONTACT, "note": "x" * 2 * REPLAYABLE_BYTES})
    assert browser.generation() == 2


@pytest.mark.parametrize("left", [30, -1])
def test_twenty_calls_at_once_cause_one_refresh(running: Running, browser: Browser, left: float) -> None:
    browser.sign_in()
    expire(running, browser, left=left)
    running.sandbox.faults.inject("token_slow", {"seconds": 0.2})
    before = refreshes(running)
    with ThreadPoolExecutor(20) as threads:
        calls = [threads.submit(browser.fetch, "/api/v1/profile") for _ in range(20)]
        assert [call.result().status_code for call in calls] == [200] * 20
    until(lambda: browser.generation() == 2)
    assert refreshes(running) == before + 1
    assert running.sandbox.counters.events["refresh_reuse"] == 0


def test_twenty_calls_with_a_dead_token_cause_one_refresh(running: Running, browser: Browser) -> None:
    sign_in_a_while_ago(running, browser)
    running.sandbox.faults.inject("access_token_death")
    before = refreshes(running)
    with ThreadPoolExecutor(20) as threads:
        calls = [threads.submit(browser.fetch, "/api/v1/profile") for _ in range(20)]
        assert [call.result().status_code for call in calls] == [200] * 20
    assert refreshes(running) == before + 1
    assert browser.generation() == 2


def test_a_401_causes_one_refresh_and_one_replay(running: Running, browser: Browser) -> None:
    sign_in_a_while_ago(running, browser)
    before, calls = refreshes(running), running.sandbox.counters.api_calls["GET /v1/profile"]
    running.sandbox.faults.inject("api_401", {"path": "/v1/profile"}, times=1)
    assert browser.fetch("/api/v1/profile").status_code == 200
    assert refreshes(running) == before + 1
    assert running.sandbox.counters.api_calls["GET /v1/profile"] == calls + 2


def test_a_token_just_made_is_not_blamed_for_a_401(running: Running, browser: Browser) -> None:
    browser.sign_in()
    before = refreshes(running)
    running.sandbox.faults.inject("api_401", {"path": "/v1/profile"}, times=2)
    assert browser.fetch("/api/v1/profile").status_code == 401
    assert refreshes(running) == before
    assert browser.fetch("/api/v1/profile").status_code == 200


def test_a_second_401_is_passed_on_and_the_session_lives(running: Running, browser: Browser) -> None:
    sign_in_a_while_ago(running, browser)
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
    sign_in_a_while_ago(running, browser)
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
    sign_in_a_while_ago(running, browser)
    total = browser.fetch("/api/v1/contacts").json()["totalElements"]
    calls = running.sandbox.counters.api_calls["POST /v1/contacts"]
    running.sandbox.faults.inject("access_token_death")
    answer = browser.fetch("/api/v1/contacts", "POST", json=CONTACT)
    assert running.sandbox.counters.api_calls["POST /v1/contacts"] == calls + 2
    writes = running.environment["LEXGATE_PROVIDER"] == "lexware"  # the openid scopes only read
    assert answer.is_success is writes, answer.text
    assert browser.fetch("/api/v1/contacts").json()["totalElements"] == total + int(writes)


def test_a_large_post_is_not_replayed(running: Running, browser: Browser) -> None:
    sign_in_a_while_ago(running, browser)
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
        until(lambda: refreshes(running) > before)
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
    assert browser.generation() == 2


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


def test_a_rate_limit_is_not_prolonged_by_calls_that_heed_it(running: Running, browser: Browser) -> None:
    """RFC 6585 §4: whoever polls faster than once a second gets through when the block is over."""
    browser.sign_in()
    expire(running, browser, left=-1)
    running.sandbox.faults.inject("token_429", {"seconds": 2}, times=1)
    answers = []
    for _ in range(6):
        answers.append(browser.fetch("/api/v1/profile").status_code)
        running.clock.advance(0.4)
    assert answers == [503] * 5 + [200]


def test_invalid_grant_ends_the_session_with_its_reason(running: Running, browser: Browser) -> None:
    browser.sign_in()
    expire(running, browser, left=30)
    running.sandbox.faults.inject("token_invalid_grant", times=1)
    assert browser.fetch("/api/v1/profile").status_code == 200, "the old token served once more"
    until(lambda: browser.generation() == 0)
    refused = browser.fetch("/api/v1/profile")
    assert (refused.status_code, refused.json()["reason"]) == (401, "grant_ended")
    assert browser.fetch("/auth/session").json()["reason"] == "grant_ended"


def test_invalid_grant_is_told_to_the_call_that_waited(running: Running, browser: Browser) -> None:
    browser.sign_in()
    expire(running, browser, left=-1)
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
