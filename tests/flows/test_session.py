"""What the app learns of its session, when a session ends, and what keeps it alive."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from gateway.browser.cookie import SESSION_COOKIE
from tests.support.running import running_gateway

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.browser import Browser
    from tests.support.running import Running

TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
IDLE, LONGEST = 600, 3000


@pytest.fixture(scope="module", params=["lexware", "openid"])
def running(request: pytest.FixtureRequest) -> Iterator[Running]:
    settings = {"LEXGATE_SESSION_IDLE": str(IDLE), "LEXGATE_SESSION_MAX": str(LONGEST)}
    with running_gateway(request.param, settings=settings) as running:
        yield running


def test_the_document_of_a_live_session(running: Running, browser: Browser) -> None:
    browser.sign_in()
    answer = browser.fetch("/auth/session")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    document = answer.json()
    assert document.keys() == {"active", "subject", "claims", "csrf_header", "session", "tokens"}
    assert document["active"] is True
    assert document["csrf_header"] == {"X-CSRF": "1"}
    assert all(isinstance(value, str) for value in document["claims"].values())
    assert document["claims"]["organization"] == "Nordlicht Leuchten GmbH"
    session, tokens = document["session"], document["tokens"]
    assert session.keys() == {"created_at", "ends_at", "idle_at", "ends_in_seconds", "idle_in_seconds"}
    assert tokens.keys() == {"expires_at", "refreshed_at", "expires_in_seconds", "generation"}
    times = [session[key] for key in ("created_at", "ends_at", "idle_at")]
    assert all(TIMESTAMP.fullmatch(text) for text in [*times, tokens["expires_at"], tokens["refreshed_at"]])
    assert (session["ends_in_seconds"], session["idle_in_seconds"]) == (LONGEST, IDLE)
    assert tokens["generation"] == 1
    lifetime = 14399 if running.environment["LEXGATE_PROVIDER"] == "lexware" else 3600
    assert tokens["expires_in_seconds"] == lifetime


def test_the_document_without_a_session(browser: Browser) -> None:
    document = browser.fetch("/auth/session").json()
    assert document == {
        "active": False,
        "reason": "none",
        "login_url": "/auth/login",
        "csrf_header": {"X-CSRF": "1"},
    }


def test_checking_the_session_never_slides_it(running: Running, browser: Browser) -> None:
    browser.sign_in()
    for _ in range(3):
        running.clock.advance(IDLE / 4)
        assert browser.fetch("/auth/session").json()["active"] is True
    assert browser.fetch("/auth/session").json()["session"]["idle_in_seconds"] == IDLE / 4
    running.clock.advance(IDLE / 4)
    document = browser.fetch("/auth/session").json()
    assert (document["active"], document["reason"]) == (False, "idle")


@pytest.mark.parametrize(
    ("path", "method"), [("/api/v1/countries", "GET"), ("/auth/session/refresh", "POST")]
)
def test_use_slides_the_idle_end_but_not_the_absolute_one(
    running: Running, browser: Browser, path: str, method: str
) -> None:
    browser.sign_in()
    for _ in range(LONGEST // 500 - 1):
        running.clock.advance(500)
        assert browser.fetch(path, method).status_code in {200, 403}
    session = browser.fetch("/auth/session").json()["session"]
    assert (session["idle_in_seconds"], session["ends_in_seconds"]) == (500, 500)
    running.clock.advance(500)
    refused = browser.fetch(path, method)
    assert (refused.status_code, refused.json()["reason"]) == (401, "expired")
    assert browser.fetch("/auth/session").json()["reason"] == "expired"


def test_an_api_call_without_a_session_is_told_why_and_never_redirected(
    running: Running, browser: Browser
) -> None:
    browser.sign_in()
    running.clock.advance(IDLE)
    refused = browser.fetch("/api/v1/profile")
    assert refused.status_code == 401
    assert refused.headers["content-type"] == "application/problem+json"
    problem = refused.json()
    assert problem["code"] == "session_required"
    assert problem["reason"] == "idle"
    assert problem["login_url"].startswith("/auth/login")
    assert "location" not in refused.headers
    assert browser.cookie(SESSION_COOKIE) is not None, "why it ended must stay to be told"


def test_a_person_who_opens_an_api_address_without_a_session_gets_a_page(browser: Browser) -> None:
    page = browser.navigate("/api/v1/profile")
    assert (page.status_code, page.headers["content-type"]) == (401, "text/html; charset=utf-8")
    assert "/auth/login?" in page.text


def test_refresh_renews_the_token_but_not_again_at_once(running: Running, browser: Browser) -> None:
    browser.sign_in()
    refreshes = running.sandbox.counters.token_requests["refresh_token"]
    assert browser.fetch("/auth/session/refresh", "POST").json()["tokens"]["generation"] == 1, "fresh enough"
    running.clock.advance(11)
    document = browser.fetch("/auth/session/refresh", "POST").json()
    assert (document["active"], document["tokens"]["generation"]) == (True, 2)
    for _ in range(5):
        assert browser.fetch("/auth/session/refresh", "POST").json()["tokens"]["generation"] == 2
    assert running.sandbox.counters.token_requests["refresh_token"] == refreshes + 1
    assert browser.fetch("/api/v1/countries").status_code in {200, 403}


def test_refresh_without_a_session_is_401(browser: Browser) -> None:
    refused = browser.fetch("/auth/session/refresh", "POST")
    assert (refused.status_code, refused.json()["reason"]) == (401, "none")


def test_a_dead_refresh_token_ends_the_session_with_its_reason(running: Running, browser: Browser) -> None:
    browser.sign_in()
    running.sandbox.faults.inject("connection_revoked")
    running.clock.advance(11)
    refused = browser.fetch("/auth/session/refresh", "POST")
    assert (refused.status_code, refused.json()["reason"]) == (401, "grant_ended")
    document = browser.fetch("/auth/session").json()
    assert (document["active"], document["reason"]) == (False, "grant_ended")
    assert browser.sign_in().status_code == 200
    assert browser.fetch("/auth/session").json()["active"] is True


def test_why_a_session_ended_is_remembered_for_an_hour(running: Running, browser: Browser) -> None:
    browser.sign_in()
    cookie = {"Cookie": f"{SESSION_COOKIE}={browser.cookie(SESSION_COOKIE)}"}
    browser.fetch("/auth/logout", "POST")
    running.clock.advance(3599)
    assert browser.fetch("/auth/session", headers=cookie).json()["reason"] == "signed_out"
    running.clock.advance(2)
    assert browser.fetch("/auth/session", headers=cookie).json()["reason"] == "none"
