"""A refresh that fails through nobody's session's fault: what callers, and operators, hear."""

from __future__ import annotations

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING

import httpx
import pytest

from gateway.authorization_server import connection
from tests.support.browser import Browser
from tests.support.running import running_gateway, running_replica
from tests.support.scripted import TOKENS, Script, come_back, running_script
from tests.support.wire import SECONDS, Heard, Reply, reply, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.running import Running

Scripted = tuple["Running", Script, Browser]


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    with running_script() as (running, script), Browser(running.public_url) as browser:
        come_back(browser)
        yield running, script, browser


def refreshes(script: Script) -> int:
    return sum(b"grant_type=refresh_token" in heard.body for heard in script.heard("/oauth2/token"))


def metric(running: Running, line: str) -> bool:
    return f"{line}\n" in httpx.get(f"{running.admin_url}/metrics", trust_env=False).text


@pytest.mark.parametrize(("error", "status"), [("invalid_client", 401), ("unauthorized_client", 400)])
def test_a_client_that_is_refused_is_the_operators_to_mend_and_signs_nobody_out(
    scripted: Scripted, caplog: pytest.LogCaptureFixture, error: str, status: int
) -> None:
    """RFC 6749 §5.2."""
    running, script, browser = scripted
    script.say("/oauth2/token", {"error": error, "error_description": "secret-canary"}, status)
    running.clock.advance(900 - 10)
    with caplog.at_level(logging.ERROR):
        assert browser.fetch("/api/v1/profile").status_code == 200, "the old token still serves"
        until(lambda: metric(running, 'lexgate_refreshes_total{outcome="client_refused"} 1.0'))
        running.clock.advance(10)
        for wait in (5, 3, 1):
            refused = browser.fetch("/api/v1/profile")
            assert (refused.status_code, refused.json()["code"]) == (503, "client_refused")
            assert refused.headers["retry-after"] == str(wait)
            assert "set-cookie" not in refused.headers
            running.clock.advance(2)
    assert refreshes(script) == 1, "the token endpoint is left in peace"
    (loud,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert error in loud.getMessage()
    assert "LEXGATE_CLIENT_SECRET" in loud.getMessage()
    assert "canary" not in caplog.text
    assert browser.fetch("/auth/session").json()["active"] is True
    script.say("/oauth2/token", TOKENS)
    assert browser.fetch("/api/v1/profile").status_code == 200
    assert browser.generation() == 2


def test_a_client_that_is_refused_is_refused_for_every_grant(scripted: Scripted) -> None:
    running, script, browser = scripted
    with Browser(running.public_url) as other:
        script.say(
            "/v1/profile", {"organizationId": "other", "created": {"userId": "u"}, "connectionId": "o"}
        )
        come_back(other)
        script.say("/oauth2/token", {"error": "invalid_client"}, 401)
        running.clock.advance(900)
        for each in (browser, other, browser, other):
            assert each.fetch("/api/v1/profile").json()["code"] == "client_refused"
        assert refreshes(script) == 1


def test_a_refusal_of_one_grant_is_no_matter_of_the_others(scripted: Scripted) -> None:
    running, script, browser = scripted
    with Browser(running.public_url) as other:
        script.say(
            "/v1/profile", {"organizationId": "other", "created": {"userId": "u"}, "connectionId": "o"}
        )
        come_back(other)
        running.clock.advance(900)
        script.say("/oauth2/token", {"error": "invalid_scope"}, 400)
        for _ in range(3):
            refused = browser.fetch("/api/v1/profile")
            assert (refused.status_code, refused.json()["code"]) == (502, "token_request_refused")
            assert refused.headers["retry-after"] == "5"
        assert refreshes(script) == 1
        script.say("/oauth2/token", TOKENS)
        assert other.fetch("/api/v1/profile").status_code == 200


@pytest.mark.parametrize(
    ("answer", "status", "code", "wait"),
    [
        (reply(500), 503, "authorization_server_unreachable", "5"),
        (reply(503, b"{}", "Retry-After: 40"), 503, "authorization_server_unreachable", "40"),
        (reply(429, b"{}", "Retry-After: 7"), 503, "authorization_server_busy", "7"),
        (reply(200, b"[]"), 502, "token_response_invalid", "5"),
        (Reply(closes=True), 503, "authorization_server_unreachable", "5"),
    ],
)
def test_who_needs_the_new_token_is_told_when_to_come_back(
    scripted: Scripted, answer: Reply, status: int, code: str, wait: str
) -> None:
    running, script, browser = scripted
    script.answers["/oauth2/token"] = answer
    running.clock.advance(900)
    for _ in range(3):
        refused = browser.fetch("/api/v1/profile")
        assert (refused.status_code, refused.json()["code"]) == (status, code)
        assert refused.headers["retry-after"] == wait
    assert refreshes(script) == 1, "who comes back too early does not reach the token endpoint"
    script.say("/oauth2/token", TOKENS)
    running.clock.advance(int(wait))
    assert browser.fetch("/api/v1/profile").status_code == 200


def test_a_token_endpoint_that_never_answers_is_503_for_a_call_that_was_not_made(
    scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A 504 would say that the resource server may have performed the call (RFC 9110 §15.6.5)."""
    running, script, browser = scripted
    monkeypatch.setattr(connection, "TOKEN_SECONDS", 0.2)
    script.answers["/oauth2/token"] = Reply(waits=True)
    running.clock.advance(900)
    refused = browser.fetch("/api/v1/profile", "POST", json={})
    assert (refused.status_code, refused.json()["code"]) == (503, "authorization_server_unreachable")
    assert refused.headers["retry-after"] == "5"
    assert "may have been performed" not in refused.text
    assert browser.fetch("/auth/session").json()["active"] is True
    script.say("/oauth2/token", TOKENS)
    running.clock.advance(5)
    assert browser.fetch("/api/v1/profile").status_code == 200


def test_of_two_rate_limits_at_once_the_longer_counts(scripted: Scripted) -> None:
    """RFC 6585 §4."""
    running, script, browser = scripted
    both = threading.Barrier(2, timeout=SECONDS)

    def limited(heard: Heard) -> Reply:
        if heard.target != b"/oauth2/token":
            return script(heard)
        if both.wait() == 0:
            return reply(429, b"{}", "Retry-After: 40")
        until(lambda: metric(running, 'lexgate_refreshes_total{outcome="failed"} 1.0'))
        return reply(429, b"{}", "Retry-After: 5")

    with Browser(running.public_url) as other, ThreadPoolExecutor(2) as threads:
        script.say(
            "/v1/profile", {"organizationId": "other", "created": {"userId": "u"}, "connectionId": "o"}
        )
        come_back(other)
        running.clock.advance(900)
        script.wire.script = limited
        calls = [threads.submit(each.fetch, "/api/v1/profile") for each in (browser, other)]
        assert sorted(call.result().headers["retry-after"] for call in calls) == ["40", "5"]
        running.clock.advance(6)
        for each in (browser, other):
            assert each.fetch("/api/v1/profile").headers["retry-after"] == "34"


def test_replicas_heed_a_rate_limit_that_one_of_them_met(tmp_path: Path) -> None:
    """RFC 6585 §4: whoever asks again prolongs the block, whichever process it is."""
    settings = {"LEXGATE_SESSION_IDLE": "36000"}
    with ExitStack() as stack:
        first = stack.enter_context(
            running_gateway("lexware", settings=settings, store=f"sqlite://{tmp_path}/store.sqlite")
        )
        second = stack.enter_context(running_replica(first))
        one = stack.enter_context(Browser(first.public_url))
        other = stack.enter_context(Browser(first.public_url, via=second.url))
        for browser, user in ((one, "anna"), (other, "jonas")):
            browser.sign_in(user=user)
        first.expire(one, left=-1)
        first.sandbox.faults.inject("token_429", {"seconds": 40}, times=1)
        for browser, wait in ((one, "40"), (other, "40"), (other, "30"), (one, "20")):
            refused = browser.fetch("/api/v1/profile")
            assert (refused.status_code, refused.json()["code"]) == (503, "authorization_server_busy")
            assert refused.headers["retry-after"] == wait
            first.clock.advance(10 if (browser, wait) != (one, "40") else 0)
        assert first.refreshes() == 1
        first.clock.advance(10)
        for browser in (one, other):
            assert browser.fetch("/api/v1/profile").status_code == 200
