"""A session ends at the earliest of its ends, and /auth/session tells which that is just now."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.support.browser import Browser
from tests.support.running import running_gateway
from tests.support.scripted import TOKENS, Script, come_back, running_script

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.running import Running

LONG = {"LEXGATE_SESSION_IDLE": "36000"}


def ends_in(browser: Browser) -> tuple[int, int]:
    session = browser.fetch("/auth/session").json()["session"]
    return session["ends_in_seconds"], session["idle_in_seconds"]


def reason(browser: Browser) -> str | None:
    document = browser.fetch("/auth/session").json()
    return None if document["active"] else document["reason"]


@contextmanager
def signed_in(tokens: dict[str, Any], **settings: str) -> Iterator[tuple[Running, Script, Browser]]:
    """Sign in where the token endpoint says this; settings by the end of their names."""
    written = {f"LEXGATE_{name}": value for name, value in settings.items()}
    with running_script(LONG | written) as (running, script), Browser(running.public_url) as browser:
        script.say("/oauth2/token", {**TOKENS, **tokens})
        come_back(browser)
        yield running, script, browser


@pytest.mark.parametrize(
    ("tokens", "settings", "ends"),
    [
        ({}, {}, 36000),
        ({"refresh_expires_in": 1800}, {}, 1800),
        ({"refresh_token_expires_in": "7200"}, {}, 7200),
        ({"refresh_expires_in": 0}, {}, 36000),
        ({"refresh_expires_in": 99_999}, {}, 36000),
        ({}, {"REFRESH_TOKEN_LIFETIME": "5000"}, 5000),
        ({"refresh_expires_in": 1800}, {"REFRESH_TOKEN_LIFETIME": "5000"}, 1800),
        ({"refresh_token": None}, {}, 900),
        ({"refresh_token": None}, {"REFRESH_TOKEN_LIFETIME": "5000"}, 900),
    ],
)
def test_a_session_lasts_no_longer_than_what_renews_its_tokens(
    tokens: dict[str, Any], settings: dict[str, str], ends: int
) -> None:
    """OAuth 2.0 for browser-based applications, on sessions of a BFF."""
    with signed_in(tokens, **settings) as (running, script, browser):
        assert ends_in(browser) == (ends, ends)
        (listed,) = browser.fetch("/auth/sessions").json()["sessions"]
        assert listed["ends_at"] == browser.fetch("/auth/session").json()["session"]["ends_at"]
        running.clock.advance(ends - 1)
        assert reason(browser) is None
        running.clock.advance(1)
        assert reason(browser) == "expired"
        asked = len(script.heard("/oauth2/token"))
        for path in ("/auth/sessions", "/api/v1/profile", "/api/v1/profile"):
            refused = browser.fetch(path)
            assert (refused.status_code, refused.json()["reason"]) == (401, "expired")
        assert len(script.heard("/oauth2/token")) == asked, "a dead refresh token is not sent"
        assert running.call(running.gateway._vault.count(running.clock())) == 0  # noqa: SLF001 - it is gone


def test_a_rotated_refresh_token_moves_the_end_and_never_beyond_the_absolute_one() -> None:
    with signed_in({"refresh_expires_in": 1000}, SESSION_MAX="36000") as (running, script, browser):
        began = browser.fetch("/auth/session").json()["session"]["created_at"]
        for number, lifetime, ends in ((2, 1000, 1000), (3, 99_999, 36000 - 1600), (4, 60, 60)):
            running.clock.advance(800)
            script.say(
                "/oauth2/token",
                {**TOKENS, "refresh_token": f"refresh-{number}", "refresh_expires_in": lifetime},
            )
            document = browser.fetch("/auth/session/refresh", "POST").json()
            assert document["session"]["ends_in_seconds"] == ends
            assert document["session"]["created_at"] == began
        running.clock.advance(60)
        assert reason(browser) == "expired"


def test_a_refresh_token_that_ends_before_its_access_token_is_renewed_in_time() -> None:
    with signed_in({"refresh_expires_in": 300}) as (running, script, browser):
        running.clock.advance(250)
        script.say("/oauth2/token", {**TOKENS, "refresh_token": "refresh-2", "refresh_expires_in": 300})
        assert browser.fetch("/api/v1/profile", "POST", content=b"x" * 100_000).status_code == 200
        assert (browser.generation(), ends_in(browser)[0]) == (2, 300)


def test_idleness_ends_a_session_before_its_other_ends() -> None:
    with signed_in({"refresh_expires_in": 3600}, SESSION_IDLE="600") as (running, _, browser):
        assert ends_in(browser) == (3600, 600)
        running.clock.advance(600)
        assert reason(browser) == "idle"


def test_the_absolute_end_is_not_moved_by_any_refresh() -> None:
    with signed_in({}, SESSION_IDLE="1000", SESSION_MAX="2000") as (running, _, browser):
        for left in (1500, 1000, 500):
            running.clock.advance(500)
            assert browser.fetch("/auth/session/refresh", "POST").status_code == 200
            assert ends_in(browser)[0] == left
        running.clock.advance(500)
        assert reason(browser) == "expired"


@contextmanager
def running_with_claims(claims: dict[str, Any]) -> Iterator[tuple[Running, Browser]]:
    """Run a gateway whose authorization server puts these claims into every id_token."""
    with running_gateway("openid", settings=LONG) as running, Browser(running.public_url) as browser:
        keys: Any = running.sandbox.keys
        sign = keys.sign

        def signed(document: dict[str, Any], typ: str = "JWT") -> str:
            added = claims if typ == "JWT" else {}
            return str(sign({**document, **added}, typ))

        keys.sign = signed
        yield running, browser


def test_the_end_that_the_id_token_names_is_the_sessions() -> None:
    claims: dict[str, Any] = {}
    with running_with_claims(claims) as (running, browser):
        claims["session_expiry"] = int(running.clock()) + 5000
        browser.sign_in()
        assert ends_in(browser) == (5000, 5000)
        running.clock.advance(1000)
        claims["session_expiry"] += 9000
        assert browser.fetch("/auth/session/refresh", "POST").json()["session"]["ends_in_seconds"] == 4000
        running.clock.advance(1000)
        claims["session_expiry"] = int(running.clock()) + 700
        assert browser.fetch("/auth/session/refresh", "POST").json()["session"]["ends_in_seconds"] == 700
        running.clock.advance(700)
        assert reason(browser) == "expired"
        assert browser.fetch("/api/v1/profile").json()["reason"] == "expired"


@pytest.mark.parametrize(("value", "code"), [(1, "identity_invalid"), ("soon", "id_token_invalid")])
def test_a_session_that_is_over_or_ends_at_no_time_does_not_begin(value: object, code: str) -> None:
    with running_with_claims({"session_expiry": value}) as (running, browser):
        page = browser.sign_in()
        assert page.status_code == 502
        assert reason(browser) == "none"
        running.call(running.gateway._revocation.drain())  # noqa: SLF001 - nothing else tells when it is done
        assert running.sandbox.grants.connections() == (), "its tokens are revoked"
        metrics = httpx.get(f"{running.admin_url}/metrics", trust_env=False).text
        assert f'lexgate_sign_ins_total{{outcome="{code}"}} 1.0' in metrics


def test_who_asks_for_max_age_gets_a_session_no_older() -> None:
    """OpenID Connect Core §3.1.2.1."""
    with running_gateway("openid", settings=LONG) as running, Browser(running.public_url) as browser:
        browser.sign_in()
        assert ends_in(browser)[0] == 36000
        running.clock.advance(100)
        browser.sign_in(query="&max_age=600")
        assert ends_in(browser)[0] == 500, "the person authenticated 100 s ago"
        running.clock.advance(400)
        assert browser.fetch("/auth/session/refresh", "POST").json()["session"]["ends_in_seconds"] == 100
        running.clock.advance(100)
        assert reason(browser) == "expired"
        browser.sign_in(query="&max_age=0")
        assert ends_in(browser)[0] == 36000, "it asks for a sign-in at this moment, and for no end"


def test_another_auth_time_in_a_refresh_ends_nothing() -> None:
    """OpenID Connect Core §12.2: it should be the first one; some servers name the newest."""
    claims: dict[str, Any] = {}
    with running_with_claims(claims) as (running, browser):
        browser.sign_in()
        running.clock.advance(11)
        claims["auth_time"] = int(running.clock())
        assert browser.fetch("/auth/session/refresh", "POST").json()["tokens"]["generation"] == 2
        assert browser.fetch("/api/v1/profile").status_code == 200


@pytest.mark.parametrize("changed", [{"iss": "https://evil.example"}, {"aud": "other", "azp": "other"}])
def test_an_id_token_of_another_issuer_or_client_in_a_refresh_ends_the_grant(changed: dict[str, Any]) -> None:
    """OpenID Connect Core §12.2."""
    claims: dict[str, Any] = {}
    with running_with_claims(claims) as (running, browser):
        browser.sign_in()
        running.clock.advance(11)
        claims |= changed
        refused = browser.fetch("/auth/session/refresh", "POST")
        assert (refused.status_code, refused.json()["reason"]) == (401, "grant_ended")
