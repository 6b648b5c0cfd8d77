"""Signing out: the session ends here, whatever the authorization server says to it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from gateway.browser.cookie import SESSION_COOKIE
from tests.support.browser import Browser
from tests.support.running import CLIENT_ID, running_gateway
from tests.support.scripted import come_back, running_script
from tests.support.wire import Reply, reply

if TYPE_CHECKING:
    from tests.support.running import Running

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def test_sign_out_ends_session_cookie_and_tokens(running: Running, browser: Browser) -> None:
    browser.sign_in()
    kept = {"Cookie": f"{SESSION_COOKIE}={browser.cookie(SESSION_COOKIE)}"}
    living = len(running.sandbox.grants.connections())
    answer = browser.fetch("/auth/logout", "POST")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["clear-site-data"] == '"cache", "storage"'
    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert browser.cookie(SESSION_COOKIE) is None
    assert len(running.sandbox.grants.connections()) == living - 1, "RFC 7009: the tokens are dead"
    document = browser.fetch("/auth/session", headers=kept).json()
    assert (document["active"], document["reason"]) == (False, "signed_out")
    refused = browser.fetch("/api/v1/profile", headers=kept)
    assert (refused.status_code, refused.json()["reason"]) == (401, "signed_out")


def test_the_logout_url_is_the_authorization_servers_own(running: Running, browser: Browser) -> None:
    browser.sign_in()
    url = browser.fetch("/auth/logout", "POST").json()["logout_url"]
    if running.environment["LEXGATE_PROVIDER"] == "lexware":
        assert url is None
        return
    assert url.startswith(f"{running.sandbox_url}/openid/logout?")
    query = parse_qs(urlsplit(url).query)
    assert query.keys() == {"client_id", "post_logout_redirect_uri", "state"}, "no token, and nobody's name"
    assert query["client_id"] == [CLIENT_ID]
    assert query["post_logout_redirect_uri"] == [f"{running.public_url}/auth/signed-out"]


def test_a_form_is_sent_on(running: Running, browser: Browser) -> None:
    browser.sign_in()
    headers = {**FORM, "X-CSRF": "", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    answer = browser.fetch("/auth/logout", "POST", headers=headers)
    assert answer.status_code == 303
    lexware = running.environment["LEXGATE_PROVIDER"] == "lexware"
    expected = f"{running.public_url}/" if lexware else f"{running.sandbox_url}/openid/logout?"
    assert answer.headers["location"].startswith(expected)
    assert browser.fetch("/auth/session").json()["active"] is False


def test_signing_out_twice_or_without_a_session_is_no_error(running: Running, browser: Browser) -> None:
    assert browser.fetch("/auth/logout", "POST").status_code == 200
    browser.sign_in()
    kept = {"Cookie": f"{SESSION_COOKIE}={browser.cookie(SESSION_COOKIE)}"}
    assert browser.fetch("/auth/logout", "POST").status_code == 200
    revoked = running.sandbox.counters.events["revocation_requests"]
    assert browser.fetch("/auth/logout", "POST", headers=kept).status_code == 200
    assert running.sandbox.counters.events["revocation_requests"] == revoked


def test_signing_out_one_browser_leaves_the_persons_other_one(
    running: Running, browser: Browser, other_browser: Browser
) -> None:
    for each in (browser, other_browser):
        each.sign_in()
    browser.fetch("/auth/logout", "POST")
    assert other_browser.fetch("/api/v1/profile").status_code == 200
    assert other_browser.fetch("/auth/session").json()["active"] is True
    assert running.sandbox.counters.events["refresh_reuse"] == 0


def test_sessions_of_one_connection_share_the_newest_tokens_until_the_last_one_leaves() -> None:
    """A connection has one token pair: a second sign-in makes the first one's tokens useless."""
    options = {"reconnect": "replace"}
    with (
        running_gateway("lexware", sandbox_options=options) as running,
        Browser(running.public_url) as first,
        Browser(running.public_url) as second,
    ):
        first.sign_in()
        second.sign_in()
        assert first.fetch("/api/v1/profile").status_code == 200
        assert first.fetch("/auth/session").json()["tokens"]["generation"] == 2
        first.fetch("/auth/logout", "POST")
        assert len(running.sandbox.grants.connections()) == 1
        assert second.fetch("/api/v1/profile").status_code == 200
        second.fetch("/auth/logout", "POST")
        assert running.sandbox.grants.connections() == ()


def test_a_second_sign_in_at_the_same_connection_does_not_revoke_it() -> None:
    options = {"reconnect": "replace"}
    with (
        running_gateway("lexware", sandbox_options=options) as running,
        Browser(running.public_url) as browser,
    ):
        browser.sign_in()
        browser.sign_in()
        running.call(running.gateway._revocation.drain())  # noqa: SLF001 - nothing else tells when it is done
        assert browser.fetch("/api/v1/profile").status_code == 200
        assert browser.fetch("/auth/session").json()["tokens"]["generation"] == 2


@pytest.mark.parametrize("failure", [reply(503), reply(400, b'{"error": "x"}'), Reply(closes=True)])
def test_a_revocation_that_fails_keeps_nobody_signed_in(failure: Reply) -> None:
    """RFC 7009 §2.2.1: 503 included; and an authorization server that is down altogether."""
    with running_script() as (running, script), Browser(running.public_url) as browser:
        come_back(browser)
        assert browser.fetch("/auth/session").json()["active"] is True
        script.answers["/oauth2/revoke"] = failure
        answer = browser.fetch("/auth/logout", "POST")
        assert (answer.status_code, answer.json()) == (200, {"logout_url": None})
        assert browser.cookie(SESSION_COOKIE) is None
        assert browser.fetch("/auth/session").json()["active"] is False
        assert script.heard("/oauth2/revoke")


@pytest.mark.parametrize(
    ("failure", "is_repeated"),
    [(reply(503), True), (reply(429), True), (reply(401), True), (reply(400, b'{"error": "x"}'), False)],
)
def test_a_revocation_is_repeated_unless_the_answer_is_final(failure: Reply, *, is_repeated: bool) -> None:
    """RFC 7009 §2.2.1: after a 503 the token still exists. RFC 6749 §5.2: 401, the client's secret lapsed."""
    with running_script() as (running, script), Browser(running.public_url) as browser:
        come_back(browser)
        script.answers["/oauth2/revoke"] = failure
        browser.fetch("/auth/logout", "POST")
        script.answers["/oauth2/revoke"] = reply()
        before = len(script.heard("/oauth2/revoke"))
        for _ in range(3):
            running.clock.advance(61)
            running.call(running.gateway._sweep.sweep())  # noqa: SLF001 - it comes once a minute by itself
            running.call(running.gateway._revocation.drain())  # noqa: SLF001 - nothing else tells when
        repeated = [heard.body.split(b"&")[0] for heard in script.heard("/oauth2/revoke")[before:]]
        assert repeated == ([b"token=refresh-1", b"token=first"] if is_repeated else [])
