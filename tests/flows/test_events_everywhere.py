"""A change in lexoffice's books is heard by every replica within a second, and so is a connection's end."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from gateway.sandbox.accounts import NORDLICHT
from gateway.sandbox.books.changes import add_random_invoice
from gateway.sandbox.webhooks.event import EVENT_TYPES
from tests.contract.redis_servers import RedisServer, free_port
from tests.support.browser import Browser
from tests.support.running import RunningClock, running_gateway, running_replica
from tests.support.webhooks import LEXOFFICE, PATH, SETTINGS, listening
from tests.support.wire import SOON, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.running import Running


@pytest.fixture(scope="module", params=["sqlite", "redis"])
def gateways(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[Running]]:
    """Run two gateways on one store; the sandbox delivers to the first of them."""
    folder = tmp_path_factory.mktemp("events")
    with ExitStack() as stack:
        store = f"sqlite:///{folder / 'sessions.sqlite'}"
        if request.param == "redis":
            server = RedisServer(folder, free_port())
            stack.callback(server.stop)
            store = f"redis://127.0.0.1:{server.port}"
        settings = {**SETTINGS, "LEXGATE_BUDGET_RATE": "0"}
        first = stack.enter_context(running_gateway(settings=settings, store=store, clock=RunningClock()))
        first.sandbox.webhooks.key._made = LEXOFFICE.key  # noqa: SLF001 - the one that the settings know
        for kind in EVENT_TYPES:
            first.sandbox.webhooks.subscribe(NORDLICHT.id, kind, f"{first.url}{PATH}")
        yield [first, stack.enter_context(running_replica(first))]


def test_a_change_of_the_books_is_heard_by_all_within_a_second(gateways: list[Running]) -> None:
    sandbox = gateways[0].sandbox
    with ExitStack() as stack:
        ears = [stack.enter_context(listening(each)) for each in gateways]
        began = time.monotonic()
        voucher = add_random_invoice(sandbox.books[NORDLICHT.id], sandbox.random, now=sandbox.now())
        for ear in ears:
            until(lambda ear=ear: "invoice.created" in ear.types())  # type: ignore[misc]
        assert time.monotonic() - began < SOON
    for ear in ears:
        created = [event for event in ear.events if event.type == "invoice.created"]
        assert [(event.organization_id, event.resource_id) for event in created] == [
            (NORDLICHT.id, voucher.id)
        ]


def test_a_connection_that_was_ended_is_signed_out_everywhere_within_a_second(
    gateways: list[Running],
) -> None:
    with ExitStack() as stack:
        one, other = (stack.enter_context(Browser(each.public_url, via=each.url)) for each in gateways)
        one.sign_in()
        other.cookies = {host: dict(jar) for host, jar in one.cookies.items()}
        for browser in (one, other):
            assert browser.fetch("/api/v1/profile").status_code == 200
        connection = gateways[0].sandbox.grants.connections()[-1]
        began = time.monotonic()
        gateways[0].sandbox.grants.end(connection.id)
        for browser in (one, other):
            until(lambda browser=browser: browser.fetch("/api/v1/profile").status_code == 401)  # type: ignore[misc]
        assert time.monotonic() - began < SOON
        for browser in (one, other):
            assert browser.fetch("/auth/session").json()["reason"] == "grant_ended"
