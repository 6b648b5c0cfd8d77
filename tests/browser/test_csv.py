"""Vouchers that are taken along as CSV: all that match, exact, and harmless in a spreadsheet."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from playwright.sync_api import Page, expect

from gateway.sandbox.books.dates import midnight
from gateway.sandbox.books.voucher import TaxAmount
from tests.browser.conftest import sign_in
from tests.browser.ledger import Pages, an_invoice, keep, row, today, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.sandbox.books.ledger import Books as Ledger
    from tests.support.running import Running


def csv_books(running: Running, ledger: Ledger) -> tuple[str, date]:
    """Put vouchers of one contact into the books whose texts are dangerous or awkward in a CSV."""
    contact, first = str(uuid4()), today(running) - timedelta(days=30)
    names = (
        '=HYPERLINK("http://x")',
        "+49 40",
        "-2+3",
        "@SUM(A1)",
        "\tTab",
        'Müller; Söhne & Co. „ß“, "GmbH"',
        "Zeile\neins",
        "A,=1+1,B",
        "A; @B;C",
    )
    made = [
        an_invoice(
            ledger,
            age=-14,
            running=running,
            contact_id=contact,
            contact_name=name,
            number=f"N{index}",
            date=midnight(first - timedelta(days=index)),
            due=midnight(first),
        )
        for index, name in enumerate(names)
    ]
    made[1] = replace(made[1], number="=1+1", due=None)
    made[2] = replace(
        made[2], kind="salescreditnote", status="paidoff", tax_amounts=(TaxAmount(Decimal(19), -123456, -5),)
    )
    keep(running, ledger, made)
    return contact, first


def test_the_csv_is_exact_to_the_byte(
    new_page: Callable[..., Page], running: Running, ledger: Ledger
) -> None:
    contact, first = csv_books(running, ledger)
    like = next(one for one in ledger.vouchers.values() if one.contact_id == contact)
    gross = f"{Decimal(like.gross) / 100:.2f}"
    for locale in ("de-DE", "en-GB"):
        page = new_page(locale=locale)
        sign_in(page, path=f"/vouchers?contact={contact}")
        with page.expect_download() as download:
            page.get_by_test_id("csv").click()
        name = {"de-DE": "belege", "en-GB": "vouchers"}[locale]
        assert download.value.suggested_filename == f"{name}-{today(running):%Y-%m-%d}.csv"
        content = Path(download.value.path()).read_bytes()
        assert content == expected_csv(locale, first, gross)


def expected_csv(locale: str, first: date, gross: str) -> bytes:
    german = locale == "de-DE"
    separator, point = (";", ",") if german else (",", ".")
    day = "%d.%m.%Y" if german else "%Y-%m-%d"
    invoice, late, credit, settled = (
        ("Rechnung", "Überfällig", "Einnahmeminderung", "Ausgeglichen")
        if german
        else ("Invoice", "Overdue", "Sales credit receipt", "Settled")
    )
    head = (
        "Belegart;Nummer;Datum;Fällig;Kontakt;Betrag;Offen;Währung;Status"
        if german
        else "Type,Number,Date,Due,Contact,Amount,Open,Currency,Status"
    )
    names = (
        '"\'=HYPERLINK(""http://x"")"',
        "'+49 40",
        "'-2+3",
        "'@SUM(A1)",
        "'\tTab",
        '"Müller; Söhne & Co. „ß“, ""GmbH"""',
        '"Zeile\neins"',
        "A,'=1+1,B" if german else '"A,\'=1+1,B"',
        '"A; \'@B;C"' if german else "A; '@B;C",
    )
    lines = [head]
    amount = gross.replace(".", point)
    for index, name in enumerate(names):
        number = "'=1+1" if index == 1 else f"N{index}"
        due = "" if index == 1 else f"{first:{day}}"
        state = {1: "Offen" if german else "Open", 2: settled}.get(index, late)
        kind, sums = (
            (credit, (f"-1234{point}61", f"0{point}00")) if index == 2 else (invoice, (amount, amount))
        )
        cells = (kind, number, f"{first - timedelta(days=index):{day}}", due, name, *sums, "EUR", state)
        lines.append(separator.join(cells))
    return b"\xef\xbb\xbf" + "".join(f"{line}\r\n" for line in lines).encode()


def test_the_csv_has_every_row_that_matches_and_in_their_order(
    new_page: Callable[..., Page], ledger: Ledger
) -> None:
    page = new_page()
    sign_in(page, path="/vouchers?type=invoice&sort=voucherNumber,ASC")
    with page.expect_download() as download:
        page.get_by_test_id("csv").click()
    lines = Path(download.value.path()).read_text("utf-8-sig").splitlines()
    matching = [one for one in ledger.vouchers.values() if one.kind == "invoice"]
    numbers = [line.split(",")[1] for line in lines[1:] if line.startswith("Invoice,")]
    assert len(matching) > 25, "else one page would be all"
    assert sorted(numbers) == sorted(
        f"'{one.number}" if (one.number or "").startswith("=") else one.number or "" for one in matching
    )
    expect(page.get_by_test_id("csv-said")).to_have_text(f"{len(matching)} vouchers downloaded.")


def test_a_long_download_tells_how_far_it_is_and_where_it_ends_and_can_be_cancelled(
    new_page: Callable[..., Page],
) -> None:
    page = new_page()
    sign_in(page, path="/nowhere")
    page.add_init_script("""addEventListener('DOMContentLoaded', () => new MutationObserver(() => {
      const said = document.querySelector('[data-testid="csv-said"]')?.textContent;
      if (said && window.said?.at(-1) !== said) (window.said ??= []).push(said);
    }).observe(document.body, { subtree: true, childList: true, characterData: true }));""")
    pages = Pages(page, [row("2026-11-01", 100 + number) for number in range(10_300)])
    page.goto("/vouchers?status=paid")
    with page.expect_download() as download:
        page.get_by_test_id("csv").click()
    assert len(Path(download.value.path()).read_text("utf-8-sig").splitlines()) == 10_001
    expect(page.get_by_test_id("csv-said")).to_contain_text("Only the newest 10,000 vouchers were read")
    assert "Reading vouchers: 2,500 of 10,300 …" in page.evaluate("window.said")
    pages.hold()
    page.goto("/vouchers?status=paid&type=invoice")
    page.get_by_test_id("csv").click()
    wait_for(page, lambda: len(pages.held) >= 2)
    expect(page.get_by_test_id("csv")).to_have_text("Cancel")
    page.get_by_test_id("csv").click()
    expect(page.get_by_test_id("csv-said")).to_have_text("Cancelled.")
    expect(page.get_by_test_id("csv")).to_have_text("Download as CSV")
    pages.let_go()
