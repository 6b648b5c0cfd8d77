"""The frame around every view: how one gets from view to view, and what is told meanwhile."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import axe_violations, imported, look, settle, sign_in
from tests.browser.test_waiting import Held

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.conftest import Complaints

THEMES = [("light", "de-DE"), ("dark", "en-GB")]
WIDTHS = (1280, 768, 360)


def heading(page: Page) -> str:
    return page.get_by_role("heading", level=1).text_content() or ""


def look_everywhere(page: Page, name: str) -> None:
    """Judge a page at all widths, and keep a screenshot of each."""
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        look(page, f"{name}-{width}")
        assert axe_violations(page) == [], width
    page.set_viewport_size({"width": 320, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    page.set_viewport_size({"width": 1280, "height": 900})


def test_a_view_that_cannot_be_loaded_says_so_and_can_be_asked_for_again(
    new_page: Callable[..., Page], complaints: Complaints
) -> None:
    complaints.expected.append("ERR_FAILED")
    page = new_page()
    sign_in(page, path="/sessions")
    page.route("**/app/views/contacts.js", lambda route: route.abort())
    page.get_by_role("link", name="Contacts").click()
    fault = page.get_by_test_id("view-error")
    expect(fault).to_be_visible()
    assert page.evaluate("document.activeElement.tagName") == "H1"
    look_everywhere(page, "view-error")
    page.unroute("**/app/views/contacts.js")
    fault.get_by_role("button").click()
    expect(page.get_by_test_id("contacts")).to_be_visible()


def test_a_view_of_another_version_than_the_page_offers_a_new_page_at_once(
    new_page: Callable[..., Page], complaints: Complaints
) -> None:
    complaints.expected.append("does not provide an export named")
    page = new_page()
    sign_in(page, path="/sessions")
    module = "import { later } from '../dom.js'; export const contactsView = later;"
    page.route(
        "**/app/views/contacts.js", lambda route: route.fulfill(body=module, content_type="text/javascript")
    )
    page.get_by_role("link", name="Contacts").click()
    fault = page.get_by_test_id("view-error")
    expect(fault).to_be_visible()
    page.unroute("**/app/views/contacts.js")
    fault.get_by_role("button", name="Reload").click()
    expect(page.get_by_test_id("contacts")).to_be_visible()


def test_a_style_that_cannot_be_loaded_is_no_page_without_style(
    new_page: Callable[..., Page], complaints: Complaints
) -> None:
    complaints.expected.append("503")
    page = new_page()
    sign_in(page, path="/contacts")
    page.route("**/styles/sessions.css", lambda route: route.fulfill(status=503))
    page.get_by_test_id("user").click()
    page.get_by_role("link", name="Your sessions").click()
    expect(page.get_by_test_id("view-error")).to_be_visible()
    page.unroute("**/styles/sessions.css")
    page.get_by_test_id("view-error").get_by_role("button").click()
    expect(page.get_by_test_id("sessions")).to_be_visible()


def test_the_old_view_stays_until_the_new_one_is_there_and_a_line_tells_that_it_comes(
    new_page: Callable[..., Page],
) -> None:
    page = new_page()
    sign_in(page, path="/sessions")
    expect(page.get_by_test_id("sessions")).to_be_visible()
    held = Held(page, "**/app/views/contacts.js")
    page.get_by_role("link", name="Contacts").click()
    expect(page.get_by_test_id("progress")).to_be_visible()
    assert heading(page) == "Your sessions"
    held.routes[0].continue_()
    expect(page.get_by_test_id("contacts")).to_be_visible()
    expect(page.get_by_test_id("progress")).not_to_be_visible()


def test_of_quick_navigations_the_last_one_counts(new_page: Callable[..., Page]) -> None:
    page = new_page()
    sign_in(page, path="/sessions")
    held = Held(page, "**/app/views/contacts.js")
    page.get_by_role("link", name="Contacts").click()
    held.wait_for(1)
    page.get_by_role("link", name="Vouchers").click()
    expect(page.get_by_test_id("vouchers")).to_be_visible()
    with page.expect_response("**/app/views/contacts.js") as answered:
        held.routes[0].continue_()
    answered.value.finished()
    settle(page)
    assert heading(page) == "Vouchers"
    expect(page).to_have_title(re.compile("^Vouchers"))
    expect(page.get_by_role("link", name="Vouchers")).to_have_attribute("aria-current", "page")


def test_who_goes_back_is_where_they_were(new_page: Callable[..., Page]) -> None:
    page = new_page(height=500)
    sign_in(page, path="/vouchers")
    link = page.get_by_test_id("vouchers").get_by_role("link").nth(20)
    link.scroll_into_view_if_needed()
    before = page.evaluate("scrollY")
    assert before > 300
    link.click()
    expect(page.get_by_test_id("vouchers")).not_to_be_attached()
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    assert page.evaluate("scrollY") == 0
    page.go_back()
    expect(page.get_by_test_id("vouchers")).to_be_visible()
    page.wait_for_function("(top) => Math.abs(scrollY - top) < 5", arg=before)
    page.reload()
    page.wait_for_function("(top) => Math.abs(scrollY - top) < 5", arg=before)


def test_skipping_to_the_content_is_no_navigation(new_page: Callable[..., Page]) -> None:
    page = new_page()
    sign_in(page, path="/sessions")
    expect(page.get_by_test_id("sessions")).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    assert page.url.endswith("/sessions")


@pytest.mark.parametrize(("scheme", "locale"), THEMES)
def test_the_persons_menu_works_by_keyboard_at_any_width(
    new_page: Callable[..., Page], scheme: str, locale: str
) -> None:
    page = new_page(color_scheme=scheme, locale=locale)
    sign_in(page, path="/nowhere")
    button, menu = page.get_by_test_id("user"), page.get_by_test_id("menu")
    for width in (*WIDTHS, 320):
        page.set_viewport_size({"width": width, "height": 800})
        button.focus()
        page.keyboard.press("Enter")
        expect(menu).to_be_visible()
        expect(button).to_have_attribute("aria-expanded", "true")
        expect(menu).to_contain_text("anna.petersen@")
        look(page, f"menu-{scheme}-{width}")
        assert axe_violations(page) == [], width
        assert page.evaluate("document.documentElement.scrollWidth") == width
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.pathname") == "/sessions"
        page.keyboard.press("Escape")
        expect(menu).not_to_be_visible()
        expect(button).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Shift+Tab")
    expect(menu).not_to_be_visible()


def test_another_language_is_chosen_in_the_menu_and_the_focus_stays_there(
    new_page: Callable[..., Page],
) -> None:
    page = new_page(locale="de-DE")
    sign_in(page, path="/sessions")
    page.get_by_test_id("user").click()
    page.get_by_label("Sprache").select_option("en")
    expect(page.get_by_label("Language")).to_be_focused()
    assert heading(page) == "Your sessions"
    expect(page.locator("html")).to_have_attribute("lang", "en")


@pytest.mark.parametrize("width", [1280, 360])
def test_a_new_invoice_is_one_step_away(new_page: Callable[..., Page], width: int) -> None:
    page = new_page(width=width, height=800)
    sign_in(page, path="/contacts")
    page.get_by_role("link", name="New invoice").click()
    expect(page).to_have_url(re.compile("/invoices/new$"))
    expect(page.get_by_role("link", name="New invoice")).to_have_attribute("aria-current", "page")


def test_what_has_the_focus_is_not_under_what_is_told(new_page: Callable[..., Page]) -> None:
    page = new_page(width=320, height=640)
    sign_in(page, path="/vouchers")
    settle(page)
    link = page.get_by_test_id("vouchers").get_by_role("link").nth(5)
    link.evaluate("element => scrollTo(0, element.getBoundingClientRect().top + scrollY - innerHeight + 130)")
    link.focus()
    page.evaluate(
        f"{imported('notices')}.then((notices) => notices.showEnding({{ inSeconds: 60, reason: 'idle' }}))"
    )
    expect(page.get_by_test_id("ending")).to_be_visible()
    page.wait_for_function(
        """() => {
          const { x, y, width, height } = document.activeElement.getBoundingClientRect();
          return document.elementFromPoint(x + width / 2, y + height / 2) === document.activeElement;
        }"""
    )
