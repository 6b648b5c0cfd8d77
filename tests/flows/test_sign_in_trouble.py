"""A sign-in while the authorization server is in trouble: a page, no session, and no token that lives on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from gateway.browser.cookie import SESSION_COOKIE
from tests.support.browser import Browser
from tests.support.running import running_gateway
from tests.support.scripted import come_back
from tests.support.wire import Heard, Reply, reply, running_wire

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from tests.support.running import Running
    from tests.support.wire import Wire


@pytest.fixture(scope="module")
def openid() -> Iterator[Running]:
    with running_gateway("openid") as running:
        yield running


@pytest.fixture
def openid_browser(openid: Running) -> Iterator[Browser]:
    openid.sandbox.faults.clear()
    with Browser(openid.public_url) as browser:
        yield browser
    openid.sandbox.faults.clear()


def assert_failed(browser: Browser, page: httpx.Response, status: int, code: str) -> None:
    assert (page.status_code, page.headers["content-type"]) == (status, "text/html; charset=utf-8"), page.text
    assert f"<code>{code}</code>" in page.text
    assert "return_to=%2Fcontacts" in page.text
    assert "Traceback" not in page.text
    assert browser.cookie(SESSION_COOKIE) is None
    assert browser.fetch("/auth/session").json()["active"] is False


def settle(running: Running) -> None:
    """Wait until the revocations that run beside the requests are over."""
    running.call(running.gateway._revocation.drain())  # noqa: SLF001 - no endpoint tells when they are done


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ("token_failing", 503, "authorization_server_unreachable"),
        ("token_aborting", 503, "authorization_server_unreachable"),
        ("token_429", 503, "authorization_server_busy"),
    ],
)
def test_a_failing_token_endpoint_is_told_and_never_asked_twice(
    running: Running, browser: Browser, fault: str, status: int, code: str
) -> None:
    """RFC 6749 §4.1.2: a code is spent by being sent, so an exchange is never retried."""
    before = running.sandbox.counters.token_requests["authorization_code"]
    running.sandbox.faults.inject(fault)
    page = browser.sign_in("/contacts")
    assert_failed(browser, page, status, code)
    assert int(page.headers["retry-after"]) > 0
    assert running.sandbox.counters.token_requests["authorization_code"] == before + 1
    running.sandbox.faults.clear()
    assert browser.sign_in("/contacts").status_code == 200


def test_a_slow_token_endpoint_only_takes_longer(running: Running, browser: Browser) -> None:
    running.sandbox.faults.inject("token_slow", {"seconds": 0.2})
    assert browser.sign_in("/contacts").status_code == 200


def test_a_profile_that_fails_leaves_no_tokens_behind() -> None:
    with running_gateway("lexware") as running, Browser(running.public_url) as browser:
        running.sandbox.faults.inject("api_500", {"path": "/v1/profile"})
        assert_failed(browser, browser.sign_in("/contacts"), 502, "identity_invalid")
        settle(running)
        assert running.sandbox.grants.connections() == ()
        running.sandbox.faults.clear()
        running.sandbox.faults.inject("api_429", {"path": "/v1/profile"}, times=1)
        assert browser.sign_in("/contacts").status_code == 200, "a 429 was not performed: asked again"


@pytest.mark.parametrize("seconds", [600, -1300])
def test_an_id_token_of_another_time_is_refused_and_its_tokens_are_revoked(
    openid: Running, openid_browser: Browser, seconds: int
) -> None:
    """OpenID Connect Core §3.1.3.7: `exp` and `iat`."""
    openid.sandbox.faults.inject("clock_skew", {"seconds": seconds})
    before = len(openid.sandbox.grants.connections())
    assert_failed(openid_browser, openid_browser.sign_in("/contacts"), 502, "id_token_invalid")
    settle(openid)
    assert len(openid.sandbox.grants.connections()) == before


def test_a_small_clock_skew_is_forgiven(openid: Running, openid_browser: Browser) -> None:
    openid.sandbox.faults.inject("clock_skew", {"seconds": 45})
    assert openid_browser.sign_in("/contacts").status_code == 200


def test_an_unknown_key_makes_the_key_set_be_fetched_once_a_minute(
    openid: Running, openid_browser: Browser
) -> None:
    openid_browser.sign_in("/contacts")
    openid.clock.advance(61)
    fetched = openid.sandbox.counters.events["jwks_requests"]
    openid.sandbox.faults.inject("key_roll")
    assert openid_browser.sign_in("/contacts").status_code == 200
    assert openid.sandbox.counters.events["jwks_requests"] == fetched + 1
    openid.sandbox.faults.inject("key_roll")
    with Browser(openid.public_url) as browser:
        for _ in range(3):
            assert_failed(browser, browser.sign_in("/contacts"), 502, "id_token_invalid")
        assert openid.sandbox.counters.events["jwks_requests"] == fetched + 1, "no stranger's hammer"
        openid.clock.advance(61)
        assert browser.sign_in("/contacts").status_code == 200
    assert openid.sandbox.counters.events["jwks_requests"] == fetched + 2


class Server:
    """An authorization server that is scripted byte by byte; `down` is the path that does not answer."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.down = ""
        self.token_answer: dict[str, object] = {"access_token": "a", "token_type": "Bearer"}

    def __call__(self, heard: Heard) -> Reply:
        path = heard.target.decode().partition("?")[0]
        if self.down and path.startswith(self.down):
            return Reply(closes=True)
        if path.endswith("openid-configuration"):
            issuer = self.wire.url
            document = {
                "issuer": issuer,
                "authorization_endpoint": f"{issuer}/authorize",
                "token_endpoint": f"{issuer}/token",
                "jwks_uri": f"{issuer}/jwks",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "code_challenge_methods_supported": ["S256"],
            }
            return reply(200, json.dumps(document).encode(), "Set-Cookie: planted=1; Path=/")
        return reply(200, json.dumps(self.token_answer).encode(), "Set-Cookie: planted=1; Path=/")


