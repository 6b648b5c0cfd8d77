"""A session that nobody uses ends, every tab is told that it will, and any of them can keep it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser.keeper.conftest import settings_of
from tests.browser.keeper.stage import answered, forget, streams, told, until, wait_told
from tests.support.running import RunningClock, running_gateway

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.browser.keeper.stage import Tabs
    from tests.support.running import Running
    from tests.support.wire import Wire

IDLE_SECONDS = 12


@pytest.fixture(scope="module")
def running(wire: Wire) -> Iterator[Running]:
    settings = settings_of(wire, LEXGATE_SESSION_IDLE=str(IDLE_SECONDS), LEXGATE_SESSION_MAX="3600")
    options = {"access_token_lifetime": 4}  # so short that whoever renewed it ahead would keep the session
    with running_gateway(
        "lexware", clock=RunningClock(), settings=settings, sandbox_options=options
    ) as running:
        yield running


def test_a_session_that_nobody_uses_is_counted_down_and_ends_in_every_tab(
    new_tabs: Callable[..., Tabs], running: Running, mode: str
) -> None:
    tabs = new_tabs(mode)
    pages = tabs.open_signed_in(3)
    renewed = answered(running, "/auth/session/refresh", "POST")
    for page in pages:
        ending = wait_told(page, "ending")
        assert ending["reason"] == "idle"
        assert 0 <= ending["inSeconds"] <= IDLE_SECONDS / 2
        assert told(page, "ended") == []
    for page in pages:
        assert wait_told(page, "ended")["reason"] == "idle"
        assert wait_told(page, "session", where=lambda session: not session["active"])["reason"] == "idle"
    until(pages[0], lambda: streams(running) == 0, what="the end of the stream")
    for page in pages:
        assert len(told(page, "ended")) == 1
    assert answered(running, "/auth/session/refresh", "POST") == renewed, "nobody kept it alive"


def test_one_tab_keeps_the_session_for_all(new_tabs: Callable[..., Tabs], mode: str) -> None:
    first, second = new_tabs(mode).open_signed_in(2)
    wait_told(second, "ending")
    assert first.evaluate("window.client.keepAlive().then(({ active }) => active)") is True
    for page in (first, second):
        wait_told(page, "extended")
        assert told(page, "ended") == []
        forget(page)
    for page in (first, second):
        wait_told(page, "ending")  # and nobody used it again
