"""A front-end developer's day: the app's dev server behind the gateway, changed, stopped and started."""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import MovingClock, look
from tests.support.ports import free_port
from tests.support.running import running_gateway
from tests.support.vite import copy, running_vite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.browser.conftest import Complaints
    from tests.support.running import Running


@dataclass
class DevServer:
    """A copy of the example and its dev server, which can be stopped."""

    folder: Path
    port: int = field(default_factory=free_port)
    stack: ExitStack = field(default_factory=ExitStack)

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def start(self) -> None:
        self.stack.enter_context(running_vite(self.folder, port=self.port))

    def change(self, name: str, before: str, after: str) -> None:
        """Change a text of a file of the app."""
        path = self.folder / "src" / name
        text = path.read_text("utf-8")
        assert before in text
        path.write_text(text.replace(before, after), "utf-8")


@pytest.fixture(scope="module")
def dev_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DevServer]:
    server = DevServer(copy(tmp_path_factory.mktemp("app")))
    server.start()
    yield server
    server.stack.close()


@pytest.fixture(scope="module")
def running(dev_server: DevServer) -> Iterator[Running]:
    with running_gateway(
        "lexware", clock=MovingClock(0), webhooks=True, dev_server=dev_server.url
    ) as running:
        yield running


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    page = new_page()
    page.goto("/auth/login?return_to=/")
    page.get_by_test_id("user-anna").click()
    page.get_by_test_id("allow").click()
    expect(page.get_by_test_id("contacts").get_by_role("listitem")).to_have_count(25)
    return page


def test_a_changed_component_shows_without_a_reload_and_the_session_goes_on(
    page: Page, dev_server: DevServer
) -> None:
    wanted = page.get_by_role("searchbox")
    wanted.fill("gmbh")
    page.evaluate("window.sameDocument = true")
    cookies = page.context.cookies()
    began = time.perf_counter()
    dev_server.change("Contacts.tsx", "<h1>Contacts</h1>", "<h1>Customers and vendors</h1>")
    expect(page.get_by_role("heading", name="Customers and vendors")).to_be_visible()
    sys.stdout.write(f"\nfrom the changed file to the changed page: {time.perf_counter() - began:.2f} s\n")
    assert page.evaluate("window.sameDocument") is True
    expect(wanted).to_have_value("gmbh")
    expect(page.get_by_test_id("user")).to_have_text("Anna Petersen")
    assert page.context.cookies() == cookies
    dev_server.change("app.css", "max-width: 42rem", "max-width: 30rem")
    expect(page.get_by_role("main")).to_have_css("max-width", "480px")
    assert page.evaluate("window.sameDocument") is True


def test_a_dev_server_that_is_stopped_is_missed_by_a_page_that_gives_way_when_it_is_back(
    page: Page, dev_server: DevServer, complaints: Complaints
) -> None:
    complaints.expected += ["[vite]", "WebSocket connection", "Failed to load resource", "TrustedScriptURL"]
    page.evaluate("window.sameDocument = true")
    dev_server.stack.close()
    late = page.context.new_page()
    late.goto("/contacts")
    expect(late.get_by_role("heading", name="The dev server is not running")).to_be_visible()
    expect(late.get_by_text(f"Nothing answers at {dev_server.url}.")).to_be_visible()
    look(late, "dev-server-missing")
    # The page that was open waits for it in a worker, and then loads anew.
    with page.expect_event("domcontentloaded"):
        dev_server.start()
    expect(late.get_by_test_id("user")).to_have_text("Anna Petersen")
    assert page.evaluate("window.sameDocument") is None
    expect(page.get_by_test_id("user")).to_have_text("Anna Petersen")
