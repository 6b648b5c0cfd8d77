"""Whatever happens while one keeper follows another comes, or is told to be missing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from gateway.sandbox.accounts import NORDLICHT
from tests.browser.keeper.stage import (
    hears,
    leader_of,
    opened_streams,
    streams,
    told,
    until,
    wait_told,
    workers,
)
from tests.support.event_streams import publish

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.keeper.stage import Tabs
    from tests.support.running import Running

FORGETFUL = """for (const { prototype } of [BroadcastChannel]) {
  const { postMessage } = prototype;
  prototype.postMessage = function (message) {
    postMessage.call(this, { ...message, last: message.keeper && message.last });
  };
}"""
"""A tab that is too late to say after which event the next keeper has to go on."""
AT_ONCE = "() => {}"
LATE = """() => {
  const { prototype } = BroadcastChannel;
  const { postMessage } = prototype;
  prototype.postMessage = function (message) {
    if (message.hello) setTimeout(() => postMessage.call(this, message), 1000);
    else postMessage.call(this, message);
  };
}"""
"""A tab that says so late."""
SHORT_LIVED = """() => {
  const channel = new BroadcastChannel("lexgate");
  channel.postMessage({ keeper: Number.MAX_VALUE, up: true, last: "" });
  channel.close();
}"""
"""A keeper that comes up and is gone, before it has heard of anything."""


def test_a_keeper_that_begins_without_a_place_has_the_tabs_told_that_they_missed_something(
    new_tabs: Callable[..., Tabs], running: Running
) -> None:
    tabs = new_tabs("lock")
    tabs.context.add_init_script(FORGETFUL)
    pages = tabs.open_signed_in(3)
    publish(running, NORDLICHT.id, "before")
    for page in pages:
        hears(page, "before")
        assert told(page, "missed") == [], "at the first beginning there is nothing to miss"
    leader = leader_of(pages)
    others = [page for page in pages if page is not leader]
    leader.close()
    for page in others:
        wait_told(page, "missed")
    publish(running, NORDLICHT.id, "after")
    for page in others:
        until(page, lambda page=page: len(told(page, "changed")) > 1)  # type: ignore[misc]
        assert len(told(page, "missed")) == 1


@pytest.mark.parametrize("says", [AT_ONCE, LATE], ids=["at_once", "late"])
def test_after_a_keeper_that_never_heard_anything_the_next_goes_on_where_the_one_before_it_was(
    new_tabs: Callable[..., Tabs], running: Running, mode: str, *, says: str
) -> None:
    pages = new_tabs(mode).open_signed_in(2)
    for page in pages:
        page.evaluate(says)
    publish(running, NORDLICHT.id, "before")
    for page in pages:
        hears(page, "before")
    pages[0].evaluate(SHORT_LIVED)
    until(pages[0], lambda: streams(running) == 0, what="the end of the keeper that was")
    publish(running, NORDLICHT.id, "between")
    for page in pages:
        until(page, lambda page=page: len(told(page, "changed")) > 1)  # type: ignore[misc]
        assert told(page, "changed")[1]["resourceId"] == "between"
        assert told(page, "missed") == []
    until(pages[0], lambda: streams(running) == 1, what="one stream again")


def test_a_tab_that_was_signed_out_at_first_has_missed_nothing_when_somebody_signs_in(
    new_tabs: Callable[..., Tabs], running: Running, mode: str
) -> None:
    tabs = new_tabs(mode)
    waiting = tabs.open()
    tabs.sign_in()
    for page in tabs.pages:
        wait_told(page, "live", where=lambda isLive: isLive is True)  # noqa: N803 - as the client calls it
    publish(running, NORDLICHT.id, "first")
    hears(waiting, "first")
    assert told(waiting, "missed") == []


OF_AN_OLDER_PAGE = """if (new URLSearchParams(location.search).has("older")) {
  const { SharedWorker: Now } = globalThis;
  globalThis.SharedWorker = class extends Now {
    constructor(url, options) { super(url, { ...options, name: "lexgate.keeper.0123abcd" }); }
  };
}"""
NAMES = """{
  const { SharedWorker: Now } = globalThis;
  globalThis.names = [];
  globalThis.SharedWorker = class extends Now {
    constructor(url, options) { super(url, options); names.push(options.name); }
  };
}"""


def test_a_page_of_another_version_has_a_keeper_of_its_own_and_the_older_one_goes(
    new_tabs: Callable[..., Tabs], running: Running
) -> None:
    tabs = new_tabs()
    tabs.context.add_init_script(NAMES)
    tabs.context.add_init_script(OF_AN_OLDER_PAGE)
    older = tabs.sign_in(path="/?older")
    wait_told(older, "live")
    for number, path in enumerate(("/", "/?older", "/")):
        before = opened_streams(running)
        page = tabs.open(path)
        until(page, lambda before=before: opened_streams(running) == before + 1, what="its stream")  # type: ignore[misc]
        until(page, lambda: workers(older) == ["shared_worker"], what="the end of the other")
        publish(running, NORDLICHT.id, f"change-{number}")
        for tab in tabs.pages:
            hears(tab, f"change-{number}")
    assert [tab.evaluate("names[0]") for tab in tabs.pages[::2]] == ["lexgate.keeper.0123abcd"] * 2
    name, again = (tab.evaluate("names[0]") for tab in tabs.pages[1::2])
    assert re.fullmatch(r"lexgate\.keeper\.[0-9a-f]{8}", name)
    assert name == again
    before = opened_streams(running)
    for tab in tabs.pages:
        tab.evaluate("void document.dispatchEvent(new Event('visibilitychange'))")
    publish(running, NORDLICHT.id, "last")
    for tab in tabs.pages:
        hears(tab, "last")
        assert told(tab, "missed") == []
    assert (opened_streams(running), streams(running)) == (before, 1)


def test_of_two_keepers_that_come_up_at_once_the_newer_one_stays_and_says_so(
    new_tabs: Callable[..., Tabs], running: Running, mode: str
) -> None:
    first, second = new_tabs(mode).open_signed_in(2)
    before = opened_streams(running)
    second.evaluate("""() => {
      window.ups = [];
      const channel = new BroadcastChannel("lexgate");
      channel.onmessage = ({ data }) => data.up && ups.push(data.keeper);
      channel.postMessage({ keeper: 1, up: true, last: "" });
    }""")
    until(second, lambda: bool(second.evaluate("ups.length")), what="a word from the one that stays")
    assert second.evaluate("ups.length === 1 && ups[0] > 1") is True
    publish(running, NORDLICHT.id, "after")
    for page in (first, second):
        hears(page, "after")
    assert opened_streams(running) == before
