"""Forward-auth as proxies use it: the token of a live session, or why there is none."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.support.browser import Browser
from tests.support.forward_auth import FORMER, NGINX, PROOF, SETTINGS, ask, cookie_of
from tests.support.running import running_gateway
from tests.support.wire import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.running import Running

WRITES = ("POST", "PUT", "PATCH", "DELETE")
NAVIGATION = (("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document"), ("Accept", "text/html"))


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with running_gateway(settings=SETTINGS) as running:
        yield running


@pytest.fixture
def cookie(browser: Browser) -> str:
    browser.sign_in()
    return cookie_of(browser)


def told(method: str) -> dict[str, str]:
    return {**PROOF, "X-Original-Method": method}


def profile_of(running: Running, answer: httpx.Response) -> Any:  # noqa: ANN401 - JSON
    """Call the API as the proxy would, with what it was given."""
    headers = {"Authorization": answer.headers["authorization"]}
    called = httpx.get(f"{running.sandbox_url}/v1/profile", headers=headers, trust_env=False)
    assert called.status_code == 200
    return called.json()


def test_a_live_session_is_answered_with_its_token_and_subject(
    running: Running, browser: Browser, cookie: str
) -> None:
    answer = ask(running, cookie)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["x-lexgate-subject"] == browser.fetch("/auth/session").json()["subject"]
    assert answer.headers["cache-control"] == "no-store"
    assert "set-cookie" not in answer.headers
    assert profile_of(running, answer) == browser.fetch("/api/v1/profile").json()


@pytest.mark.parametrize("secret", [NGINX["X-Lexgate-Proxy-Secret"], FORMER])
def test_every_secret_counts_while_it_is_rotated(running: Running, cookie: str, secret: str) -> None:
    assert ask(running, cookie, proof={**NGINX, "X-Lexgate-Proxy-Secret": secret}).status_code == 200


@pytest.mark.parametrize("proof", [told("GET"), {**PROOF, "X-Forwarded-Method": "GET"}])
def test_nginx_traefik_and_caddy_name_the_method_in_a_field(
    running: Running, cookie: str, proof: dict[str, str]
) -> None:
    assert ask(running, cookie, proof=proof).status_code == 200


def test_envoy_asks_with_the_method_and_path_of_the_request(running: Running, cookie: str) -> None:
    path = "/auth/forward/reports/7?from=2026"
    own = (("Sec-Fetch-Site", "same-origin"), ("Content-Length", "0"))
    assert ask(running, cookie, *own, path=path, proof=PROOF).status_code == 200
    for method in WRITES:
        bare = ask(running, cookie, *own, path=path, method=method, proof=PROOF)
        assert (bare.status_code, bare.headers["x-lexgate-code"]) == (403, "csrf_header_missing")
        assert ask(running, cookie, *own, ("X-CSRF", "1"), path=path, method=method, proof=PROOF).is_success


@pytest.mark.parametrize("method", WRITES)
def test_a_write_needs_the_header_as_under_api(running: Running, cookie: str, method: str) -> None:
    own = ("Sec-Fetch-Site", "same-origin")
    bare = ask(running, cookie, own, proof=told(method))
    assert (bare.status_code, bare.headers["x-lexgate-code"]) == (403, "csrf_header_missing")
    assert "authorization" not in bare.headers
    assert ask(running, cookie, own, ("X-CSRF", "1"), proof=told(method)).status_code == 200


def test_no_session_is_401_with_all_that_signing_in_needs(running: Running) -> None:
    answer = ask(running, None)
    assert answer.status_code == 401
    assert answer.headers["x-lexgate-code"] == "session_required"
    assert answer.headers["x-lexgate-reason"] == "none"
    assert answer.headers["x-lexgate-login-url"] == f"{running.public_url}/auth/login"
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["login_url"] == "/auth/login"
    assert not {"authorization", "x-lexgate-subject"} & set(answer.headers)


def test_a_person_who_navigates_is_answered_with_a_page(running: Running) -> None:
    answer = ask(running, None, *NAVIGATION)
    assert answer.status_code == 401
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["x-lexgate-login-url"] == f"{running.public_url}/auth/login"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_ended_session_is_refused_at_once(
    running: Running, browser: Browser, cookie: str, method: str
) -> None:
    own = (("Sec-Fetch-Site", "same-origin"), ("X-CSRF", "1"))
    assert ask(running, cookie, *own, proof=told(method)).status_code == 200
    assert browser.fetch("/auth/logout", "POST").status_code == 200
    replayed = ask(running, cookie, *own, proof=told(method))
    assert (replayed.status_code, replayed.headers["x-lexgate-reason"]) == (401, "signed_out")
    assert "authorization" not in replayed.headers


def test_the_session_slides_as_with_a_call(running: Running, browser: Browser, cookie: str) -> None:
    before = browser.fetch("/auth/session").json()["session"]["idle_at"]
    running.clock.advance(600)
    assert ask(running, cookie).status_code == 200
    assert browser.fetch("/auth/session").json()["session"]["idle_at"] > before
    running.clock.advance(1790)
    assert ask(running, cookie).status_code == 200
    running.clock.advance(1801)
    ended = ask(running, cookie)
    assert (ended.status_code, ended.headers["x-lexgate-reason"]) == (401, "idle")


@pytest.mark.parametrize("left", [30, -1])
def test_a_token_near_its_end_is_replaced_before_it_is_handed_out(
    running: Running, browser: Browser, cookie: str, left: float
) -> None:
    """The refresh may end the old token, and nobody could send the call again."""
    old = ask(running, cookie).headers["authorization"]
    tokens = browser.fetch("/auth/session").json()["tokens"]
    while tokens["expires_in_seconds"] > 1000:  # the session is kept alive on the way
        running.clock.advance(1000)
        assert ask(running, cookie).status_code == 200
        tokens = browser.fetch("/auth/session").json()["tokens"]
    running.clock.advance(tokens["expires_in_seconds"] - left)
    answer = ask(running, cookie)
    assert answer.status_code == 200
    assert answer.headers["authorization"] != old
    assert profile_of(running, answer) == browser.fetch("/api/v1/profile").json()


def test_a_remembered_session_costs_no_look_into_the_store(tmp_path: Path) -> None:
    database = tmp_path / "sessions.sqlite"
    with (
        running_gateway(store=f"sqlite:///{database}", settings=SETTINGS) as running,
        Browser(running.public_url) as browser,
    ):
        browser.sign_in()
        cookie = cookie_of(browser)
        assert ask(running, cookie).status_code == 200
        until(lambda: running.gateway._opened.find(cookie.encode()) is not None)  # noqa: SLF001
        with closing(sqlite3.connect(database, isolation_level=None)) as connection:
            connection.execute("ALTER TABLE sessions RENAME TO away")
            assert ask(running, cookie).status_code == 200
            own = (("Sec-Fetch-Site", "same-origin"), ("X-CSRF", "1"))
            write = ask(running, cookie, *own, proof=told("POST"))
            connection.execute("ALTER TABLE away RENAME TO sessions")
        assert (write.status_code, write.headers["x-lexgate-code"]) == (503, "store_unavailable")
        assert int(write.headers["retry-after"]) > 0
        assert ask(running, cookie, *own, proof=told("POST")).status_code == 200


def test_a_proxy_that_names_no_method_is_told_so(running: Running, cookie: str) -> None:
    """Nginx asks by GET whatever the request is: a write would be judged as a read."""
    answer = ask(running, cookie, proof=PROOF)
    assert (answer.status_code, answer.headers["x-lexgate-code"]) == (400, "request_invalid")
    assert "X-Original-Method" in answer.json()["detail"]
