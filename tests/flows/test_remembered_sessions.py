"""Calls are served from memory, and a session that ended anywhere is refused everywhere within a second."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import httpx
import pytest

from gateway.browser.cookie import SESSION_COOKIE
from tests.contract.redis_servers import RedisServer, free_port
from tests.support.browser import Browser
from tests.support.opened import CountedStore
from tests.support.running import RunningClock, running_gateway, running_replica
from tests.support.wire import SOON, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.running import Running

PROFILE = "/api/v1/profile"
Outage = Callable[[], AbstractContextManager[None]]
"""The store cannot be read until the block ends."""


class Place:
    """Two gateways on one store, and one person's browser before each of them."""

    def __init__(self, gateways: list[Running], browsers: list[Browser], outage: Outage) -> None:
        self.gateways = gateways
        self.browsers = browsers
        self.outage = outage

    def sign_in(self) -> None:
        self.browsers[0].sign_in()
        self.browsers[1].cookies = {host: dict(jar) for host, jar in self.browsers[0].cookies.items()}
        for browser, gateway in zip(self.browsers, self.gateways, strict=True):
            with counted(gateway) as store:
                # Until a call is served without the store.
                until(lambda browser=browser, store=store: served_from_memory(browser, store))  # type: ignore[misc]


def served_from_memory(browser: Browser, store: CountedStore) -> bool:
    store.taken()
    assert browser.fetch(PROFILE).status_code == 200
    return store.taken() == {}


@contextmanager
def counted(gateway: Running) -> Iterator[CountedStore]:
    """Count what a gateway asks of its store, until the block ends."""
    vault: Any = gateway.gateway._vault  # noqa: SLF001 - the store is not to know that it is counted
    store = vault._store  # noqa: SLF001 - as above
    vault._store = CountedStore(store)  # noqa: SLF001 - as above
    try:
        yield cast("CountedStore", vault._store)  # noqa: SLF001 - as above
    finally:
        vault._store = store  # noqa: SLF001 - as above


@contextmanager
def without_tables(path: Path) -> Iterator[None]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for table in ("sessions", "changes"):
            connection.execute(f"ALTER TABLE {table} RENAME TO {table}_away")
        yield
        for table in ("sessions", "changes"):
            connection.execute(f"ALTER TABLE {table}_away RENAME TO {table}")


@contextmanager
def stopped(server: RedisServer) -> Iterator[None]:
    server.stop()
    yield
    server.start()


@pytest.fixture(scope="module", params=["sqlite", "redis"])
def gateways(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[list[Running], Outage]]:
    folder = tmp_path_factory.mktemp("remembered")
    with ExitStack() as stack:
        path = folder / "sessions.sqlite"
        store, outage = f"sqlite:///{path}", partial(without_tables, path)
        if request.param == "redis":
            server = RedisServer(folder, free_port(), "appendonly yes", "appendfsync always")
            stack.callback(server.stop)
            store, outage = f"redis://127.0.0.1:{server.port}", partial(stopped, server)
        first = stack.enter_context(running_gateway("lexware", store=store, clock=RunningClock()))
        yield [first, stack.enter_context(running_replica(first))], outage


@pytest.fixture
def place(gateways: tuple[list[Running], Outage]) -> Iterator[Place]:
    running, outage = gateways
    with ExitStack() as stack:
        browsers = [stack.enter_context(Browser(each.public_url, via=each.url)) for each in running]
        yield Place(running, browsers, outage)


def test_calls_after_the_first_ask_nothing_of_the_store(place: Place) -> None:
    place.sign_in()
    with counted(place.gateways[1]) as store:
        for _ in range(30):
            assert place.browsers[1].fetch(PROFILE).status_code == 200
        assert store.taken() == {}


@pytest.mark.parametrize("ends", ["/auth/logout", "/auth/logout?everywhere=true"])
def test_a_session_that_ends_at_one_gateway_is_refused_by_the_other_within_a_second(
    place: Place, ends: str
) -> None:
    for _ in range(3):
        place.sign_in()
        assert place.browsers[0].fetch(ends, "POST").status_code == 200
        ended = time.monotonic()
        until(lambda: place.browsers[1].fetch(PROFILE).status_code == 401)
        assert time.monotonic() - ended < SOON
        refused = place.browsers[1].fetch(PROFILE)
        assert (refused.status_code, refused.json()["reason"]) == (401, "signed_out")


def test_a_session_that_ends_is_refused_at_once_by_the_gateway_that_ended_it(place: Place) -> None:
    place.sign_in()
    cookies = {host: dict(jar) for host, jar in place.browsers[0].cookies.items()}
    for _ in range(3):
        assert place.browsers[0].fetch(PROFILE).status_code == 200
    assert place.browsers[0].fetch("/auth/logout", "POST").status_code == 200
    place.browsers[0].cookies = cookies
    refused = place.browsers[0].fetch(PROFILE)
    assert (refused.status_code, refused.json()["reason"]) == (401, "signed_out")


def test_a_second_cookie_field_or_value_is_not_overlooked(place: Place) -> None:
    place.sign_in()
    gateway, browser = place.gateways[0], place.browsers[0]
    cookie = browser.cookie(SESSION_COOKIE)
    assert cookie is not None
    field = f"{SESSION_COOKIE}={cookie}"
    headers = [("Sec-Fetch-Site", "same-origin"), ("Cookie", field)]
    url = f"{gateway.url}{PROFILE}"
    with httpx.Client(trust_env=False) as client:
        for more, status in (
            ([], 200),
            ([("Cookie", "theme=dark")], 200),
            ([("Cookie", f"{SESSION_COOKIE}=planted")], 401),
            ([("Cookie", field)], 401),
            ([], 200),
        ):
            assert client.get(url, headers=[*headers, *more]).status_code == status
            assert client.get(url, headers=[*more, *headers]).status_code == status


def test_while_the_store_is_away_calls_are_503_and_afterwards_all_is_as_before(place: Place) -> None:
    place.sign_in()
    with place.outage():
        began = time.monotonic()
        for browser in place.browsers:
            until(lambda browser=browser: browser.fetch(PROFILE).status_code == 503)  # type: ignore[misc]
        assert time.monotonic() - began < SOON
        for browser in place.browsers:
            unavailable = browser.fetch(PROFILE)
            assert (unavailable.status_code, unavailable.json()["code"]) == (503, "store_unavailable")
            assert int(unavailable.headers["retry-after"]) > 0
    for browser in place.browsers:
        until(lambda browser=browser: browser.fetch(PROFILE).status_code == 200)  # type: ignore[misc]
    with counted(place.gateways[1]) as store:
        until(lambda: served_from_memory(place.browsers[1], store))