@pytest.fixture
def scripted() -> Iterator[tuple[Running, Server]]:
    with running_wire() as wire:
        wire.script = server = Server(wire)
        settings = {"LEXGATE_PROVIDER": "openid", "LEXGATE_ISSUER": wire.url, "LEXGATE_API_URL": wire.url}
        with running_gateway("openid", settings=settings) as running:
            yield running, server


def test_an_authorization_server_that_is_down_is_told_at_the_login(
    scripted: tuple[Running, Server],
) -> None:
    running, server = scripted
    server.down = "/"
    with Browser(running.public_url) as browser:
        page = browser.navigate("/auth/login?return_to=/contacts", site="same-origin")
        assert_failed(browser, page, 503, "authorization_server_unreachable")
        assert "retry-after" in page.headers
        server.down = ""
        begun = browser.navigate("/auth/login", site="same-origin", follow=False)
        assert begun.status_code == 302


def test_an_authorization_server_that_goes_down_on_the_way_is_told_at_the_callback(
    scripted: tuple[Running, Server],
) -> None:
    running, server = scripted
    server.down = "/token"
    with Browser(running.public_url) as browser:
        assert_failed(browser, come_back(browser), 503, "authorization_server_unreachable")
        server.down = "/jwks"
        server.token_answer["id_token"] = "e30.e30.e30"
        assert_failed(browser, come_back(browser), 503, "authorization_server_unreachable")


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ({}, "token_response_invalid"),
        ({"access_token": "a", "token_type": "mac"}, "token_response_invalid"),
        ({"access_token": "a\r\nX-Evil: 1", "token_type": "Bearer"}, "token_response_invalid"),
        ({"access_token": "a", "token_type": "Bearer"}, "identity_invalid"),
        ({"access_token": "a", "token_type": "Bearer", "id_token": "e30.e30."}, "metadata_invalid"),
    ],
)
def test_a_token_response_that_is_none_signs_nobody_in(
    scripted: tuple[Running, Server], answer: dict[str, object], code: str
) -> None:
    """RFC 6749 §5.1, §7.1."""
    running, server = scripted
    server.token_answer = answer
    with Browser(running.public_url) as browser:
        assert_failed(browser, come_back(browser), 502, code)


def test_a_cookie_of_the_authorization_server_is_not_kept_for_the_next_user(
    scripted: tuple[Running, Server],
) -> None:
    """A session set for one user's request would make the next user somebody else."""
    running, server = scripted
    for _ in range(2):
        with Browser(running.public_url) as browser:
            come_back(browser)
    assert len(server.wire.heard) >= 3
    assert [heard.header("cookie") for heard in server.wire.heard] == [None] * len(server.wire.heard)
