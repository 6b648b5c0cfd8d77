"""Revenue by month beside the year before: right at every edge, and read when there is time for it."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from gateway.sandbox.books.document import money
from tests.browser.books import Books
from tests.browser.conftest import imported, sign_in
from tests.browser.ledger import (
    REVENUE,
    SETTLED,
    Pages,
    last_months,
    long_books,
    row,
    rows_of,
    signed,
    text_of,
    today,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from gateway.sandbox.books.ledger import Books as Ledger
    from tests.support.running import Running


def by_month(ledger: Ledger, now: date) -> dict[str, int]:
    """Revenue by month; of this month a year ago, up to the same day."""
    sums: dict[str, int] = defaultdict(int)
    for one in ledger.vouchers.values():
        if one.kind in REVENUE and one.status in SETTLED | {"open"}:
            same_month = (one.date.year, one.date.month) == (now.year - 1, now.month)
            if not (same_month and one.date.day > now.day):
                sums[f"{one.date:%Y-%m}"] += signed(one, one.gross)
    return sums


def test_revenue_stands_beside_the_same_month_of_the_year_before(
    new_page: Callable[..., Page], running: Running, ledger: Ledger
) -> None:
    page = new_page(locale="de-DE")
    sign_in(page)
    page.get_by_text("Als Tabelle zeigen").click()
    now, sums = today(running), by_month(ledger, today(running))
    rows = rows_of(page, "months")
    pairs = [(sums[month], sums[f"{int(month[:4]) - 1}{month[4:]}"]) for month in last_months(now)]
    pairs.append((sum(this for this, _ in pairs), sum(before for _, before in pairs)))
    assert len(rows) == 13
    for (_, this, before, change), (cents, cents_before) in zip(rows, pairs, strict=True):
        assert (this, before) == (money(cents), money(cents_before))
        if cents_before > 0:
            percent = int(change.replace("%", "").replace("+", "").replace(".", "").replace(" ", ""))
            assert percent == pytest.approx((cents / cents_before - 1) * 100, abs=0.501)
    assert "im Vorjahr" in text_of(page, "change")
    assert page.get_by_test_id("chart").locator(".bar-before").count() == 12
    assert page.get_by_test_id("chart").locator(".bar-now").count() == 12


@pytest.mark.parametrize(
    ("now", "day", "counts"),
    [
        ("2026-11-15", "2025-11-15", True),
        ("2026-11-15", "2025-11-16", False),
        ("2026-11-15", "2025-10-31", True),
        ("2024-02-29", "2023-02-28", True),
        ("2026-01-01", "2025-01-01", True),
        ("2026-01-01", "2025-01-02", False),
    ],
)
def test_of_the_present_month_the_year_before_counts_up_to_the_same_day(
    new_page: Callable[..., Page], now: str, day: str, *, counts: bool
) -> None:
    page = new_page()
    page.goto("/")
    found = page.evaluate(
        f"([rows, now]) => {imported('figures')}.then((figures) => figures.revenue(rows, now, ''))",
        [[row(day, 1010), row(now, 2020)], now],
    )
    assert (found["now"], found["before"]) == (2020, 1010 if counts else 0)


def test_sums_are_exact_to_the_cent(new_page: Callable[..., Page]) -> None:
    page = new_page()
    page.goto("/")
    rows = [row("2026-11-01", cents) for cents in (10, 20, 115, 207, 1999, 435, 100000001)] * 100
    found = page.evaluate(
        f"(rows) => {imported('figures')}.then((figures) => figures.revenue(rows, '2026-11-15', '').now)",
        rows,
    )
    assert found == 100 * sum((10, 20, 115, 207, 1999, 435, 100000001))
    assert sum(one["totalAmount"] for one in rows) != found / 100, "else this would show nothing"


def test_the_year_before_is_read_last_and_not_again_when_something_changes(
    new_page: Callable[..., Page], running: Running
) -> None:
    page = new_page(locale="de-DE")
    pages = Pages(page, long_books(today(running), 50))
    sign_in(page)
    expect(page.get_by_test_id("change")).to_contain_text("im Vorjahr")
    assert sorted(pages.asked[:2]) == [("open", 0, "u=1"), ("settled", 0, "u=3")]
    assert pages.asked[2:] == [
        ("settled", 1, "u=3"),
        ("settled", 2, "u=3"),
        ("settled", 3, "u=5"),
        ("settled", 4, "u=5"),
    ]
    assert re.search(r"60\.000 €.*60\.000 €|so viel wie im Vorjahr", text_of(page, "change"))
    pages.asked.clear()
    pages.rows["settled"].insert(0, row(f"{today(running):%Y-%m-01}", 10000))
    Books(running).change("add_random_invoice")
    expect(page.get_by_test_id("change")).to_contain_text("60.100")
    assert [asked[:2] for asked in pages.asked] == [
        ("open", 0),
        ("settled", 0),
        ("settled", 1),
        ("settled", 2),
    ]


@pytest.mark.parametrize(
    ("locale", "told"), [("de-DE", "keinen Umsatz zum Vergleich"), ("en-GB", "no revenue to compare")]
)
def test_that_there_is_nothing_to_compare_with_is_said(
    new_page: Callable[..., Page], running: Running, locale: str, told: str
) -> None:
    page = new_page(locale=locale)
    Pages(page, long_books(today(running), 1)[:12])
    sign_in(page)
    expect(page.get_by_test_id("change")).to_contain_text(told)
    page.locator("details.as-table summary").click()
    assert all("%" not in change and change for *_, change in rows_of(page, "months"))


def test_books_that_are_too_long_to_be_read_are_not_compared(
    new_page: Callable[..., Page], running: Running
) -> None:
    page = new_page(locale="de-DE")
    Pages(page, long_books(today(running), 250))
    sign_in(page)
    expect(page.get_by_text("Berechnet aus den neuesten 4.000 Belegen")).to_be_visible()
    expect(page.get_by_test_id("change")).to_contain_text("nicht ganz gelesen")
    page.locator("details.as-table summary").click()
    assert [before for _, _, before, _ in rows_of(page, "months")][:8] == ["nicht gelesen"] * 8
