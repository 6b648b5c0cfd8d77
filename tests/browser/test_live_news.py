"""What changes at lexoffice is told in words, for a while and then in a list, and is in nobody's way."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.books import Books
from tests.browser.conftest import axe_violations, imported, settle
from tests.browser.test_house import THEMES, look_everywhere
from tests.browser.test_live import follow, show

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.running import Running

COVERED = """() => {
  const at = document.activeElement.getBoundingClientRect();
  return [...document.querySelectorAll('.toast')].some((toast) => {
    const over = toast.getBoundingClientRect();
    return over.height > 0 && at.top < over.bottom && at.bottom > over.top;
  });
}"""


@pytest.fixture
def books(running: Running) -> Books:
    return Books(running)


def reader(new_page: Callable[..., Page], path: str = "/vouchers", **options: object) -> Page:
    """Open the app, with the clock of its timers in the test's hands, once news are listened to."""
    page = new_page(**options)
    follow(page, path)
    expect(page.get_by_test_id("news")).to_be_visible()
    settle(page)
    return page


def toasts(page: Page) -> Locator:
    return page.get_by_test_id("toast")


@pytest.mark.parametrize(("scheme", "locale"), THEMES)
def test_a_payment_is_told_by_name_and_leads_to_the_invoice(
    new_page: Callable[..., Page], books: Books, scheme: str, locale: str
) -> None:
    invoice = books.change("add_random_invoice")
    page = reader(new_page, color_scheme=scheme, locale=locale)
    toasts(page).first.hover() if toasts(page).count() else None
    books.change("pay", voucher_id=invoice["id"])
    told = {
        "de-DE": f"Rechnung {invoice['voucherNumber']} wurde bezahlt",
        "en-GB": f"Invoice {invoice['voucherNumber']} was paid",
    }[locale]
    link = toasts(page).get_by_role("link", name=told)
    expect(link).to_be_visible()
    link.focus()  # it stays as long as it has the focus
    expect(page.locator("#news-said")).to_contain_text(told)
    look_everywhere(page, f"toast-{scheme}")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"/vouchers/invoice/{invoice['id']}$"))
    expect(link).not_to_be_attached()


def test_many_changes_at_once_are_one_piece_of_news(new_page: Callable[..., Page], books: Books) -> None:
    page = reader(new_page)
    for _ in range(4):
        books.change("add_random_invoice")
    many = toasts(page).filter(has_text=re.compile(r"^\d vouchers were created"))
    expect(many.first).to_be_visible()
    assert toasts(page).count() <= 3


def test_news_are_closed_by_keyboard_and_kept_in_the_list(
    new_page: Callable[..., Page], books: Books
) -> None:
    page = reader(new_page)
    page.get_by_role("searchbox").first.focus()
    number = books.change("add_random_invoice")["voucherNumber"]
    toast = toasts(page).filter(has_text=number)
    toast.get_by_role("button").focus()
    page.keyboard.press("Escape")
    expect(toast).not_to_be_attached()
    expect(page.get_by_role("searchbox").first).to_be_focused()
    bell = page.get_by_role("button", name="News, 1 new")
    bell.click()
    news = page.get_by_test_id("news-list")
    expect(news.get_by_role("link", name=f"Invoice {number} was created")).to_be_visible()
    expect(news).to_contain_text("just now")
    expect(page.get_by_test_id("news")).to_have_attribute("aria-label", "News")
    look_everywhere(page, "news")


def test_they_go_by_themselves_but_not_while_somebody_reads(
    new_page: Callable[..., Page], books: Books
) -> None:
    page = new_page()
    page.clock.install()
    follow(page, "/vouchers")
    expect(page.get_by_test_id("news")).to_be_visible()
    settle(page)
    books.change("add_random_invoice")
    expect(page.locator("[data-fresh]")).to_have_count(1)
    page.clock.run_for(2000)
    expect(toasts(page)).to_have_count(1)
    toasts(page).get_by_role("link").focus()
    page.clock.run_for(30_000)
    expect(toasts(page)).to_have_count(1)
    page.get_by_role("searchbox").first.focus()
    page.clock.run_for(9000)
    expect(toasts(page)).to_have_count(0)


def test_who_wants_none_switches_them_off_for_good(new_page: Callable[..., Page], books: Books) -> None:
    page = reader(new_page)
    page.get_by_test_id("news").click()
    page.get_by_role("switch").uncheck()
    page.reload()
    expect(page.get_by_test_id("news")).to_be_visible()
    settle(page)
    number = books.change("add_random_invoice")["voucherNumber"]
    expect(page.get_by_role("button", name="News, 1 new")).to_be_visible()
    assert toasts(page).count() == 0
    page.get_by_test_id("news").click()
    expect(page.get_by_role("switch")).not_to_be_checked()
    expect(page.get_by_test_id("news-list")).to_contain_text(number)


def test_what_one_has_done_oneself_is_no_news(new_page: Callable[..., Page], books: Books) -> None:
    invoice = books.change("add_random_invoice")
    page = reader(new_page)
    page.evaluate(f"(id) => {imported('names')}.then((names) => names.noteOwn(id))", invoice["id"])
    books.change("pay", voucher_id=invoice["id"])
    number = books.change("add_random_invoice")["voucherNumber"]
    expect(toasts(page).filter(has_text=number)).to_be_visible()
    assert toasts(page).filter(has_text=invoice["voucherNumber"] + " was paid").count() == 0


def test_they_never_lie_over_what_has_the_focus(new_page: Callable[..., Page], books: Books) -> None:
    page = reader(new_page, width=320, height=640)
    link = page.get_by_test_id("vouchers").get_by_role("link").nth(5)
    link.evaluate("element => scrollTo(0, element.getBoundingClientRect().top + scrollY - innerHeight + 130)")
    link.focus()
    books.change("add_random_invoice")
    expect(toasts(page).first).to_be_attached()
    page.wait_for_function("() => document.getElementById('notices').dataset.place !== undefined")
    assert not page.evaluate(COVERED)
    assert axe_violations(page) == []


def test_what_came_while_nobody_looked_is_in_the_list_alone(
    new_page: Callable[..., Page], books: Books
) -> None:
    page = reader(new_page)
    show(page, "hidden")
    books.change("add_random_invoice")
    expect(page.get_by_test_id("news")).to_have_attribute("aria-label", "News, 1 new")
    show(page, "visible")
    assert toasts(page).count() == 0
