"""A machine that slept, or whose clock was set, neither ends a session nor overlooks that one has ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gateway.sandbox.accounts import NORDLICHT
from tests.browser.keeper.stage import answered, hears, streams, told, until, wait_told
from tests.support.event_streams import publish

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from tests.browser.keeper.stage import Tabs
    from tests.support.running import Running

HOUR = 3600
HOW = "page"  # where the keeper has the page's clock, which can be set


def open_with_clock(new_tabs: Callable[..., Tabs]) -> Page:
    tabs = new_tabs(HOW)
    tabs.context.clock.install()
    page = tabs.sign_in()
    wait_told(page, "live", where=lambda is_live: is_live is True)
    return page


def test_a_session_that_ran_out_while_the_machine_slept_is_found_ended_on_waking(
    new_tabs: Callable[..., Tabs], running: Running
) -> None:
    page = open_with_clock(new_tabs)
    running.clock.now += HOUR
    page.clock.fast_forward(HOUR * 1000)
    assert wait_told(page, "ended")["reason"] == "idle"


def test_a_session_that_was_used_elsewhere_while_the_machine_slept_goes_on(
    new_tabs: Callable[..., Tabs], running: Running
) -> None:
    page = open_with_clock(new_tabs)
    page.clock.fast_forward(HOUR * 1000)  # by the gateway's clock no time has passed
    until(page, lambda: streams(running) == 1, what="one stream")
    publish(running, NORDLICHT.id, "after")
    hears(page, "after")
    assert told(page, "ended") == []
    assert page.evaluate("window.client.session().then(({ active }) => active)") is True


@pytest.mark.parametrize("years", [-10, 10])
def test_a_clock_that_is_set_changes_nothing(
    new_tabs: Callable[..., Tabs], running: Running, years: int
) -> None:
    """The gateway says how many seconds are left; what time it is in the browser is of no account."""
    page = open_with_clock(new_tabs)
    asked = {path: answered(running, path, method) for path, method in ASKING}
    page.clock.set_system_time(page.evaluate("Date.now()") + years * 365 * 24 * HOUR * 1000)
    assert page.evaluate("window.client.fetch('/api/v1/profile').then(({ status }) => status)") == 200
    publish(running, NORDLICHT.id, "after")
    wait_told(page, "changed")
    assert told(page, "ended") == []
    assert told(page, "ending") == []
    for path, method in ASKING:
        assert answered(running, path, method) - asked[path] <= 1
    assert streams(running) == 1


def test_a_session_that_ran_out_by_the_gateways_clock_alone_is_told_by_the_stream(
    new_tabs: Callable[..., Tabs], running: Running, mode: str
) -> None:
    page = new_tabs(mode).sign_in()
    wait_told(page, "live", where=lambda is_live: is_live is True)
    running.clock.now += HOUR
    assert page.evaluate("window.client.session().then(({ reason }) => reason)") == "idle"
    assert wait_told(page, "ended")["reason"] == "idle"


ASKING = (("/auth/session", "GET"), ("/auth/session/refresh", "POST"))
