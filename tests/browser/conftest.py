"""A real Chromium before a real gateway; console errors and CSP violations are collected everywhere."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from gateway.sandbox.accounts import ORGANIZATIONS
from tests.support.chromium import ARGUMENTS
from tests.support.running import Clock, Running, running_gateway

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gateway.sandbox.books.ledger import Books as Ledger

AXE = Path(__file__).parent.parent / "node/node_modules/axe-core/axe.min.js"
PATIENCE_MS = 20_000
AT_REST = """async () => {
  const isEndless = (animation) => animation.effect.getComputedTiming().endTime === Infinity;
  const goesOn = (animation) => animation.playState === "running" && !isEndless(animation);
  for (let going; (going = document.getAnimations().filter(goesOn)).length > 0;) {
    await Promise.allSettled(going.map((animation) => animation.finished));
  }
}"""


class MovingClock(Clock):
    """The machine's clock, moved by what a test advances it."""

    def __call__(self) -> float:
        return time.time() + self.now


@dataclass
class Complaints:
    """What pages complained of; `expected` are parts of messages that a test provokes on purpose."""

    messages: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.messages.append(f"page error: {error}"))
        page.on("console", self._note)

    def _note(self, message: Any) -> None:  # noqa: ANN401 - playwright's ConsoleMessage
        if message.type in {"error", "warning"}:
            self.messages.append(f"{message.type}: {message.text}")

    def unexpected(self) -> list[str]:
        return [text for text in self.messages if not any(part in text for part in self.expected)]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    path = shutil.which("chromium")
    assert path, "Chromium is missing: `make test` installs it, or `apt-get install chromium`"
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    limits = {"rate": 20.0, "burst": 20}
    settings = {"LEXGATE_BUDGET_RATE": "20", "LEXGATE_BUDGET_BURST": "20"}
    with running_gateway(
        "lexware", clock=MovingClock(0), settings=settings, sandbox_options=limits, webhooks=True
    ) as running:
        yield running


@pytest.fixture
def complaints() -> Iterator[Complaints]:
    complaints = Complaints()
    yield complaints
    assert complaints.unexpected() == []


@pytest.fixture
def new_page(chromium: Browser, running: Running, complaints: Complaints) -> Iterator[Callable[..., Page]]:
    """Give a function that opens pages of separate people; it takes what a context takes, and a width."""
    contexts: list[BrowserContext] = []

    def new_page(*, width: int = 1280, height: int = 900, **options: Any) -> Page:  # noqa: ANN401 - playwright's
        context = chromium.new_context(
            base_url=running.public_url,
            viewport={"width": width, "height": height},
            **{"locale": "en-GB", "timezone_id": "Europe/Berlin", **options},
        )
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        complaints.watch(page)
        page.on("filechooser", lambda _: None)  # on from here: switched on at the press, it is late at times
        return page

    yield new_page
    for context in contexts:
        context.close()
    running.sandbox.faults.clear()
    running.clock.now = 0


@pytest.fixture
def ledger(running: Running) -> Ledger:
    """Give the books of the organization that Anna signs in for."""
    return running.sandbox.books[ORGANIZATIONS[0].id]


def sign_in(page: Page, *, path: str = "/", user: str = "anna") -> None:
    """Sign in through the app's button and the sandbox's pages."""
    page.goto(path)
    page.get_by_role("button", name="lexoffice").click()
    page.get_by_test_id(f"user-{user}").click()
    page.get_by_test_id("allow").click()
    expect(page.get_by_test_id("user")).to_be_visible()


def imported(name: str) -> str:
    """Return the expression by which a page's script gets the app's own instance of a module of `app/`."""
    return f"import(new URL('{name}.js', document.querySelector('script[type=module]').src))"


def settle(page: Page) -> None:
    """Wait until nothing is loading; `networkidle` never comes, for a shared worker's file is never done."""
    expect(page.locator('[aria-busy="true"]')).to_have_count(0)


def look(page: Page, name: str) -> None:
    """Keep a screenshot where LEXGATE_SCREENSHOTS names a folder."""
    folder = os.environ.get("LEXGATE_SCREENSHOTS")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def axe_findings(page: Page, **options: Any) -> list[tuple[str, dict[str, Any]]]:  # noqa: ANN401 - axe's
    """Run axe-core on the page at rest, where nothing is half seen; each broken rule with its place."""
    assert AXE.is_file(), "axe-core is missing: `make test` installs it, or run `npm ci` in tests/node"
    if not page.evaluate("typeof window.axe === 'object'"):
        page.evaluate(AXE.read_text("utf-8"))
    page.evaluate(AT_REST)
    options = {"resultTypes": ["violations"], **options}
    found = page.evaluate("(options) => axe.run(document, options)", options)
    return [(violation["id"], node) for violation in found["violations"] for node in violation["nodes"]]


def axe_violations(page: Page) -> list[str]:
    """Return what axe-core finds, one line a place."""
    return [f"{rule}: {node['target']}" for rule, node in axe_findings(page)]
