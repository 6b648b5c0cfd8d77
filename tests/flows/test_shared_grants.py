"""With LEXGATE_GRANTS=connection all sessions of a person share one grant; by default each has its own."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import httpx
import pytest

from gateway.oauth.logout_token import LOGOUT_EVENT
from tests.support.browser import Browser
from tests.support.running import CLIENT_ID, running_gateway

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.running import Running

LONG = {"LEXGATE_SESSION_IDLE": "36000"}


@contextmanager
def running_with(browsers: int, *, grants: str, reconnect: str) -> Iterator[tuple[Running, list[Browser]]]:
    settings = {**LONG, "LEXGATE_GRANTS": grants}
    with ExitStack() as stack:
        running = stack.enter_context(
            running_gateway("openid", settings=settings, sandbox_options={"reconnect": reconnect})
        )
        yield running, [stack.enter_context(Browser(running.public_url)) for _ in range(browsers)]


@pytest.fixture
def shared() -> Iterator[tuple[Running, list[Browser]]]:
    """Let one person sign in with two browsers, and another with a third.

    A second sign-in takes over the connection that there is for client and person, as the setting supposes.
    """
    with running_with(3, grants="connection", reconnect="replace") as (running, browsers):
        for browser, user in zip(browsers, ("anna", "anna", "jonas"), strict=True):
            browser.sign_in(user=user)
        yield running, browsers


def subject_at_the_api(browser: Browser) -> str:
    name: str = browser.fetch("/api/v1/profile").json()["created"]["userName"]
    return name


def test_two_browsers_of_a_person_share_one_grant_and_its_refresh(
    shared: tuple[Running, list[Browser]],
) -> None:
    running, (one, other, _) = shared
    assert (one.generation(), other.generation()) == (2, 2), "the second sign-in brought the newest tokens"
    running.expire(one, left=-1)
    assert one.fetch("/api/v1/profile").status_code == 200
    assert other.fetch("/api/v1/profile").status_code == 200
    assert (one.generation(), other.generation()) == (3, 3)
    assert running.refreshes() == 1
    assert running.sandbox.counters.events["refresh_reuse"] == 0


def test_signing_out_of_one_keeps_the_tokens_of_the_other_and_the_last_one_revokes_them(
    shared: tuple[Running, list[Browser]],
) -> None:
    running, (one, other, stranger) = shared
    revocations = running.sandbox.counters.events
    one.fetch("/auth/logout", "POST")
    assert one.fetch("/auth/session").json()["active"] is False
    assert revocations["revocation_requests"] == 0
    assert other.fetch("/api/v1/profile").status_code == 200
    other.fetch("/auth/logout", "POST")
    assert revocations["revoked_tokens"] == 1
    (left,) = running.sandbox.grants.connections()
    assert left.user.id == stranger.fetch("/auth/session").json()["subject"]
    assert stranger.fetch("/api/v1/profile").status_code == 200


def test_two_people_never_share(shared: tuple[Running, list[Browser]]) -> None:
    running, (one, other, stranger) = shared
    assert subject_at_the_api(one) == subject_at_the_api(other) != subject_at_the_api(stranger)
    running.expire(stranger, left=-1)
    assert subject_at_the_api(one) == subject_at_the_api(other) != subject_at_the_api(stranger)
    assert (one.generation(), stranger.generation()) == (3, 2)
    assert running.refreshes() == 2
    running.sandbox.faults.inject("token_invalid_grant", times=1)
    running.clock.advance(11)
    assert stranger.fetch("/auth/session/refresh", "POST").json()["reason"] == "grant_ended"
    assert [browser.fetch("/auth/session").json()["active"] for browser in (one, other)] == [True, True]


def test_what_ends_the_grant_ends_all_its_sessions(shared: tuple[Running, list[Browser]]) -> None:
    running, (one, other, _) = shared
    running.clock.advance(11)
    running.sandbox.faults.inject("token_invalid_grant", times=1)
    assert one.fetch("/auth/session/refresh", "POST").json()["reason"] == "grant_ended"
    assert other.fetch("/auth/session").json()["reason"] == "grant_ended"


def test_ending_one_session_by_the_list_revokes_nothing_of_the_others(
    shared: tuple[Running, list[Browser]],
) -> None:
    running, (one, other, _) = shared
    listed = one.fetch("/auth/sessions").json()["sessions"]
    assert [session["current"] for session in listed].count(True) == 1
    (foreign,) = (session["id"] for session in listed if not session["current"])
    assert one.fetch(f"/auth/sessions/{foreign}", "DELETE").json() == {"ended": 1}
    assert other.fetch("/auth/session").json()["reason"] == "signed_out_elsewhere"
    assert one.fetch("/api/v1/profile").status_code == 200
    assert running.sandbox.counters.events["revocation_requests"] == 0


def test_a_logout_token_for_a_sid_ends_one_session_of_the_grant(
    shared: tuple[Running, list[Browser]],
) -> None:
    running, (one, other, _) = shared
    now = int(running.clock())
    newest = next(each for each in running.sandbox.grants.connections() if each.user.key == "anna")
    claims = {
        "iss": f"{running.sandbox_url}/openid",
        "aud": CLIENT_ID,
        "iat": now,
        "exp": now + 120,
        "jti": "one",
        "sid": newest.sid,
        "events": {LOGOUT_EVENT: {}},
    }
    token = running.sandbox.keys.sign(claims, "logout+jwt")
    url = f"{running.public_url}/auth/backchannel-logout"
    assert httpx.post(url, data={"logout_token": token}, trust_env=False).status_code == 200
    assert other.fetch("/auth/session").json()["reason"] == "signed_out_elsewhere"
    assert one.fetch("/api/v1/profile").status_code == 200
    assert running.sandbox.counters.events["revocation_requests"] == 0


def test_by_default_each_session_has_tokens_of_its_own() -> None:
    with running_with(2, grants="session", reconnect="new") as (running, (one, other)):
        for browser in (one, other):
            browser.sign_in()
        running.expire(one, left=-1)
        for browser in (one, other):
            assert browser.fetch("/api/v1/profile").status_code == 200
        assert (one.generation(), other.generation(), running.refreshes()) == (2, 2, 2)
        one.fetch("/auth/logout", "POST")
        assert running.sandbox.counters.events["revoked_tokens"] == 1
        assert other.fetch("/api/v1/profile").status_code == 200
