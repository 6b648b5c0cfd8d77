"""The whole way, in both pictures: sign in, call, refresh with rotation, sign out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.browser import Browser
from tests.support.running import running_gateway

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.running import Running

SESSION = "__Host-Http-lexgate"


@pytest.fixture(params=["lexware", "openid"])
def running(request: pytest.FixtureRequest) -> Iterator[Running]:
    day = {"LEXGATE_SESSION_IDLE": "86400", "LEXGATE_SESSION_MAX": "86400"}
    with running_gateway(request.param, settings=day) as running:
        yield running


@pytest.fixture
def browser(running: Running) -> Iterator[Browser]:
    with Browser(running.public_url) as browser:
        yield browser


def test_the_whole_way(running: Running, browser: Browser) -> None:
    assert browser.fetch("/auth/session").json()["reason"] == "none"
    landed = browser.sign_in("/vouchers?page=2")
    assert landed.status_code == 200, landed.text
    assert str(landed.url) == f"{running.public_url}/vouchers?page=2"

    session = browser.fetch("/auth/session").json()
    assert session["active"] is True
    assert session["claims"]["name"] == "Anna Petersen"
    assert session["tokens"]["generation"] == 1
    profile = browser.fetch("/api/v1/profile")
    assert profile.status_code == 200, profile.text
    assert profile.json()["companyName"] == "Nordlicht Leuchten GmbH"

    running.clock.advance(session["tokens"]["expires_in_seconds"] - 30)
    assert browser.fetch("/api/v1/profile").status_code == 200
    assert browser.fetch("/auth/session").json()["tokens"]["generation"] == 2

    answer = browser.fetch("/auth/logout", "POST")
    assert answer.status_code == 200
    assert browser.cookie(SESSION) is None
    assert running.sandbox.counters.events["revoked_tokens"] >= 1
    assert browser.fetch("/auth/session").json()["active"] is False
    refused = browser.fetch("/api/v1/profile")
    assert (refused.status_code, refused.json()["code"]) == (401, "session_required")
