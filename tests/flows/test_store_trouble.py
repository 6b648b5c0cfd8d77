"""The session store in trouble: 503 and nothing lost; and a restart that nobody notices."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import httpx
import pytest

from gateway.browser.cookie import SESSION_COOKIE
from tests.support.browser import Browser, Cookie
from tests.support.running import Clock, running_gateway
from tests.support.wire import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.running import Running


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("state") / "sessions.sqlite"


@pytest.fixture(scope="module")
def running(database: Path) -> Iterator[Running]:
    with running_gateway("openid", store=f"sqlite:///{database}") as running:
        yield running


@contextmanager
def unreadable(database: Path) -> Iterator[None]:
    """Take the sessions away until the block ends: every look-up fails."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("ALTER TABLE sessions RENAME TO away")
        yield
        connection.execute("ALTER TABLE away RENAME TO sessions")


@contextmanager
def unwritable(database: Path) -> Iterator[None]:
    """Hold the write lock until the block ends, longer than anybody waits for it."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


def impatient(running: Running) -> None:
    """Make the store wait for locks a moment only: what it says after five seconds is the same."""
    store = running.gateway._store  # noqa: SLF001 - the time-out is no setting
    store._file._busy_seconds = 0.02  # type: ignore[attr-defined]  # noqa: SLF001


def assert_unavailable(answer: httpx.Response) -> None:
    assert answer.status_code == 503, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "store_unavailable"
    assert int(answer.headers["retry-after"]) > 0
    assert "set-cookie" not in answer.headers
    assert "sqlite" not in answer.text.lower()


@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("/api/v1/contacts", "GET"),
        ("/auth/session", "GET"),
        ("/auth/session/refresh", "POST"),
        ("/auth/logout", "POST"),
    ],
)
def test_an_unreadable_store_is_503_and_signs_nobody_out(
    browser: Browser, database: Path, path: str, method: str
) -> None:
    browser.sign_in()
    cookie = browser.cookie(SESSION_COOKIE)
    with unreadable(database):
        assert_unavailable(browser.fetch(path, method))
        assert browser.cookie(SESSION_COOKIE) == cookie
    assert browser.fetch("/auth/session").json()["active"] is True
    assert browser.fetch("/api/v1/contacts").status_code in {200, 403}


def test_readiness_tells_of_the_store_and_liveness_does_not(running: Running, database: Path) -> None:
    impatient(running)
    with unwritable(database):
        assert httpx.get(f"{running.admin_url}/livez", trust_env=False).status_code == 200
        ready = httpx.get(f"{running.admin_url}/readyz", trust_env=False)
        assert (ready.status_code, ready.json()["code"]) == (503, "store_unavailable")
    assert httpx.get(f"{running.admin_url}/readyz", trust_env=False).status_code == 200


def test_a_sign_out_that_cannot_be_written_is_not_claimed(
    running: Running, browser: Browser, database: Path
) -> None:
    browser.sign_in()
    impatient(running)
    with unwritable(database):
        assert_unavailable(browser.fetch("/auth/logout", "POST"))
        assert browser.fetch("/auth/session").json()["active"] is True, "reads wait for no writer"
        assert browser.fetch("/api/v1/contacts").status_code in {200, 403}
    assert browser.fetch("/auth/logout", "POST").status_code == 200
    assert browser.fetch("/auth/session").json()["active"] is False


def test_a_sign_in_that_cannot_be_written_is_a_page_and_leaves_no_tokens(
    running: Running, browser: Browser, database: Path
) -> None:
    page = browser.navigate("/auth/login?return_to=/contacts", site="same-origin")
    impatient(running)
    living = len(running.sandbox.grants.connections())
    with unwritable(database):
        refused = browser.consent(page)
        assert (refused.status_code, refused.headers["content-type"]) == (503, "text/html; charset=utf-8")
        assert "<code>store_unavailable</code>" in refused.text
        assert "return_to=%2Fcontacts" in refused.text
    running.call(running.gateway._revocation.drain())  # noqa: SLF001 - nothing else tells when it is done
    assert len(running.sandbox.grants.connections()) == living
    assert browser.sign_in("/contacts").status_code == 200


def test_a_refreshed_token_survives_a_store_that_is_busy_for_a_moment(
    running: Running, browser: Browser, database: Path
) -> None:
    """The old refresh token is spent: to lose the new one would end the session."""
    browser.sign_in()
    impatient(running)
    running.clock.advance(11)
    counters = running.sandbox.counters
    asked, answered = counters.token_requests["refresh_token"], counters.token_answers["refresh_token"]
    running.sandbox.faults.inject("token_slow", {"seconds": 0.3}, times=1)
    with ThreadPoolExecutor(1) as threads:
        call = threads.submit(browser.fetch, "/auth/session/refresh", "POST")
        until(lambda: counters.token_requests["refresh_token"] > asked)
        with unwritable(database):
            until(lambda: counters.token_answers["refresh_token"] > answered)
        assert call.result().json()["tokens"]["generation"] == 2
    assert browser.generation() == 2


def test_no_refresh_token_is_spent_where_the_store_cannot_record_it(
    running: Running, browser: Browser, database: Path
) -> None:
    """Nobody could tell others of it: two replicas would spend the token, and the connection would end."""
    browser.sign_in()
    impatient(running)
    running.clock.advance(11)
    running.sandbox.faults.inject("access_token_death")
    before = running.sandbox.counters.token_requests["refresh_token"]
    with unwritable(database):
        assert_unavailable(browser.fetch("/api/v1/profile"))
    assert running.sandbox.counters.token_requests["refresh_token"] == before
    assert browser.fetch("/api/v1/profile").status_code == 200
    assert browser.generation() == 2


def test_a_restart_keeps_sessions_and_their_tokens(tmp_path: Path) -> None:
    clock = Clock()
    store = f"sqlite:///{tmp_path / 'sessions.sqlite'}"
    with running_gateway("lexware", store=store, clock=clock) as first, Browser(first.public_url) as browser:
        browser.sign_in()
        before = browser.fetch("/auth/session").json()
        port = int(first.public_url.rpartition(":")[2])
    with running_gateway("lexware", store=store, clock=clock, port=port) as second:
        assert second.public_url == browser.origin
        with Browser(second.public_url) as again:
            again.cookies = browser.cookies
            assert again.fetch("/auth/session").json() == before
            assert again.fetch("/api/v1/profile").status_code == 401, "another sandbox: the token is unknown"


def test_a_restart_with_a_new_secret_in_front_keeps_sessions_and_one_without_it_ends_them(
    tmp_path: Path,
) -> None:
    """Rotation with overlap."""
    clock = Clock()
    store = f"sqlite:///{tmp_path / 'sessions.sqlite'}"
    old, new = "the old secret of at least thirty-two bytes", "the new secret of at least thirty-two bytes"
    cookies: dict[str, dict[str, Cookie]] = {}
    port = 0
    for secret, alive in ((old, None), (f"{new},{old}", True), (new, False)):
        with running_gateway("openid", store=store, clock=clock, secret=secret, port=port) as running:
            port = int(running.public_url.rpartition(":")[2])
            with Browser(running.public_url) as browser:
                browser.cookies = cookies
                if alive is None:
                    browser.sign_in()
                    cookies = browser.cookies
                assert browser.fetch("/auth/session").json()["active"] is (alive is not False)
