"""The main jobs, done by keys alone: only what has the focus is pressed, and the focus is never lost."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import FilePayload, Locator, Page, expect

from tests.browser.conftest import sign_in
from tests.browser.invoices import box, made, offered

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.running import Running

MOST_STOPS = 120
HAS_FOCUS = "(element) => element === document.activeElement"


def reach(page: Page, target: Locator, *, backwards: bool = False) -> None:
    """Press the tabulator key until the target has the focus."""
    expect(target).to_be_attached()
    for _ in range(MOST_STOPS):
        if target.evaluate(HAS_FOCUS):
            return
        page.keyboard.press("Shift+Tab" if backwards else "Tab")
    raise AssertionError(f"{target} is not reached by the tabulator key")


def press(page: Page, target: Locator, key: str = "Enter", *, backwards: bool = False) -> None:
    reach(page, target, backwards=backwards)
    page.keyboard.press(key)


def sign_in_by_keys(page: Page, path: str = "/") -> None:
    page.goto(path)
    press(page, page.get_by_role("button", name="Sign in with lexoffice"))
    press(page, page.get_by_test_id("user-anna"))
    press(page, page.get_by_test_id("allow"))
    expect(page.get_by_test_id("user")).to_be_visible()


def heading_has_focus(page: Page, name: str | re.Pattern[str]) -> None:
    heading = page.get_by_role("heading", level=1, name=name)
    expect(heading).to_be_visible()
    expect(heading).to_be_focused()


def test_one_signs_in_and_finds_a_voucher_and_its_pdf(new_page: Callable[..., Page]) -> None:
    page = new_page()
    sign_in_by_keys(page)
    press(page, page.get_by_role("navigation").get_by_role("link", name="Vouchers"))
    heading_has_focus(page, "Vouchers")
    reach(page, page.get_by_role("searchbox"))
    page.keyboard.type("RE10")
    link = page.get_by_test_id("vouchers").get_by_role("link", name=re.compile("^RE10")).first
    expect(page.get_by_test_id("count")).not_to_have_text(re.compile("of 5"))
    press(page, link)
    heading_has_focus(page, re.compile("RE10"))
    with page.context.expect_event("response", lambda answer: answer.url.endswith("/file")) as opened:
        press(page, page.get_by_test_id("pdf-open"))
    assert opened.value.headers["content-type"] == "application/pdf"


def test_the_skip_link_leads_past_the_header(new_page: Callable[..., Page]) -> None:
    page = new_page()
    sign_in(page, path="/contacts")
    expect(page.get_by_test_id("contacts")).to_be_visible()
    page.evaluate("document.activeElement?.blur()")
    press(page, page.get_by_role("link", name="Skip to content"))
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")


def test_the_way_back_leads_to_the_heading(new_page: Callable[..., Page]) -> None:
    page = new_page()
    sign_in(page, path="/vouchers")
    press(page, page.get_by_test_id("vouchers").get_by_role("link", name=re.compile("^RE")).first)
    expect(page.get_by_test_id("voucher-total")).to_be_visible()
    page.go_back()
    expect(page.get_by_test_id("vouchers")).to_be_visible()
    heading_has_focus(page, "Vouchers")


def test_a_receipt_is_sent(new_page: Callable[..., Page], running: Running) -> None:
    page = new_page()
    sign_in(page, path="/contacts")
    press(page, page.get_by_role("navigation").get_by_role("link", name="Receipts"))
    heading_has_focus(page, "Receipts")
    with page.expect_file_chooser() as chooser:
        press(page, page.locator("#choose-files"))
    before = len(running.sandbox.books_of("nordlicht").files)
    chooser.value.set_files(
        [FilePayload(name="quittung.pdf", mimeType="application/pdf", buffer=b"%PDF-1.4\n%%EOF\n")]
    )
    expect(page.locator("[data-testid=receipt][data-state=done]")).to_have_count(1)
    assert len(running.sandbox.books_of("nordlicht").files) == before + 1
    press(page, page.get_by_role("button", name=re.compile("Remove")).first)
    expect(page.get_by_test_id("receipt")).to_have_count(0)
    assert page.evaluate("document.activeElement !== document.body"), "the focus is not lost with the row"


def test_another_session_is_ended(new_page: Callable[..., Page], running: Running) -> None:
    page, elsewhere = new_page(), new_page()
    sign_in(elsewhere, path="/contacts")
    sign_in(page, path="/contacts")
    press(page, page.get_by_test_id("user"))
    press(page, page.get_by_test_id("menu").get_by_role("link", name="Your sessions"))
    heading_has_focus(page, "Your sessions")
    press(page, page.get_by_test_id("end-others"))
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).not_to_be_visible()
    expect(page.get_by_test_id("end-others")).to_be_focused()
    page.keyboard.press("Enter")
    press(page, dialog.get_by_role("button", name=re.compile("^End")))
    expect(page.get_by_test_id("only")).to_be_visible()
    assert page.evaluate("document.activeElement !== document.body"), "the focus is not lost with the button"
    expect(elsewhere.get_by_role("button", name="lexoffice")).to_be_visible()
    assert running.public_url in page.url


def test_the_menu_opens_and_closes_and_gives_the_focus_back(new_page: Callable[..., Page]) -> None:
    page = new_page()
    sign_in(page, path="/contacts")
    button, menu = page.get_by_test_id("user"), page.get_by_test_id("menu")
    press(page, button, "Space")
    expect(menu).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    expect(menu).not_to_be_visible()
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    press(page, menu.get_by_role("button", name="Sign out"))
    expect(page.get_by_role("button", name="Sign in with lexoffice")).to_be_visible()


@pytest.mark.parametrize("width", [1280, 320])
def test_the_language_and_the_appearance_are_chosen(new_page: Callable[..., Page], width: int) -> None:
    page = new_page(width=width)
    sign_in(page, path="/contacts")
    press(page, page.get_by_test_id("user"))
    reach(page, page.locator("#language"))
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("heading", level=1)).to_have_text("Kontakte")
    assert page.evaluate("document.documentElement.lang") == "de"
    expect(page.locator("#language")).to_be_focused()
    reach(page, page.locator("#theme"))
    page.keyboard.press("End")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("Kontakte")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_an_invoice_is_written(new_page: Callable[..., Page], running: Running) -> None:
    page = new_page()
    sign_in(page, path="/contacts")
    press(page, page.get_by_role("navigation").get_by_role("link", name="New invoice"))
    heading_has_focus(page, "New invoice")
    reach(page, page.locator("#contact"))
    page.keyboard.type("Alsterblick")
    expect(offered(page)).to_have_count(1)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("chosen-contact")).to_contain_text("Hotel Alsterblick GmbH")
    for name, text in (("name", "Lampen geputzt"), ("quantity", "3"), ("price", "12")):
        reach(page, box(page, name))
        page.keyboard.press("Control+a")
        page.keyboard.type(text)
    expect(page.get_by_test_id("amount")).to_contain_text("36")
    press(page, page.get_by_test_id("send-draft"))
    heading_has_focus(page, re.compile("^Invoice"))
    (voucher,) = made(running, "Lampen geputzt")
    assert (voucher.status, voucher.net) == ("draft", 3600)


def test_what_is_wrong_in_an_invoice_has_the_focus(new_page: Callable[..., Page]) -> None:
    page = new_page()
    sign_in(page, path="/invoices/new")
    press(page, page.get_by_test_id("send-final"))
    expect(page.get_by_test_id("problems")).to_be_visible()
    expect(page.locator("#contact")).to_be_focused()
    press(page, page.get_by_test_id("problems").get_by_role("link").nth(1), backwards=True)
    expect(box(page, "name")).to_be_focused()
