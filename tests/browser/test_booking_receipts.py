"""A receipt is added to the booking that is there already, where a file sent alone would make another one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playwright.sync_api import Page, expect

from tests.browser.conftest import axe_violations, look, sign_in
from tests.browser.test_receipts import choose, in_state, payload, pdf, png, row

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.sandbox.books.ledger import Books
    from tests.browser.conftest import Complaints
    from tests.support.running import Running

BOOKINGS = "/vouchers?type=purchaseinvoice"


def open_receipts_of_a_booking(page: Page) -> str:
    """Go from the first booking on the list to its receipts; return the booking's id."""
    sign_in(page, path=BOOKINGS)
    page.get_by_test_id("vouchers").get_by_role("link").first.click()
    page.get_by_test_id("add-receipt").click()
    expect(page.get_by_test_id("booking")).to_have_text(re.compile(r"^Purchase invoice \S+$"))
    found = re.search(r"booking=purchaseinvoice/([0-9a-f-]{36})$", page.url)
    assert found
    return found[1]


def test_a_receipt_is_added_to_its_booking_byte_for_byte(
    new_page: Callable[..., Page], ledger: Books, running: Running
) -> None:
    page = new_page()
    booking = open_receipts_of_a_booking(page)
    before, vouchers = ledger.vouchers[booking], len(ledger.vouchers)
    choose(page, payload("bon.png", png(7)))
    in_state(page, "bon.png", "done")
    after = ledger.vouchers[booking]
    (added,) = set(after.receipts) - set(before.receipts)
    assert ledger.files[added].content == png(7)
    assert len(ledger.vouchers) == vouchers
    assert axe_violations(page) == []
    look(page, "booking-receipts")
    name = page.get_by_test_id("booking").text_content() or ""
    expect(row(page, "bon.png")).to_contain_text(name)
    row(page, "bon.png").get_by_role("link", name=name).click()
    expect(page.get_by_test_id("receipt-open")).to_have_count(
        len(after.receipts) + (before.file_id is not None)
    )
    assert running.sandbox.books_of("nordlicht") is ledger


def test_the_same_file_may_belong_to_two_bookings_but_not_twice_to_one(
    new_page: Callable[..., Page], ledger: Books
) -> None:
    page = new_page()
    booking = open_receipts_of_a_booking(page)
    choose(page, payload("a.pdf", pdf(3000)))
    in_state(page, "a.pdf", "done")
    choose(page, payload("b.pdf", pdf(3000)))
    in_state(page, "b.pdf", "refused")
    page.get_by_role("navigation").get_by_role("link", name="Receipts").click()
    expect(page.get_by_test_id("booking")).to_have_count(0)
    choose(page, payload("c.pdf", pdf(3000)))
    in_state(page, "c.pdf", "done")
    names = [ledger.files[one].name for one in ledger.vouchers[booking].receipts]
    assert names.count("a.pdf") == 1
    assert not {"b.pdf", "c.pdf"} & set(names)


def test_what_is_no_booking_gets_no_receipts(new_page: Callable[..., Page]) -> None:
    page = new_page()
    sign_in(page, path="/vouchers?type=invoice&status=paid")
    page.get_by_test_id("vouchers").get_by_role("link").first.click()
    expect(page.get_by_test_id("voucher-total")).to_be_visible()
    expect(page.get_by_test_id("add-receipt")).to_have_count(0)
    for other in ("invoice/00000000-0000-4000-8000-000000000000", "purchaseinvoice/../../profile", "x"):
        page.goto(f"/receipts?booking={other}")
        expect(page.get_by_test_id("drop")).to_be_visible()
        expect(page.get_by_test_id("booking")).to_have_count(0)


def test_a_booking_that_is_gone_takes_nothing_and_the_file_is_not_lost(
    new_page: Callable[..., Page], ledger: Books, complaints: Complaints
) -> None:
    complaints.expected.append("404")
    page = new_page()
    sign_in(page, path="/receipts?booking=purchaseinvoice/00000000-0000-4000-8000-000000000000")
    choose(page, payload("a.pdf", pdf(3100)))
    in_state(page, "a.pdf", "failed")
    assert all(file.content != pdf(3100) for file in ledger.files.values())
    expect(row(page, "a.pdf").get_by_role("button", name="Send again: a.pdf")).to_be_visible()
