"""While a person is there, access tokens are renewed before a call waits for it; else they run out."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

import pytest

from tests.browser.keeper.conftest import settings_of
from tests.browser.keeper.stage import answered, told, until, wait_told
from tests.support.running import RunningClock, running_gateway

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Page

    from tests.browser.keeper.stage import Tabs
    from tests.support.running import Running
    from tests.support.wire import Wire

LIFETIME = 16
"""Seconds that an access token lives here; one younger than 10 is not renewed on request."""
SLOW = 1.5
"""Seconds that the token endpoint takes: longer than the gateway takes for a call that needs no new token."""
CALL = """() => window.client.fetch('/api/v1/profile', { cache: 'no-store' })
  .then((response) => [response.status, response.headers.get('Server-Timing')])"""


@pytest.fixture(scope="module")
def running(wire: Wire) -> Iterator[Running]:
    options = {"access_token_lifetime": LIFETIME}
    settings = settings_of(wire)
    with running_gateway(
        "lexware", clock=RunningClock(), settings=settings, sandbox_options=options
    ) as running:
        yield running


def calls(page: Page) -> float:
    """Make a call, and return the milliseconds that it stayed in the gateway."""
    status, timing = page.evaluate(CALL)
    assert status == 200
    return float(re.findall(r"gateway;dur=([\d.]+)", timing)[0])


@pytest.mark.parametrize(("mode", "lives"), [("shared", 3), ("lock", 1), ("page", 1)])
def test_no_call_waits_for_a_new_token_while_a_person_is_there(
    new_tabs: Callable[..., Tabs], running: Running, mode: str, lives: int
) -> None:
    tabs = new_tabs(mode)
    page, other = tabs.open_signed_in(2)
    running.sandbox.faults.inject("token_slow", {"seconds": SLOW})
    refreshed, asked = running.refreshes(), answered(running, "/auth/session/refresh", "POST")
    took: list[float] = []

    def has_used_it_for_so_long() -> bool:
        page.keyboard.press("Shift")
        took.extend([calls(page), calls(other)])
        page.wait_for_timeout(200)
        return len(told(page, "refreshed")) >= lives

    until(page, has_used_it_for_so_long, what=f"{lives} new tokens")
    sys.stdout.write(f"\n{mode}: {lives} new tokens, {len(took)} calls, the slowest {max(took):.0f} ms\n")
    assert max(took) < SLOW * 1000
    assert running.refreshes() - refreshed == lives
    assert answered(running, "/auth/session/refresh", "POST") - asked == lives, "one asks for all"
    for tab in (page, other):
        wait_told(tab, "refreshed", lives)
        assert told(tab, "ended") == []


def test_a_token_that_nobody_needs_is_let_run_out(
    new_tabs: Callable[..., Tabs], running: Running, mode: str
) -> None:
    page, _ = new_tabs(mode).open_signed_in(2)
    before = running.refreshes()
    left = "fetch('/auth/session').then((answer) => answer.json()).then((it) => it.tokens.expires_in_seconds)"
    until(page, lambda: page.evaluate(left) == 0, what="the end of the token")
    assert running.refreshes() == before
    assert told(page, "ended") == [], "the session goes on all the same"
