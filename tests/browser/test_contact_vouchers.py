"""A contact's own vouchers: what is owed, the newest, and the way on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from gateway.sandbox.books.document import money
from tests.browser.books import Books
from tests.browser.conftest import axe_violations, look, sign_in
from tests.browser.ledger import REVENUE, an_invoice, keep, signed, text_of, today

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.sandbox.books.ledger import Books as Ledger
    from tests.support.running import Running


def contact_of(ledger: Ledger, *roles: str) -> str:
    """Return the id of a contact with exactly these roles."""
    contacts = ledger.contacts.items()
    return next(contact_id for contact_id, one in contacts if set(one["roles"]) == set(roles))


def test_what_a_customer_owes_is_the_sum_of_their_open_vouchers_and_follows(
    new_page: Callable[..., Page], running: Running, ledger: Ledger
) -> None:
    contact = contact_of(ledger, "customer")
    late = an_invoice(ledger, age=1, running=running, contact_id=contact)
    keep(running, ledger, [late, an_invoice(ledger, age=0, running=running, contact_id=contact)])
    page = new_page(locale="de-DE")
    sign_in(page, path=f"/contacts/{contact}")
    expect(page.get_by_test_id("sum-owed")).to_contain_text("€")
    own = [one for one in ledger.vouchers.values() if one.contact_id == contact]
    owed = [one for one in own if one.kind in REVENUE and one.status == "open"]
    overdue = [one for one in owed if one.due and one.due.date() < today(running)]
    assert money(sum(signed(one, one.open) for one in owed)) in text_of(page, "sum-owed")
    assert money(sum(signed(one, one.open) for one in overdue)) in text_of(page, "sum-overdue")
    assert f"{len(overdue)} Beleg" in text_of(page, "sum-overdue")
    expect(page.get_by_test_id("sum-to-pay")).to_have_count(0)
    numbers = page.locator("tbody .number-cell").all_inner_texts()
    newest = sorted(own, key=lambda one: one.date, reverse=True)
    assert len(numbers) == min(10, len(own))
    assert {number for number in numbers if number.startswith("RE")} <= {one.number for one in newest}
    Books(running).change("pay", voucher_id=late.id)
    expect(page.get_by_test_id("sum-overdue")).to_contain_text(
        money(sum(signed(one, one.open) for one in overdue if one is not late)).replace(" €", "")
    )
    expect(page.locator(f'[data-key="{late.id}"]')).to_contain_text("Bezahlt")


def test_a_contact_leads_to_their_vouchers_and_a_new_invoice(
    new_page: Callable[..., Page], running: Running, ledger: Ledger
) -> None:
    contact = contact_of(ledger, "customer")
    keep(running, ledger, [an_invoice(ledger, age=5, running=running, contact_id=contact) for _ in range(11)])
    page = new_page(locale="de-DE")
    sign_in(page, path=f"/contacts/{contact}")
    assert page.get_by_test_id("new-invoice").get_attribute("href") == f"/invoices/new?contact={contact}"
    expect(page.get_by_role("heading", name="Belege: Die neuesten 10")).to_be_visible()
    page.get_by_role("link", name="Alle Belege", exact=True).last.click()
    own = [one for one in ledger.vouchers.values() if one.contact_id == contact]
    expect(page.get_by_test_id("count")).to_have_text(re.compile(f"^{len(own)} Belege"))


def test_a_supplier_is_told_what_they_are_owed_and_gets_no_invoice(
    new_page: Callable[..., Page], ledger: Ledger
) -> None:
    contact = contact_of(ledger, "vendor")
    page = new_page(locale="de-DE")
    sign_in(page, path=f"/contacts/{contact}")
    owed = [
        one
        for one in ledger.vouchers.values()
        if one.contact_id == contact and one.kind.startswith("purchase") and one.status == "open"
    ]
    expect(page.get_by_test_id("sum-to-pay")).to_contain_text("€")
    assert money(sum(signed(one, one.open) for one in owed)) in text_of(page, "sum-to-pay")
    expect(page.get_by_test_id("sum-owed")).to_have_count(0)
    expect(page.get_by_test_id("new-invoice")).to_have_count(0)


@pytest.mark.parametrize(("scheme", "locale"), [("light", "en-GB"), ("dark", "de-DE")])
def test_a_contact_with_vouchers_is_accessible(
    new_page: Callable[..., Page], ledger: Ledger, scheme: str, locale: str
) -> None:
    page = new_page(color_scheme=scheme, locale=locale)
    sign_in(page, path=f"/contacts/{contact_of(ledger, 'customer', 'vendor')}")
    expect(page.get_by_test_id("sum-to-pay")).to_contain_text("€")
    for width in (1280, 768, 360, 320):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.locator("main").evaluate("element => element.scrollWidth") <= width
        look(page, f"books-contact-{scheme}-{width}")
        assert axe_violations(page) == []
