"""Filters that a person names: one click away, their own, and harmless whatever the browser stores."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import axe_violations, look, sign_in

if TYPE_CHECKING:
    from collections.abc import Callable

OWN = ".named-filter.own"


def save(page: Page, name: str) -> None:
    page.get_by_test_id("filter-save").click()
    page.get_by_label("Name of the filter").fill(name)
    page.keyboard.press("Enter")


def chip(page: Page, name: str) -> Locator:
    return page.get_by_test_id("filters").get_by_role("link", name=name, exact=True)


def test_a_filter_that_was_named_survives_a_reload_and_is_one_click_away(
    new_page: Callable[..., Page],
) -> None:
    page = new_page()
    sign_in(page, path="/vouchers")
    page.get_by_label("Type").select_option("invoice")
    page.get_by_label("Status").select_option("paid")
    page.get_by_label("Voucher date").select_option("this-year")
    page.get_by_test_id("filter-save").click()
    name = page.get_by_label("Name of the filter")
    expect(name).to_be_focused()
    expect(name).to_have_value("Invoice, Paid, This year")
    name.fill("  Paid   this year ")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="is saved in this browser")).to_be_visible()
    expect(chip(page, "Paid this year")).to_have_attribute("aria-current", "true")
    page.goto("/vouchers")
    expect(chip(page, "Paid this year")).not_to_have_attribute("aria-current", "true")
    chip(page, "Paid this year").click()
    expect(page).to_have_url(re.compile(r"\?type=invoice&status=paid&period=this-year$"))
    expect(page.get_by_label("Status")).to_have_value("paid")
    expect(page.locator(".pill").first).to_have_text("Paid")
    assert set(page.locator("tbody .pill").all_inner_texts()) == {"Paid"}
    chip(page, "Overdue").click()
    expect(page).to_have_url(re.compile(r"\?type=revenue&status=overdue$"))
    expect(page.locator("tbody .pill").first).to_have_text("Overdue")
    page.go_back()
    expect(page.get_by_label("Status")).to_have_value("paid")


def test_filters_are_renamed_and_deleted_by_the_keyboard(new_page: Callable[..., Page]) -> None:
    page = new_page()
    sign_in(page, path="/vouchers?status=draft")
    expect(page.get_by_test_id("filter-edit")).to_be_hidden()
    for name in ("One", "Two"):
        page.get_by_test_id("filter-save").press("Enter")
        page.keyboard.type(name)
        page.keyboard.press("Enter")
        expect(page.get_by_test_id("filter-save")).to_be_focused()
    page.get_by_test_id("filter-edit").press("Enter")
    expect(page.get_by_label("Name of “One”")).to_be_focused()
    page.keyboard.press("Control+a")
    page.keyboard.type("Two")
    page.keyboard.press("Enter")
    expect(
        page.get_by_role("status").filter(has_text="There is a filter named “Two” already")
    ).to_be_visible()
    expect(page.get_by_label("Name of “One”")).to_have_value("One")
    page.keyboard.press("Control+a")
    page.keyboard.type("Erste")
    page.keyboard.press("Enter")
    expect(chip(page, "Erste")).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(OWN)).to_have_text(["Two"])
    expect(page.get_by_role("button", name="Delete “Two”")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(OWN)).to_have_count(0)
    expect(page.get_by_test_id("filter-save")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("filter-save")).to_be_focused()


def test_each_person_has_their_own_filters_and_finds_them_again_after_signing_out(
    new_page: Callable[..., Page],
) -> None:
    page = new_page()
    sign_in(page, path="/vouchers?status=draft")
    save(page, "Annas")
    expect(chip(page, "Annas")).to_be_visible()
    sign_out(page)
    sign_in_as(page, "jonas")
    expect(chip(page, "All")).to_be_visible()
    expect(page.locator(OWN)).to_have_count(0)
    sign_out(page)
    sign_in_as(page, "anna")
    expect(page.locator(OWN)).to_have_text(["Annas"])


def sign_in_as(page: Page, user: str) -> None:
    """Sign in where the authorization server still knows somebody."""
    page.goto("/auth/login?return_to=/vouchers&prompt=login")
    page.get_by_test_id(f"user-{user}").click()
    page.get_by_test_id("allow").click()


def sign_out(page: Page) -> None:
    page.get_by_test_id("user").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in with lexoffice")).to_be_visible()


GARBAGE = (
    "not JSON",
    "null",
    '{"name": "x"}',
    '[1, null, "x", {}, {"name": 5, "query": "x"}, {"name": "x"}, {"name": "  ", "query": ""}]',
    json.dumps([{"name": "long", "query": "q" * 501}]),
)


@pytest.mark.parametrize("garbage", GARBAGE)
def test_storage_that_holds_garbage_does_no_harm(new_page: Callable[..., Page], garbage: str) -> None:
    page = new_page()
    sign_in(page, path="/vouchers")
    plant(page, garbage)
    expect(chip(page, "Overdue")).to_be_visible()
    expect(page.locator(OWN)).to_have_count(0)
    save(page, "New")
    expect(page.locator(OWN)).to_have_text(["New"])


def plant(page: Page, stored: str) -> None:
    """Store something in place of the person's filters, as another script or version may."""
    page.evaluate(
        "(text) => fetch('/auth/session').then((answer) => answer.json())"
        ".then(({subject}) => localStorage.setItem(`lexgate.filters.${subject}`, text))",
        stored,
    )
    page.reload()


