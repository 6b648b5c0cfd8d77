"""One keeper and one stream of events serve all tabs of a browser, wherever the keeper can live."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.sandbox.accounts import NORDLICHT
from tests.browser.keeper.stage import forget, opened_streams, streams, told, until, wait_told, workers
from tests.support.event_streams import publish

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.keeper.stage import Tabs
    from tests.support.running import Running

KEEPERS = {"shared": ["shared_worker"], "lock": ["worker"], "page": []}


def test_five_tabs_hold_one_stream_and_each_is_told_all_of_it_once(
    new_tabs: Callable[..., Tabs], running: Running, mode: str
) -> None:
    before = opened_streams(running)
    tabs = new_tabs(mode)
    pages = tabs.open_signed_in(5)
    names = [f"r{number}" for number in range(20)]
    for name in names:
        publish(running, NORDLICHT.id, name)
    for page in pages:
        wait_told(page, "changed", len(names))
        assert [event["resourceId"] for event in told(page, "changed")] == names
        assert told(page, "missed") == []
    assert streams(running) == 1
    assert opened_streams(running) - before == 1, "no other was ever opened"
    assert workers(pages[0]) == KEEPERS[mode]


def test_the_last_tab_takes_the_stream_along(
    new_tabs: Callable[..., Tabs], running: Running, mode: str
) -> None:
    tabs = new_tabs(mode)
    pages = tabs.open_signed_in(2)
    blank = tabs.context.new_page()
    for page in pages:
        page.close()
    until(blank, lambda: streams(running) == 0, what="the end of the stream")


def test_nobody_who_is_not_signed_in_has_a_stream_or_asks_for_one(
    new_tabs: Callable[..., Tabs], running: Running, mode: str
) -> None:
    before = opened_streams(running)
    page = new_tabs(mode).open()
    assert wait_told(page, "session")["active"] is False
    page.evaluate("window.client.session()")
    assert opened_streams(running) == before
    assert told(page, "ended") == [], "nothing ended that never was"


def test_who_signs_in_beside_a_tab_without_a_session_is_never_told_that_there_is_none(
    new_tabs: Callable[..., Tabs], mode: str
) -> None:
    tabs = new_tabs(mode)
    first = tabs.open()
    wait_told(first, "session")
    for user in ("anna", "jonas", "anna"):
        second = tabs.sign_in(user)
        wait_told(second, "session", where=lambda session: session["active"])
        second.evaluate("dispatchEvent(new Event('pageshow'))")
        wait_told(first, "session", where=lambda session: session["active"])
        assert [session for session in told(second, "session") if not session["active"]] == []
        second.evaluate("fetch('/auth/logout', { method: 'POST', headers: { 'X-CSRF': '1' } })")
        second.close()
        forget(first)


def test_what_a_tab_asks_of_its_session_the_others_are_told(new_tabs: Callable[..., Tabs], mode: str) -> None:
    first, second = new_tabs(mode).open_signed_in(2)
    assert wait_told(second, "session")["subject"] == wait_told(first, "session")["subject"]
    late = "new Promise((known) => window.client.onSession(known)).then(({ active }) => active)"
    assert second.evaluate(late) is True, "who comes late is told what is known"
