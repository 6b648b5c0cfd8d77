"""A gateway that serves the test page, the sandbox behind it, and a resource server that keeps every byte."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.conftest import PATIENCE_MS, MovingClock
from tests.browser.keeper.stage import MODES, PAGE, WRONGS, Tabs, streams
from tests.support.running import running_gateway
from tests.support.wire import Wire, running_wire, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser

    from tests.browser.conftest import Complaints
    from tests.support.running import Running


@pytest.fixture(scope="package")
def wire() -> Iterator[Wire]:
    with running_wire() as wire:
        yield wire


def settings_of(wire: Wire, **more: str) -> dict[str, str]:
    """Build the settings of a gateway before the test page; `/api/kept/` leads to the wire."""
    route = {
        "prefix": "/api/kept",
        "destination": wire.url,
        "token": "user",
        "budget": False,
    }
    return {
        "LEXGATE_SPA": str(PAGE),
        "LEXGATE_SCOPE": "profile.read contacts.read contacts.write",
        "LEXGATE_ROUTES": json.dumps([route]),
        **more,
    }


@pytest.fixture(scope="module")
def running(wire: Wire) -> Iterator[Running]:
    with running_gateway("lexware", clock=MovingClock(0), settings=settings_of(wire)) as running:
        yield running


@pytest.fixture(params=list(MODES))
def mode(request: pytest.FixtureRequest) -> str:
    mode: str = request.param
    return mode


@pytest.fixture
def new_tabs(
    chromium: Browser, running: Running, wire: Wire, complaints: Complaints
) -> Iterator[Callable[..., Tabs]]:
    """Give a function that starts a browser for somebody; it takes a mode, and what a context takes."""
    opened: list[Tabs] = []
    complaints.expected += WRONGS
    wire.reset()

    def new_tabs(mode: str = "shared", **options: Any) -> Tabs:  # noqa: ANN401 - playwright's
        context = chromium.new_context(base_url=running.public_url, **{"locale": "en-GB", **options})
        context.set_default_timeout(PATIENCE_MS)
        context.add_init_script(MODES[mode])
        tabs = Tabs(context, running, complaints)
        opened.append(tabs)
        return tabs

    yield new_tabs
    for tabs in opened:
        tabs.context.close()
    for tabs in opened:
        until(lambda running=tabs.running: streams(running) == 0)  # type: ignore[misc]
        tabs.running.sandbox.faults.clear()
        tabs.running.clock.now = 0
