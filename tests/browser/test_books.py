"""What the app tells of the books is what is in them: computed here anew, from the sandbox's own vouchers."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, Route, expect

from gateway.sandbox.books.document import money
from tests.browser.books import Books
from tests.browser.conftest import axe_violations, look, sign_in
from tests.browser.ledger import (
    REVENUE,
    SETTLED,
    Pages,
    an_invoice,
    keep,
    last_months,
    open_revenue,
    rows_of,
    signed,
    text_of,
    today,
    wait_for,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.sandbox.books.ledger import Books as Ledger
    from tests.support.running import Running

TOPS = """[...document.querySelectorAll('.overview section')]
  .map((section) => Math.round(section.getBoundingClientRect().top))"""
AGES = {"later": (-(10**6), 0), "1-30": (1, 30), "31-60": (31, 60), "61-90": (61, 90), "91": (91, 10**6)}


def test_the_sums_are_those_of_the_books(
    new_page: Callable[..., Page], running: Running, ledger: Ledger
) -> None:
    page = new_page(locale="de-DE")
    sign_in(page)
    expect(page.get_by_test_id("chart")).to_be_visible()
    now = today(running)
    owed = open_revenue(ledger)
    late = [one for one in owed if one.due and one.due.date() < now]
    paid = [
        one
        for one in ledger.vouchers.values()
        if one.kind in REVENUE and one.status in SETTLED and one.date.year == now.year
    ]
    for test_id, vouchers, amounts in (
        ("total-open", owed, [signed(one, one.open) for one in owed]),
        ("total-overdue", late, [signed(one, one.open) for one in late]),
        ("total-paid", paid, [signed(one, one.gross) for one in paid]),
    ):
        assert money(sum(amounts)) in text_of(page, test_id)
        assert f"{len(vouchers)} Belege" in text_of(page, test_id)
    look(page, "books-overview-de")


def test_receivables_are_told_by_their_age_and_lead_to_the_vouchers(
    new_page: Callable[..., Page], running: Running, ledger: Ledger
) -> None:
    edges = {"later": (0, -1), "1-30": (1, 30), "31-60": (31, 60), "61-90": (61, 90), "91": (91, 400)}
    added = {
        age: [an_invoice(ledger, age=days, running=running) for days in pair] for age, pair in edges.items()
    }
    keep(running, ledger, [voucher for pair in added.values() for voucher in pair])
    page = new_page(locale="de-DE")
    sign_in(page)
    expect(page.get_by_test_id("ageing")).to_contain_text("€")
    now = today(running)
    for age, (least, most) in AGES.items():
        group = [
            one for one in open_revenue(ledger) if one.due and least <= (now - one.due.date()).days <= most
        ]
        row = page.get_by_test_id("ageing").locator(f'[data-key="{age}"]')
        told = re.sub(r"\s+", " ", row.inner_text())
        assert money(sum(signed(one, one.open) for one in group)) in told
        assert re.search(rf"(^| ){len(group)} Belege?$", told)
        row.get_by_role("link").click()
        expect(page.get_by_test_id("count")).to_have_text(re.compile(rf"^{len(group)} Belege?( ·|$)"))
        for voucher in added[age]:
            expect(page.get_by_test_id("vouchers")).to_contain_text(voucher.number or "")
        page.go_back()
        expect(page.get_by_test_id("ageing")).to_contain_text("€")


def test_the_customers_that_brought_most_are_named_with_their_share(
    new_page: Callable[..., Page], running: Running, ledger: Ledger
) -> None:
    page = new_page(locale="de-DE")
    sign_in(page)
    first = last_months(today(running))[0]
    sums: dict[str, int] = defaultdict(int)
    names: dict[str, str] = {}
    for one in ledger.vouchers.values():
        if one.kind in REVENUE and one.status in SETTLED | {"open"} and f"{one.date:%Y-%m}" >= first:
            assert one.contact_id
            sums[one.contact_id] += signed(one, one.gross)
            names[one.contact_id] = one.contact_name
    total, best = sum(sums.values()), sorted(sums, key=lambda one: -sums[one])[:5]
    expect(page.get_by_test_id("customers")).to_be_visible()
    found = rows_of(page, "customers")
    assert [(name, amount) for name, amount, _ in found] == [(names[one], money(sums[one])) for one in best]
    for (_, _, share), customer in zip(found, best, strict=True):
        assert int(share.removesuffix(" %")) == pytest.approx(sums[customer] / total * 100, abs=0.501)
    page.get_by_test_id("customers").get_by_role("link").first.click()
    expect(page).to_have_url(re.compile(f"/contacts/{best[0]}$"))


@pytest.mark.parametrize("width", [1280, 768, 360])
def test_nothing_moves_when_the_figures_come(new_page: Callable[..., Page], width: int) -> None:
    page = new_page(locale="de-DE")
    held: list[Route] = []
    sign_in(page, path="/nowhere")
    page.route("**/api/v1/voucherlist?*", lambda route: held.append(route))  # noqa: PLW0108 - playwright marks it
    page.set_viewport_size({"width": width, "height": 900})
    page.goto("/")
    expect(page.locator('[data-key="late"]')).to_be_attached()
    before = page.evaluate(TOPS)
    wait_for(page, lambda: len(held) == 2)
    look(page, f"books-bones-{width}")
    for route in held:
        route.continue_()
    page.unroute("**/api/v1/voucherlist?*")
    expect(page.get_by_test_id("customers")).to_be_visible()
    assert page.evaluate(TOPS) == pytest.approx(before, abs=8)


def test_the_sums_and_ages_follow_what_happens(
    new_page: Callable[..., Page], running: Running, ledger: Ledger
) -> None:
    page = new_page(locale="de-DE")
    sign_in(page)
    expect(page.get_by_test_id("live")).to_contain_text("von selbst")
    row_91 = page.get_by_test_id("ageing").locator('[data-key="91"]')
    expect(row_91).to_contain_text("€")
    before = row_91.inner_text()
    voucher = an_invoice(ledger, age=100, running=running)
    keep(running, ledger, [voucher])
    expect(row_91).not_to_have_text(before, use_inner_text=True)
    Books(running).change("pay", voucher_id=voucher.id)
    expect(row_91).to_have_text(before, use_inner_text=True)


@pytest.mark.parametrize(("scheme", "locale"), [("light", "de-DE"), ("dark", "en-GB")])
def test_the_overview_is_accessible_with_its_table_open(
    new_page: Callable[..., Page], scheme: str, locale: str
) -> None:
    page = new_page(color_scheme=scheme, locale=locale)
    sign_in(page)
    expect(page.get_by_test_id("customers")).to_be_visible()
    page.locator("details.as-table summary").click()
    for width in (1280, 360, 320):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.locator("main").evaluate("element => element.scrollWidth") <= width
        look(page, f"books-table-{scheme}-{width}")
        assert axe_violations(page) == []


@pytest.mark.parametrize("path", ["/", "/vouchers"])
def test_who_has_no_vouchers_yet_is_led_to_the_first_invoice(
    new_page: Callable[..., Page], path: str
) -> None:
    page = new_page(locale="de-DE")
    Pages(page, [])
    sign_in(page, path=path)
    empty = page.get_by_test_id("empty")
    expect(empty).to_contain_text("Noch keine Belege")
    link = empty.get_by_role("link", name="Erste Rechnung schreiben")
    assert link.get_attribute("href") == "/invoices/new"
