"""The sandbox's front page in a real Chromium: a person changes the books on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import axe_violations, look, sign_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.running import Running


def first_open(page: Page) -> Locator:
    return page.get_by_test_id("invoice").filter(has=page.get_by_test_id("pay")).first


@pytest.mark.parametrize(
    ("width", "scheme", "locale"),
    [(1280, "light", "en-GB"), (1280, "dark", "de-DE"), (360, "light", "de-DE"), (360, "dark", "en-GB")],
)
def test_a_person_adds_pays_and_voids_invoices(
    new_page: Callable[..., Page], running: Running, width: int, scheme: str, locale: str
) -> None:
    page = new_page(width=width, color_scheme=scheme, locale=locale)
    page.goto(running.sandbox_url)
    page.get_by_test_id("add-random").click()
    expect(page.get_by_test_id("notice")).to_be_in_viewport()
    page.get_by_test_id("new-invoice").get_by_role("textbox").fill("12,50")
    page.get_by_test_id("add").click()
    row = first_open(page)
    expect(row).to_contain_text("12,50" if locale == "de-DE" else "12.50")
    row.get_by_role("textbox").fill("2,5")
    row.get_by_test_id("pay").click()
    row = first_open(page)
    expect(row).to_contain_text("10,00" if locale == "de-DE" else "10.00")
    expect(row.get_by_test_id("void")).to_have_count(0)
    row.get_by_test_id("pay").click()
    page.get_by_test_id("void").first.click()
    expect(page.get_by_test_id("notice")).to_be_in_viewport()
    look(page, f"sandbox-{width}-{scheme}")
    assert axe_violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width

    first_open(page).get_by_role("textbox").fill("9999999")
    first_open(page).get_by_test_id("pay").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.locator("summary").last.click()
    assert axe_violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_person_ends_a_connection_and_moves_the_clock(
    new_page: Callable[..., Page], running: Running
) -> None:
    app = new_page()
    sign_in(app, user="jonas")
    page = new_page()
    page.goto(f"{running.sandbox_url}/?organization=nordlicht")
    page.get_by_test_id("organization-rebenhof").click()
    connections = page.get_by_test_id("connection")
    before = connections.count()
    connections.last.get_by_test_id("end").click()
    expect(connections).to_have_count(before - 1)
    page.get_by_test_id("ahead-86400").click()
    expect(page.locator("#clock")).to_contain_text("24 h ahead")
    assert axe_violations(page) == []
    page.get_by_test_id("ahead-0").click()
    assert running.sandbox.clock_offset == 0
