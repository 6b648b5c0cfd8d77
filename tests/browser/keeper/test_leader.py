"""Where the keeper lives in one of the tabs, that tab's end, or its sleep, is not the end of the events."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gateway.sandbox.accounts import NORDLICHT
from tests.browser.keeper.stage import forget, hears, leader_of, streams, told, until, wait_told
from tests.support.event_streams import publish

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from tests.browser.keeper.stage import Tabs
    from tests.support.running import Running

IN_A_TAB = pytest.mark.parametrize("mode", ["lock", "page"])


def set_state(page: Page, state: str) -> None:
    """Let the browser freeze a tab, or wake it."""
    session = page.context.new_cdp_session(page)
    session.send("Page.setWebLifecycleState", {"state": state})
    session.detach()


def test_when_the_tab_that_leads_is_closed_the_next_takes_over_and_nothing_is_lost(
    new_tabs: Callable[..., Tabs], running: Running, mode: str
) -> None:
    pages = new_tabs(mode).open_signed_in(3)
    leader = pages[0] if mode == "shared" else leader_of(pages)
    others = [page for page in pages if page is not leader]
    publish(running, NORDLICHT.id, "before")
    for page in others:
        hears(page, "before")
    leader.close()
    publish(running, NORDLICHT.id, "between")
    for page in others:
        hears(page, "between")
    assert streams(running) == 1
    publish(running, NORDLICHT.id, "after")
    for page in others:
        hears(page, "after")
        assert told(page, "ended") == []
    assert mode == "shared" or leader_of(others) in others


@IN_A_TAB
def test_a_leader_that_is_frozen_is_taken_over_from_by_a_tab_that_is_shown(
    new_tabs: Callable[..., Tabs], running: Running, mode: str
) -> None:
    pages = new_tabs(mode).open_signed_in(3)
    leader = leader_of(pages)
    first, second = (page for page in pages if page is not leader)
    set_state(leader, "frozen")
    set_state(first, "frozen")
    set_state(first, "active")
    until(first, lambda: leader_of([first, second]) is first, what="the next leader")
    publish(running, NORDLICHT.id, "between")
    for page in (first, second):
        hears(page, "between")
    set_state(leader, "active")
    until(first, lambda: streams(running) == 1, what="one stream again")
    for page in pages:
        forget(page)
    publish(running, NORDLICHT.id, "after")
    for page in pages:
        hears(page, "after")
        assert told(page, "ended") == []
    assert streams(running) == 1
    assert leader_of(pages) is not leader


def test_a_tab_that_was_frozen_while_the_session_ended_says_so_when_it_wakes(
    new_tabs: Callable[..., Tabs], mode: str
) -> None:
    pages = new_tabs(mode).open_signed_in(3)
    sleeper = next(page for page in pages if mode == "shared" or page is not leader_of(pages))
    awake = next(page for page in pages if page is not sleeper)
    set_state(sleeper, "frozen")
    awake.evaluate("window.client.logout()")
    wait_told(next(page for page in pages if page not in {sleeper, awake}), "ended")
    set_state(sleeper, "active")
    assert wait_told(sleeper, "ended")["reason"] == "signed_out"