def test_a_stored_filter_leads_nowhere_but_to_vouchers_and_there_are_no_more_than_twenty(
    new_page: Callable[..., Page],
) -> None:
    page = new_page()
    sign_in(page, path="/vouchers")
    odd = {"name": "<img src=x onerror=alert(1)>", "query": "javascript:alert(1)//&type=evil&status=draft"}
    plant(page, json.dumps([odd, *({"name": f"F {n}", "query": f"q={n}"} for n in range(30))]))
    expect(page.locator(OWN)).to_have_count(20)
    assert chip(page, odd["name"]).get_attribute("href") == "/vouchers?status=draft"
    save(page, "One more")
    expect(page.get_by_role("status").filter(has_text="No more than 20 filters")).to_be_visible()
    expect(page.locator(OWN)).to_have_count(20)


@pytest.mark.parametrize(
    "broken",
    [
        "Storage.prototype.setItem = () => { throw new DOMException('', 'QuotaExceededError'); }",
        "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException(); } })",
    ],
    ids=["full", "off"],
)
def test_without_storage_a_filter_holds_until_the_page_is_left(
    new_page: Callable[..., Page], broken: str
) -> None:
    page = new_page()
    sign_in(page, path="/vouchers?status=draft")
    page.add_init_script(broken)
    page.reload()
    save(page, "Mine")
    expect(page.get_by_role("status").filter(has_text="This browser saves nothing")).to_be_visible()
    page.get_by_role("link", name="Contacts").first.click()
    page.get_by_role("link", name="Vouchers").first.click()
    expect(page.locator(OWN)).to_have_text(["Mine"])


@pytest.mark.parametrize(("scheme", "locale"), [("light", "de-DE"), ("dark", "en-GB")])
def test_the_list_is_accessible_with_its_filters_being_edited(
    new_page: Callable[..., Page], scheme: str, locale: str
) -> None:
    page = new_page(color_scheme=scheme, locale=locale)
    sign_in(page, path="/vouchers?type=revenue&due=1-30")
    page.get_by_test_id("filter-save").click()
    look(page, f"books-saving-{scheme}")
    assert axe_violations(page) == []
    page.keyboard.press("Enter")
    page.get_by_test_id("filter-edit").click()
    for width in (1280, 768, 360, 320):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.locator("main").evaluate("element => element.scrollWidth") <= width
        look(page, f"books-editing-{scheme}-{width}")
        assert axe_violations(page) == []
