"""A page that is open while the gateway becomes another version, whose app has changed."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from gateway import web_app
from gateway.parts import shipped_spa
from tests.browser.conftest import MovingClock, sign_in
from tests.support.running import Running, running_gateway

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.browser.conftest import Complaints


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a copy of the shipped app, for the tests to change."""
    return shutil.copytree(shipped_spa(), tmp_path_factory.mktemp("place") / "spa")


@pytest.fixture(scope="module")
def running(app: Path) -> Iterator[Running]:
    """Run a gateway that ships this copy."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(web_app, "shipped_spa", lambda: app)
        with running_gateway("lexware", clock=MovingClock(0)) as running:
            yield running


def add(file: Path, *, before: str = "", behind: str = "") -> None:
    file.write_text(f"{before}{file.read_text('utf-8')}{behind}", encoding="utf-8")


def prefix_of(page: Page) -> str:
    return str(page.evaluate("document.querySelector('script[type=module]').src")).rsplit("/", 2)[0]


def test_a_page_of_before_goes_on_with_what_fits_and_asks_to_be_loaded_anew_for_what_does_not(
    new_page: Callable[..., Page], app: Path, complaints: Complaints
) -> None:
    complaints.expected.append("does not provide an export named")
    page = new_page()
    sign_in(page, path="/sessions")
    before = prefix_of(page)
    add(app / "app/views/contacts.js", behind="export const changed = 1;\n")
    page.get_by_role("link", name="Contacts").click()
    expect(page.get_by_test_id("contacts")).to_be_visible()
    add(app / "app/dom.js", behind="export const fresh = 1;\n")
    add(app / "app/views/vouchers.js", before="import { fresh } from '../dom.js';\n", behind="void fresh;\n")
    page.get_by_role("link", name="Vouchers").click()
    fault = page.get_by_test_id("view-error")
    expect(fault).to_contain_text("there is a new version of this page")
    fault.get_by_role("button", name="Reload the page").click()
    expect(page.get_by_test_id("vouchers")).to_be_visible()
    assert prefix_of(page) != before


def test_a_change_shows_on_reload(new_page: Callable[..., Page], app: Path) -> None:
    page = new_page()
    page.goto("/")
    expect(page.get_by_role("button", name="lexoffice")).to_be_visible()
    add(app / "app/main.js", behind="document.body.dataset.changed = 'yes';\n")
    add(app / "styles/base.css", behind="h1 { letter-spacing: 7px; }\n")
    page.reload()
    expect(page.locator("body")).to_have_attribute("data-changed", "yes")
    expect(page.locator("h1")).to_have_css("letter-spacing", "7px")
