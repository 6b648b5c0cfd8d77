"""What the answers to a refresh mean: who is signed out by them, and who is not."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from gateway.browser.cookie import SESSION_COOKIE
from gateway.sandbox.accounts import USERS
from tests.support.browser import Browser
from tests.support.running import running_gateway
from tests.support.scripted import TOKENS, Script, come_back, running_script
from tests.support.wire import SECONDS, Reply, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.running import Running


@pytest.fixture
def scripted() -> Iterator[tuple[Running, Script, Browser]]:
    with running_script() as (running, script), Browser(running.public_url) as browser:
        come_back(browser)
        assert browser.fetch("/auth/session").json()["active"] is True
        yield running, script, browser


@pytest.mark.parametrize("error", ["invalid_client", "unauthorized_client", "invalid_scope", "any_other"])
def test_only_invalid_grant_ends_a_grant(scripted: tuple[Running, Script, Browser], error: str) -> None:
    """RFC 6749 §5.2: a client secret that lapsed is the operator's trouble; nobody is signed out."""
    running, script, browser = scripted
    script.say("/oauth2/token", {"error": error}, 401 if error == "invalid_client" else 400)
    running.clock.advance(900 - 30)
    browser.fetch("/auth/session/refresh", "POST")
    assert browser.fetch("/api/v1/profile").status_code == 200, "the old token still serves"
    session = browser.fetch("/auth/session").json()
    assert (session["active"], session["tokens"]["generation"]) == (True, 1)
    script.say("/oauth2/token", {**TOKENS, "access_token": "second"})
    running.clock.advance(15)
    assert browser.fetch("/api/v1/profile").status_code == 200
    until(lambda: browser.generation() == 2)
    assert browser.fetch("/api/v1/contacts").status_code == 200
    assert script.heard("/v1/contacts")[-1].header("authorization") == "Bearer second"


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"access_token": "", "token_type": "Bearer"},
        {"access_token": "a b", "token_type": "Bearer"},
        {"access_token": "a", "token_type": "mac"},
        {"access_token": "a", "token_type": "Bearer", "expires_in": "soon"},
    ],
)
def test_a_refresh_that_answers_nonsense_signs_nobody_out(
    scripted: tuple[Running, Script, Browser], answer: dict[str, object]
) -> None:
    """RFC 6749 §5.1."""
    running, script, browser = scripted
    script.say("/oauth2/token", answer)
    running.clock.advance(11)
    refused = browser.fetch("/auth/session/refresh", "POST")
    assert (refused.status_code, refused.json()["code"]) == (502, "token_response_invalid")
    assert browser.fetch("/auth/session").json()["active"] is True


def test_a_refresh_without_a_new_refresh_token_keeps_the_old_one(
    scripted: tuple[Running, Script, Browser],
) -> None:
    """RFC 6749 §6: a new one MAY be issued."""
    running, script, browser = scripted
    script.say("/oauth2/token", {"access_token": "second", "token_type": "Bearer", "expires_in": 3600})
    for generation in (2, 3):
        running.clock.advance(11)
        document = browser.fetch("/auth/session/refresh", "POST").json()
        assert document["tokens"]["generation"] == generation
        assert b"refresh_token=refresh-1" in script.heard("/oauth2/token")[-1].body


def test_tokens_without_a_refresh_token_serve_until_they_end(
    scripted: tuple[Running, Script, Browser],
) -> None:
    running, script, browser = scripted
    browser.fetch("/auth/logout", "POST")
    script.say("/oauth2/token", {"access_token": "only", "token_type": "Bearer", "expires_in": 900})
    come_back(browser)
    running.clock.advance(899)
    assert browser.fetch("/api/v1/profile").status_code == 200
    running.clock.advance(1)
    refused = browser.fetch("/api/v1/profile")
    assert (refused.status_code, refused.json()["reason"]) == (401, "expired")


def test_a_token_endpoint_that_breaks_off_is_asked_again_with_the_same_token_later(
    scripted: tuple[Running, Script, Browser],
) -> None:
    running, script, browser = scripted
    script.answers["/oauth2/token"] = Reply(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", closes=True)
    running.clock.advance(11)
    refused = browser.fetch("/auth/session/refresh", "POST")
    assert (refused.status_code, refused.json()["code"]) == (503, "authorization_server_unreachable")
    assert refused.headers["retry-after"] == "5"
    script.say("/oauth2/token", TOKENS)
    running.clock.advance(5)
    assert browser.fetch("/auth/session/refresh", "POST").json()["tokens"]["generation"] == 2


def test_a_key_that_cannot_be_had_yet_signs_nobody_out() -> None:
    """The key set is fetched once a minute at most, and a key can roll within that minute."""
    with running_gateway("openid") as running, Browser(running.public_url) as browser:
        browser.sign_in()
        running.sandbox.faults.inject("key_roll")
        running.clock.advance(11)
        document = browser.fetch("/auth/session/refresh", "POST").json()
        assert (document["active"], document["tokens"]["generation"]) == (True, 2)
        running.clock.advance(61)
        assert browser.fetch("/auth/session/refresh", "POST").json()["tokens"]["generation"] == 3


def test_an_id_token_for_somebody_else_ends_grant_and_tokens() -> None:
    """OpenID Connect Core §12.2."""
    with running_gateway("openid") as running, Browser(running.public_url) as browser:
        browser.sign_in()
        (connection,) = running.sandbox.grants.connections()
        object.__setattr__(connection, "user", USERS["jonas"])
        running.clock.advance(11)
        refused = browser.fetch("/auth/session/refresh", "POST")
        assert (refused.status_code, refused.json()["reason"]) == (401, "grant_ended")
        running.call(running.gateway._sweep.sweep())  # noqa: SLF001 - the queue is read once a minute
        running.call(running.gateway._revocation.drain())  # noqa: SLF001 - nothing else tells when it is done
        assert running.sandbox.grants.connections() == ()


def test_a_clock_that_goes_wrong_signs_nobody_out() -> None:
    with running_gateway("openid") as running, Browser(running.public_url) as browser:
        browser.sign_in()
        running.sandbox.faults.inject("clock_skew", {"seconds": 4000})
        running.clock.advance(11)
        assert browser.fetch("/auth/session/refresh", "POST").json()["tokens"]["generation"] == 2
        assert browser.fetch("/api/v1/profile").status_code == 200


def test_a_browser_that_leaves_during_a_refresh_loses_no_token() -> None:
    """The token is spent by being sent: what comes of it is kept, whoever asked for it."""
    with running_gateway("lexware") as running, Browser(running.public_url) as browser:
        browser.sign_in()
        running.clock.advance(11)
        running.sandbox.faults.inject("token_slow", {"seconds": 0.3}, times=1)
        running.sandbox.faults.inject("access_token_death")
        counters = running.sandbox.counters
        port = int(running.public_url.rpartition(":")[2])
        cookie = f"{SESSION_COOKIE}={browser.cookie(SESSION_COOKIE)}"
        with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as connection:
            connection.sendall(
                f"GET /api/v1/profile HTTP/1.1\r\nHost: x\r\nCookie: {cookie}\r\n\r\n".encode()
            )
            until(lambda: counters.token_requests["refresh_token"] > 0)
        assert browser.fetch("/api/v1/profile").status_code == 200
        assert browser.fetch("/auth/session").json()["tokens"]["generation"] == 2
        assert counters.token_requests["refresh_token"] == 1
        assert counters.events["refresh_reuse"] == 0
