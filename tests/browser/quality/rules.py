"""What is measured on a page that is shown: each rule gives one line for each place that breaks it."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from playwright.sync_api import TimeoutError  # noqa: A004 - playwright's own, which is no built-in one

from tests.browser.conftest import axe_findings

if TYPE_CHECKING:
    from playwright.sync_api import Page

AXE_TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
MOST_STOPS = 250
SETTLED_MS = 3000
IS_SETTLED = "() => window.measures.stop()?.problems.length === 0"


def axe(page: Page) -> list[str]:
    """Return what axe-core finds against WCAG 2.2 AA and its best practices."""
    found = axe_findings(page, runOnly={"type": "tag", "values": list(AXE_TAGS)})
    return [f"{rule}: {node['target']} {node['html'][:120]}" for rule, node in found]


def measure(page: Page, name: str) -> Any:  # noqa: ANN401 - JSON
    """Return what one of the functions of measures.js finds."""
    return page.evaluate("(name) => window.measures[name]()", name)


def stops(page: Page) -> list[dict[str, Any]]:
    """Press the tabulator key from the page's beginning to its end; return each place that has the focus."""
    measure(page, "begin")
    seen: list[dict[str, Any]] = []
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        stop: dict[str, Any] | None = measure(page, "stop")
        if stop is None:
            return seen
        seen.append(settled(page) if stop["problems"] else stop)
    raise AssertionError(f"the end is not reached after {MOST_STOPS} stops: {seen[-3:]}")


def settled(page: Page) -> dict[str, Any]:
    """Return the place that has the focus, when all is where it goes: a frame may be scrolled to late."""
    with suppress(TimeoutError):
        page.wait_for_function(IS_SETTLED, timeout=SETTLED_MS)
    stop: dict[str, Any] = measure(page, "stop")
    return stop
