"""The access token behind /api: refreshed ahead, replaced after a 401, and never at the session's cost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

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


def sign_in_a_while_ago(running: Running, browser: Browser) -> None:
    """Sign in, and let the tokens grow so old that a 401 may be their fault."""
    browser.sign_in()
    running.clock.advance(11)


def test_a_token_is_refreshed_a_minute_ahead_and_not_before(running: Running, browser: Browser) -> None:
    browser.sign_in()
    running.expire(browser, left=61)
    assert browser.fetch("/api/v1/profile").status_code == 200
    assert browser.generation() == 1
    running.clock.advance(1)
    assert browser.fetch("/api/v1/profile").status_code == 200
    until(lambda: browser.generation() == 2)


def test_a_call_near_the_end_is_served_while_the_refresh_runs_beside_it(
    running: Running, browser: Browser
) -> None:
    browser.sign_in()
    running.expire(browser, left=30)
    running.sandbox.faults.inject("token_slow", {"seconds": 0.5}, times=1)
    before = running.sandbox.counters.token_answers["refresh_token"]
    assert browser.fetch("/api/v1/profile").status_code == 200
    assert running.sandbox.counters.token_answers["refresh_token"] == before
    until(lambda: browser.generation() == 2)


def test_a_large_post_near_the_end_waits_for_the_refresh(running: Running, browser: Browser) -> None:
    """A refresh may end the old token, and what met a 401 then could not be sent again."""
    browser.sign_in()
    running.expire(browser, left=30)
    browser.fetch("/api/v1/contacts", "POST", json={**CONTACT, "note": "x" * 2 * REPLAYABLE_BYTES})
    assert browser.generation() == 2


@pytest.mark.parametrize("left", [30, -1])
def test_twenty_calls_at_once_cause_one_refresh(running: Running, browser: Browser, left: float) -> None:
    browser.sign_in()
    running.expire(browser, left=left)
    running.sandbox.faults.inject("token_slow", {"seconds": 0.2})
    before = running.refreshes()
    with ThreadPoolExecutor(20) as threads:
        calls = [threads.submit(browser.fetch, "/api/v1/profile") for _ in range(20)]
        assert [call.result().status_code for call in calls] == [200] * 20
    until(lambda: browser.generation() == 2)
    assert running.refreshes() == before + 1
    assert running.sandbox.counters.events["refresh_reuse"] == 0


def test_twenty_calls_with_a_dead_token_cause_one_refresh(running: Running, browser: Browser) -> None:
    sign_in_a_while_ago(running, browser)
    running.sandbox.faults.inject("access_token_death")
    before = running.refreshes()
    with ThreadPoolExecutor(20) as threads:
        calls = [threads.submit(browser.fetch, "/api/v1/profile") for _ in range(20)]
        assert [call.result().status_code for call in calls] == [200] * 20
    assert running.refreshes() == before + 1
    assert browser.generation() == 2


def test_a_401_causes_one_refresh_and_one_replay(running: Running, browser: Browser) -> None:
    sign_in_a_while_ago(running, browser)
    before, calls = running.refreshes(), running.sandbox.counters.api_calls["GET /v1/profile"]
    running.sandbox.faults.inject("api_401", {"path": "/v1/profile"}, times=1)
    assert browser.fetch("/api/v1/profile").status_code == 200
    assert running.refreshes() == before + 1
    assert running.sandbox.counters.api_calls["GET /v1/profile"] == calls + 2


def test_a_token_just_made_is_not_blamed_for_a_401(running: Running, browser: Browser) -> None:
    browser.sign_in()
    before = running.refreshes()
    running.sandbox.faults.inject("api_401", {"path": "/v1/profile"}, times=2)
    assert browser.fetch("/api/v1/profile").status_code == 401
    assert running.refreshes() == before
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
    before = running.refreshes()
    running.sandbox.faults.inject("api_401", {"path": "/v1/profile"})
    for _ in range(10):
        running.clock.advance(0.5)
        assert browser.fetch("/api/v1/profile").status_code == 401
    assert running.refreshes() == before + 1
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


def test_a_large_post_is_not_replayed_but_its_sender_told_to_send_it_again(
    running: Running, browser: Browser
) -> None:
    sign_in_a_while_ago(running, browser)
    before, calls = running.refreshes(), running.sandbox.counters.api_calls["POST /v1/contacts"]
    running.sandbox.faults.inject("access_token_death", times=1)
    large = {**CONTACT, "note": "x" * 20 * REPLAYABLE_BYTES}
    refused = browser.fetch("/api/v1/contacts", "POST", json=large)
    assert (refused.status_code, refused.json()["code"]) == (503, "resend_required")
    assert "performed" not in refused.json()["detail"]
    assert refused.headers["retry-after"] == "1"
    assert running.sandbox.counters.api_calls["POST /v1/contacts"] == calls + 1
    assert running.refreshes() == before + 1
    running.sandbox.faults.clear()
    assert browser.fetch("/api/v1/profile").status_code == 200, "the session goes on with the new token"


def test_a_large_post_that_is_refused_with_a_fresh_token_is_told_the_refusal(
    running: Running, browser: Browser
) -> None:
    browser.sign_in()
    before = running.refreshes()
    running.sandbox.faults.inject("api_401", {"path": "/v1/contacts"}, times=1)
    large = {**CONTACT, "note": "x" * 20 * REPLAYABLE_BYTES}
    assert browser.fetch("/api/v1/contacts", "POST", json=large).status_code == 401
    assert running.refreshes() == before
