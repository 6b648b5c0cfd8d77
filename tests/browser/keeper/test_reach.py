"""Neither being offline nor an outage of the gateway's looks like a sign-out, and both end by themselves."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from gateway.sandbox.accounts import NORDLICHT
from tests.browser.conftest import MovingClock
from tests.browser.keeper.conftest import settings_of
from tests.browser.keeper.stage import answered, consent, hears, streams, told, until, wait_told
from tests.flows.test_store_trouble import impatient, unreadable
from tests.support.event_streams import publish
from tests.support.ports import free_port
from tests.support.running import running_gateway
from tests.support.wire import reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Page, Route

    from tests.browser.keeper.stage import Tabs
    from tests.support.running import Running
    from tests.support.wire import Wire

CALL = "window.client.fetch('/api/v1/profile').then(({ status }) => status, ({ name, code }) => code ?? name)"


class Site:
    """A gateway on one port that can be ended and begun again, with what it remembers."""

    def __init__(self, folder: Path, wire: Wire) -> None:
        self.database = folder / "sessions.sqlite"
        self._options = {
            "store": f"sqlite:///{self.database}",
            "port": free_port(),
            "clock": MovingClock(0),
            "settings": settings_of(wire),
        }
        self._stack = ExitStack()
        self.running = self.begin()

    def begin(self) -> Running:
        self.running = self._stack.enter_context(running_gateway("lexware", **self._options))  # type: ignore[arg-type]
        impatient(self.running)
        return self.running

    def end(self) -> None:
        self._stack.close()


@pytest.fixture(scope="module")
def site(wire: Wire, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("site"), wire)
    yield site
    site.end()


@pytest.fixture
def running(site: Site) -> Running:
    return site.running


def reach(page: Page) -> str:
    state: str = told(page, "reach")[-1]["state"]
    return state


def wait_reach(page: Page, state: str) -> None:
    until(page, lambda: reach(page) == state, what=state)


def assert_still_signed_in(pages: list[Page]) -> None:
    for page in pages:
        assert told(page, "ended") == []
        assert all(session["active"] for session in told(page, "session"))
        assert page.evaluate("window.client.session().then(({ active }) => active)") is True


def hear_of(pages: list[Page], running: Running, resource: str) -> None:
    """Let something change, and wait until each tab has heard of it."""
    publish(running, NORDLICHT.id, resource)
    for page in pages:
        wait_told(page, "changed", where=lambda event: event["resourceId"] == resource)


def test_offline_is_told_as_that_and_over_when_the_network_is_back(
    new_tabs: Callable[..., Tabs], running: Running, mode: str
) -> None:
    tabs = new_tabs(mode)
    pages = tabs.open_signed_in(3)
    for page in pages:
        assert reach(page) == "online"
    tabs.context.set_offline(True)
    for page in pages:
        wait_reach(page, "offline")
        assert page.evaluate(CALL) == "NetworkError"
    tabs.context.set_offline(False)
    for page in pages:
        wait_reach(page, "online")
        assert page.evaluate(CALL) == 200
    assert_still_signed_in(pages)
    until(pages[0], lambda: streams(running) == 1, what="one stream")
    hear_of(pages, running, "after")


def test_a_gateway_that_is_gone_for_a_while_is_offline_and_nothing_that_came_between_is_lost(
    new_tabs: Callable[..., Tabs], site: Site, mode: str
) -> None:
    tabs = new_tabs(mode)
    pages = tabs.open_signed_in(3)
    hear_of(pages, site.running, "before")
    site.end()
    for page in pages:
        wait_reach(page, "offline")
        assert page.evaluate(CALL) == "NetworkError"
        wait_told(page, "live", where=lambda is_live: is_live is False)
    tabs.running = running = site.begin()
    publish(running, NORDLICHT.id, "between")
    for page in pages:
        wait_reach(page, "online")
        hears(page, "between")
    hear_of(pages, running, "after")
    assert_still_signed_in(pages)
    assert streams(running) == 1


def test_an_outage_is_told_as_that_and_signs_nobody_out(
    new_tabs: Callable[..., Tabs], site: Site, mode: str
) -> None:
    pages = new_tabs(mode).open_signed_in(3)
    with unreadable(site.database):
        assert pages[0].evaluate("window.client.session().catch(({ status }) => status)") == 503
        for page in pages:
            wait_reach(page, "outage")
            assert told(page, "reach")[-1]["retryAfter"] > 0
            assert page.evaluate(CALL) == "store_unavailable"
        asked = answered(site.running, "/auth/session")
    for page in pages:
        wait_reach(page, "online")
    assert answered(site.running, "/auth/session") - asked < 10, "one asks for all, and not all the time"
    assert_still_signed_in(pages)
    hear_of(pages, site.running, "after")


def test_a_page_that_is_opened_in_an_outage_learns_of_its_session_when_it_is_over(
    new_tabs: Callable[..., Tabs], site: Site, mode: str
) -> None:
    tabs = new_tabs(mode)
    tabs.sign_in().close()
    with unreadable(site.database):
        page = tabs.open()
        assert wait_told(page, "ready")["status"] == 503
        wait_reach(page, "outage")
        assert told(page, "session") == []
    wait_told(page, "session", where=lambda session: session["active"])
    wait_told(page, "live", where=lambda is_live: is_live is True)
    assert reach(page) == "online"
    assert told(page, "ended") == []


HURRY = """{
  const { timeout } = AbortSignal;
  AbortSignal.timeout = (ms) => timeout.call(AbortSignal, ms / 30);
}"""
"""A page for which the longest wait of 30 s is over after one."""


def test_a_keeper_whose_call_hangs_goes_on_after_a_while(
    new_tabs: Callable[..., Tabs], running: Running
) -> None:
    tabs = new_tabs("page")
    tabs.context.add_init_script(HURRY)
    hanging: list[Route] = []

    def hang(route: Route) -> None:
        hanging.append(route)

    tabs.context.route("**/auth/session", hang)
    page = tabs.context.new_page()
    tabs.complaints.watch(page)
    page.goto("/auth/login?return_to=/")
    consent(page)
    ready = wait_told(page, "ready")
    assert ready["error"] == "NetworkError"
    wait_reach(page, "offline")
    tabs.context.unroute("**/auth/session")
    assert hanging
    wait_told(page, "live", where=lambda isLive: isLive is True)  # noqa: N803 - as the client calls it
    wait_reach(page, "online")
    hear_of([page], running, "after-it-hung")


def test_a_problem_of_the_resource_servers_own_is_an_answer_and_no_outage(
    new_tabs: Callable[..., Tabs], wire: Wire
) -> None:
    (page,) = new_tabs().open_signed_in(1)
    problem = b'{"type": "about:blank", "title": "Maintenance", "code": "maintenance", "instance": "/books"}'
    wire.script = lambda _: reply(503, problem, type_="application/problem+json")
    page.evaluate("window.call('books', '/api/kept/books')")
    answer = wait_told(page, "answer")
    assert (answer["status"], answer["text"]) == (503, problem.decode())
    assert [state["state"] for state in told(page, "reach")] == ["online"]
