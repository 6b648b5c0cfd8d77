"""While a person is there, access tokens are renewed before a call waits for it; else they run out."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

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

LIFETIME = 12
"""Seconds that an access token lives here; one younger than 10 is not renewed on request."""
SLOW = 1.5
"""Seconds that the token endpoint takes: longer than the gateway takes for a call that needs no new token."""
LIVES = 3
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


def generation(page: Page) -> int:
    found: dict[str, Any] = page.evaluate("fetch('/auth/session').then((answer) => answer.json())")
    return int(found["tokens"]["generation"])


def test_no_call_waits_for_a_new_token_while_a_person_is_there(
    new_tabs: Callable[..., Tabs], running: Running, mode: str
) -> None:
    """The person reads and moves the pointer; calls are rare, so that none would renew the token in time."""
    tabs = new_tabs(mode)
    page, other = tabs.open_signed_in(2)
    running.sandbox.faults.inject("token_slow", {"seconds": SLOW})
    before, asked = running.refreshes(), answered(running, "/auth/session/refresh", "POST")
    began, slowest, seen = generation(page), 0.0, 0
    step = 0

    def a_life_is_over() -> bool:
        nonlocal step
        step += 1
        page.mouse.move(10 + step % 50, 10)
        return generation(page) > began + seen

    while seen < LIVES:
        until(page, a_life_is_over, what=f"token {seen + 1}")
        seen = generation(page) - began
        slowest = max(slowest, calls(page))
    sys.stdout.write(f"\n{mode}: {seen} lives of {LIFETIME} s, the slowest call {slowest:.0f} ms\n")
    assert slowest < SLOW * 1000
    assert running.refreshes() - before == seen
    assert answered(running, "/auth/session/refresh", "POST") - asked == seen, "one tab asks for all"
    for tab in (page, other):
        wait_told(tab, "refreshed", seen)
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
