"""Where the keeper lives in one of the tabs, that tab's end, or its sleep, is not the end of the events."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from gateway.sandbox.accounts import NORDLICHT
from tests.browser.keeper.stage import (
    HANG,
    PATIENCE_SECONDS,
    forget,
    hang,
    hears,
    leader_of,
    run_in_worker,
    streams,
    told,
    until,
    wait_told,
    workers,
)
from tests.support.event_streams import publish
from tests.support.wire import reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.browser.keeper.stage import Tabs
    from tests.support.running import Running
    from tests.support.wire import Heard, Reply, Wire

SHOWN = "void document.dispatchEvent(new Event('visibilitychange'))"


@pytest.fixture
def released(wire: Wire) -> Iterator[threading.Event]:
    """Let what hangs go on when the event is set."""
    event = threading.Event()

    def answer(_: Heard) -> Reply:
        event.wait(PATIENCE_SECONDS)
        return reply()

    wire.script = answer
    yield event
    event.set()


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


def test_a_keeper_that_hangs_is_replaced_by_a_tab_that_is_shown(
    new_tabs: Callable[..., Tabs], running: Running, released: threading.Event, mode: str
) -> None:
    pages = new_tabs(mode).open_signed_in(3)
    leader = pages[0] if mode == "shared" else leader_of(pages)
    first, second = (page for page in pages if page is not leader)
    hang(leader, mode)
    first.evaluate(SHOWN)
    publish(running, NORDLICHT.id, "between")
    for page in (first, second):
        hears(page, "between")
    released.set()
    hears(leader, "between", most=2)  # the one that hung had heard of it as well
    until(first, lambda: streams(running) == 1, what="one stream again")
    for page in pages:
        forget(page)
    publish(running, NORDLICHT.id, "after")
    for page in pages:
        hears(page, "after")
        assert told(page, "ended") == []
    assert streams(running) == 1
    assert leader_of(pages) is first


def test_a_keeper_that_is_gone_is_replaced_while_a_person_is_there(
    new_tabs: Callable[..., Tabs], running: Running
) -> None:
    first, second = pages = new_tabs().open_signed_in(2)
    run_in_worker(first, "self.close()")
    until(first, lambda: workers(first) == [], what="the end of the worker")

    def has_another() -> bool:
        first.keyboard.press("Shift")
        return workers(second) == ["worker"]

    until(second, has_another, what="another worker")
    until(second, lambda: streams(running) == 1, what="one stream again")
    publish(running, NORDLICHT.id, "afterwards")
    for page in pages:
        hears(page, "afterwards")


def test_a_tab_that_stood_still_while_the_session_ended_says_so_when_it_goes_on(
    new_tabs: Callable[..., Tabs], released: threading.Event, mode: str
) -> None:
    pages = new_tabs(mode).open_signed_in(3)
    sleeper = next(page for page in pages if mode == "shared" or page is not leader_of(pages))
    awake, other = (page for page in pages if page is not sleeper)
    sleeper.evaluate(HANG)
    awake.evaluate("void window.client.logout()")
    wait_told(other, "ended")
    released.set()
    assert wait_told(sleeper, "ended")["reason"] == "signed_out"
