"""The sandbox's own vouchers, and vouchers that a test makes up, for what the app tells of them."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from gateway.sandbox.books.dates import local, midnight

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from playwright.sync_api import Page, Route

    from gateway.sandbox.books.ledger import Books as Ledger
    from gateway.sandbox.books.voucher import Voucher
    from tests.support.running import Running

REVENUE = {"invoice", "downpaymentinvoice", "salesinvoice", "creditnote", "salescreditnote"}
SETTLED = {"paid", "paidoff", "transferred", "sepadebit"}


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


def last_months(now: date) -> list[str]:
    months = [(now.year * 12 + now.month - 1 - back) for back in range(11, -1, -1)]
    return [f"{month // 12}-{month % 12 + 1:02}" for month in months]


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


class Pages:
    """Lists of vouchers that a test made up, in lexoffice's pages, and what was asked for."""

    def __init__(
        self, page: Page, settled: list[dict[str, Any]], owed: list[dict[str, Any]] | None = None
    ) -> None:
        self.rows = {"open": owed or [], "settled": settled}
        self.asked: list[tuple[str, int, str | None]] = []
        self.held: list[Route] = []
        self._is_held = False
        page.route("**/api/v1/voucherlist?*", self._answer)

    def hold(self) -> None:
        """Let whatever is asked from now on wait."""
        self._is_held = True

    def let_go(self) -> None:
        """Answer what waits, and whatever comes."""
        self._is_held = False
        for route in self.held:
            self._answer(route)

    def _answer(self, route: Route) -> None:
        if self._is_held:
            self.held.append(route)
            return
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
