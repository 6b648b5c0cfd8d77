"""What the app tells of the books is what is in them: computed here anew, from the sandbox's own vouchers."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from playwright.sync_api import Page, Route, expect

from gateway.sandbox.accounts import ORGANIZATIONS
from gateway.sandbox.books.dates import local, midnight
from gateway.sandbox.books.document import money
from tests.browser.books import Books
from tests.browser.conftest import axe_violations, look, sign_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gateway.sandbox.books.ledger import Books as Ledger
    from gateway.sandbox.books.voucher import Voucher
    from tests.support.running import Running

REVENUE = {"invoice", "downpaymentinvoice", "salesinvoice", "creditnote", "salescreditnote"}
SETTLED = {"paid", "paidoff", "transferred", "sepadebit"}
TOPS = """[...document.querySelectorAll('.overview section')]
  .map((section) => Math.round(section.getBoundingClientRect().top))"""
AGES = {"later": (-(10**6), 0), "1-30": (1, 30), "31-60": (31, 60), "61-90": (61, 90), "91": (91, 10**6)}


@pytest.fixture
def ledger(running: Running) -> Ledger:
    return running.sandbox.books[ORGANIZATIONS[0].id]


def wait_for(page: Page, is_so: Callable[[], bool]) -> None:
    for _ in range(200):
        if is_so():
            return
        page.wait_for_timeout(20)
    raise AssertionError("it did not come to be")


def today(running: Running) -> date:
    return local(running.clock()).date()


def keep(running: Running, ledger: Ledger, vouchers: Iterable[Voucher]) -> None:
    """Put vouchers into the books, on the loop that serves them."""

    async def kept() -> None:
        for voucher in vouchers:
            ledger.keep_voucher(voucher)

    running.call(kept())


def an_invoice(ledger: Ledger, *, age: int, running: Running, **changes: Any) -> Voucher:  # noqa: ANN401 - fields
    """Return an open invoice of its own that is due `age` days before today."""
    like = next(
        voucher for voucher in ledger.vouchers.values() if voucher.kind == "invoice" and voucher.number
    )
    due = today(running) - timedelta(days=age)
    number = f"RE{ledger.next_number('invoice')}"
    fields = {
        "date": midnight(due - timedelta(days=14)),
        "due": midnight(due),
        "status": "open",
        "payments": (),
    }
    return replace(like, **{"id": str(uuid4()), "number": number, **fields, **changes})


def signed(voucher: Voucher, cents: int) -> int:
    return -cents if "creditnote" in voucher.kind else cents


def text_of(page: Page, test_id: str) -> str:
    """Return what a person reads; spaces that do not break are spaces."""
    return re.sub(r"\s+", " ", page.get_by_test_id(test_id).inner_text())


def rows_of(page: Page, test_id: str) -> list[list[str]]:
    """Return the cells of a table, line by line, its head left out."""
    rows = page.get_by_test_id(test_id).get_by_role("row").all()[1:]
    return [[re.sub(r"\s+", " ", cell) for cell in row.locator("th, td").all_inner_texts()] for row in rows]


def open_revenue(ledger: Ledger) -> list[Voucher]:
    return [one for one in ledger.vouchers.values() if one.kind in REVENUE and one.status == "open"]


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


def by_month(ledger: Ledger, now: date) -> dict[str, int]:
    """Revenue by month; of this month a year ago, up to the same day."""
    sums: dict[str, int] = defaultdict(int)
    for one in ledger.vouchers.values():
        if one.kind in REVENUE and one.status in SETTLED | {"open"}:
            same_month = (one.date.year, one.date.month) == (now.year - 1, now.month)
            if not (same_month and one.date.day > now.day):
                sums[f"{one.date:%Y-%m}"] += signed(one, one.gross)
    return sums


def last_months(now: date) -> list[str]:
    months = [(now.year * 12 + now.month - 1 - back) for back in range(11, -1, -1)]
    return [f"{month // 12}-{month % 12 + 1:02}" for month in months]


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
    for (_, _, share), one in zip(found, best, strict=True):
        assert int(share.removesuffix(" %")) == pytest.approx(sums[one] / total * 100, abs=0.501)
    page.get_by_test_id("customers").get_by_role("link").first.click()
    expect(page).to_have_url(re.compile(f"/contacts/{best[0]}$"))


def row(day: str, cents: int, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {
        "id": str(uuid4()),
        "voucherType": "invoice",
        "voucherStatus": "paid",
        "voucherNumber": "RE1",
        "voucherDate": f"{day}T00:00:00.000+01:00",
        "contactId": "c",
        "contactName": "Kunde",
        "totalAmount": cents / 100,
        "openAmount": 0,
        "currency": "EUR",
        **changes,
    }


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
        "([rows, now]) => import('/app/figures.js').then((figures) => figures.revenue(rows, now, ''))",
        [[row(day, 1010), row(now, 2020)], now],
    )
    assert (found["now"], found["before"]) == (2020, 1010 if counts else 0)


def test_sums_are_exact_to_the_cent(new_page: Callable[..., Page]) -> None:
    page = new_page()
    page.goto("/")
    rows = [row("2026-11-01", cents) for cents in (10, 20, 115, 207, 1999, 435, 100000001)] * 100
    found = page.evaluate(
        "(rows) => import('/app/figures.js').then((figures) => figures.revenue(rows, '2026-11-15', '').now)",
        rows,
    )
    assert found == 100 * sum((10, 20, 115, 207, 1999, 435, 100000001))
    assert sum(one["totalAmount"] for one in rows) != found / 100, "else this would show nothing"


class Pages:
    """Lists of vouchers that a test made up, in lexoffice's pages, and what was asked for."""

    def __init__(
        self, page: Page, settled: list[dict[str, Any]], owed: list[dict[str, Any]] | None = None
    ) -> None:
        self.rows = {"open": owed or [], "settled": settled}
        self.asked: list[tuple[str, int, str | None]] = []
        page.route("**/api/v1/voucherlist?*", self._answer)

    def _answer(self, route: Route) -> None:
        query = dict(pair.split("=") for pair in route.request.url.split("?")[1].split("&"))
        kind = "open" if query["voucherStatus"] == "open" else "settled"
        number, size = int(query["page"]), int(query["size"])
        rows = [one for one in self.rows[kind] if one["voucherDate"] >= query.get("voucherDateFrom", "")]
        self.asked.append((kind, number, route.request.headers.get("priority")))
        pages = max(1, -(-len(rows) // size))
        content = rows[number * size : (number + 1) * size]
        more = {
            "totalElements": len(rows),
            "totalPages": pages,
            "number": number,
            "last": number >= pages - 1,
        }
        route.fulfill(json={"content": content, **more})


def long_books(now: date, per_month: int) -> list[dict[str, Any]]:
    """Return settled rows of two years, the newest first."""
    months = [now.year * 12 + now.month - 1 - back for back in range(24)]
    days = [f"{month // 12}-{month % 12 + 1:02}-01" for month in months]
    return [row(day, 10000) for day in days for _ in range(per_month)]


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
