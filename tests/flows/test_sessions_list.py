"""A person sees their own sessions, and ends one, all others or all of them, and nobody else's."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any

import pytest

from gateway.browser.cookie import SESSION_COOKIE
from tests.support.browser import Browser
from tests.support.running import running_gateway

if TYPE_CHECKING:
    from tests.support.running import Running

TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


@pytest.fixture(autouse=True)
def fresh(running: Running) -> None:
    """End what earlier tests have left: they are all of the same two people."""
    for user in ("anna", "jonas"):
        with Browser(running.public_url) as browser:
            browser.sign_in(user=user)
            browser.fetch("/auth/logout?everywhere=true", "POST")


def listed(browser: Browser) -> list[dict[str, Any]]:
    answer = browser.fetch("/auth/sessions")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    sessions: list[dict[str, Any]] = answer.json()["sessions"]
    return sessions


def state(browser: Browser) -> str:
    document = browser.fetch("/auth/session").json()
    return "active" if document["active"] else document["reason"]


def connections(running: Running) -> int:
    running.call(running.gateway._revocation.drain())  # noqa: SLF001 - nothing else tells when it is done
    return len(running.sandbox.grants.connections())


def test_the_list_shows_every_session_of_the_person(
    running: Running, browser: Browser, other_browser: Browser
) -> None:
    browser.sign_in()
    running.clock.advance(5)
    other_browser.sign_in()
    sessions = listed(browser)
    assert [session["current"] for session in sessions] == [False, True]
    assert listed(other_browser) == [{**each, "current": not each["current"]} for each in sessions]
    names = {"id", "current", "device", "address", "created_at", "last_seen_at", "ends_at"}
    for session in sessions:
        assert session.keys() == names
        assert session["address"] == "127.0.0.0/24"
        assert isinstance(session["device"], str)
        assert all(TIMESTAMP.fullmatch(session[name]) for name in names if name.endswith("_at"))
    kept = browser.cookie(SESSION_COOKIE)
    assert kept
    assert all(session["id"] not in kept for session in sessions)


def test_another_person_is_in_another_list(browser: Browser, other_browser: Browser) -> None:
    browser.sign_in(user="anna")
    other_browser.sign_in(user="jonas")
    [foreign] = listed(other_browser)
    assert [session["current"] for session in listed(browser)] == [True]
    for public_id in (foreign["id"], "unknown", "%C3%A9", "%00", "x" * 500):
        refused = browser.fetch(f"/auth/sessions/{public_id}", "DELETE")
        assert (refused.status_code, refused.json()["code"]) == (404, "route_unknown")
    assert browser.fetch("/auth/sessions", "DELETE").json() == {"ended": 0}
    assert state(other_browser) == "active"


def test_one_session_is_ended(running: Running, browser: Browser, other_browser: Browser) -> None:
    browser.sign_in()
    other_browser.sign_in()
    [other] = [session for session in listed(browser) if not session["current"]]
    answer = browser.fetch(f"/auth/sessions/{other['id']}", "DELETE")
    assert (answer.status_code, answer.json()) == (200, {"ended": 1})
    assert "set-cookie" not in answer.headers
    assert (state(browser), state(other_browser)) == ("active", "signed_out_elsewhere")
    assert browser.fetch("/api/v1/profile").status_code == 200
    assert connections(running) == 1
    assert browser.fetch(f"/auth/sessions/{other['id']}", "DELETE").status_code == 404


def test_ending_ones_own_session_is_a_sign_out(running: Running, browser: Browser) -> None:
    browser.sign_in()
    kept = {"Cookie": f"{SESSION_COOKIE}={browser.cookie(SESSION_COOKIE)}"}
    [own] = listed(browser)
    assert browser.fetch(f"/auth/sessions/{own['id']}", "DELETE").json() == {"ended": 1}
    assert browser.cookie(SESSION_COOKIE) is None
    assert browser.fetch("/auth/session", headers=kept).json()["reason"] == "signed_out"
    assert connections(running) == 0


def test_all_others_are_ended(running: Running, browser: Browser) -> None:
    with Browser(running.public_url) as second, Browser(running.public_url) as third:
        for each in (second, third, browser):
            each.sign_in()
        answer = browser.fetch("/auth/sessions", "DELETE")
        assert (answer.status_code, answer.json()) == (200, {"ended": 2})
        assert [state(each) for each in (second, third)] == ["signed_out_elsewhere"] * 2
        assert second.fetch("/api/v1/profile").json()["reason"] == "signed_out_elsewhere"
    assert state(browser) == "active"
    assert len(listed(browser)) == 1
    assert connections(running) == 1


def test_signing_out_everywhere_ends_all(
    running: Running, browser: Browser, other_browser: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    browser.sign_in()
    other_browser.sign_in()
    kept = {"Cookie": f"{SESSION_COOKIE}={browser.cookie(SESSION_COOKIE)}"}
    caplog.clear()
    with caplog.at_level(logging.INFO, "gateway.audit"):
        answer = browser.fetch("/auth/logout?everywhere=true", "POST")
    assert answer.status_code == 200
    assert answer.json().keys() == {"logout_url"}
    assert answer.headers["clear-site-data"] == '"cache", "storage"'
    assert browser.cookie(SESSION_COOKIE) is None
    assert browser.fetch("/auth/session", headers=kept).json()["reason"] == "signed_out"
    assert state(other_browser) == "signed_out_elsewhere"
    assert connections(running) == 0
    events = [(record.message, vars(record)["fields"]["outcome"]) for record in caplog.records]
    assert events == [("session_ended", "signed_out_elsewhere"), ("sign_out", "success")]


def test_everywhere_needs_a_session_to_tell_whose(browser: Browser) -> None:
    refused = browser.fetch("/auth/logout?everywhere=true", "POST")
    assert (refused.status_code, refused.json()["reason"]) == (401, "none")
    assert browser.fetch("/auth/logout?everywhere=false", "POST").status_code == 200


@pytest.mark.parametrize("query", ["everywhere", "everywhere=1", "everywhere=true&everywhere=false"])
def test_everywhere_is_not_guessed(browser: Browser, query: str) -> None:
    browser.sign_in()
    refused = browser.fetch(f"/auth/logout?{query}", "POST")
    assert (refused.status_code, refused.json()["code"]) == (400, "request_invalid")
    assert state(browser) == "active"


@pytest.mark.parametrize(("method", "path"), [("DELETE", "/auth/sessions"), ("DELETE", "/auth/sessions/x")])
def test_another_site_ends_nothing(browser: Browser, other_browser: Browser, method: str, path: str) -> None:
    browser.sign_in()
    other_browser.sign_in()
    for headers in (
        {"X-CSRF": ""},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
    ):
        assert browser.fetch(path, method, headers=headers).status_code == 403
    assert browser.fetch("/auth/sessions", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert state(other_browser) == "active"


def test_without_a_session_there_is_no_list(browser: Browser) -> None:
    for method, path in (("GET", ""), ("DELETE", ""), ("DELETE", "/x")):
        refused = browser.fetch(f"/auth/sessions{path}", method)
        assert (refused.status_code, refused.json()["reason"]) == (401, "none")


def test_looking_at_the_list_keeps_no_session_alive(
    running: Running, browser: Browser, other_browser: Browser
) -> None:
    browser.sign_in()
    before = browser.fetch("/auth/session").json()["session"]["idle_at"]
    running.clock.advance(120)
    other_browser.sign_in()
    assert [session["current"] for session in listed(browser)] == [False, True]
    browser.fetch("/auth/sessions", "DELETE")
    assert browser.fetch("/auth/session").json()["session"]["idle_at"] == before


@pytest.mark.parametrize(("detail", "address"), [("full", "127.0.0.1"), ("none", None)])
def test_a_session_tells_as_much_of_its_address_as_the_operator_allows(
    detail: str, address: str | None
) -> None:
    settings = {"LEXGATE_SESSION_ADDRESS": detail}
    with running_gateway("lexware", settings=settings) as running, Browser(running.public_url) as browser:
        browser.sign_in()
        assert [session["address"] for session in listed(browser)] == [address]
