"""The pure parts of the books: dates, documents, the generator, and the order of things in time."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from gateway.sandbox.accounts import ORGANIZATIONS
from gateway.sandbox.books.dates import local, midnight, parse_wire, wire
from gateway.sandbox.books.document import money, render_document
from gateway.sandbox.books.generator import generate_books
from gateway.sandbox.books.pdf import PdfPage

if TYPE_CHECKING:
    from gateway.sandbox.accounts import Organization

NOW = 1_790_000_000.0


@pytest.mark.parametrize(
    ("utc", "expected"),
    [
        ("2026-01-15T12:00:00", "2026-01-15T13:00:00.000+01:00"),
        ("2026-07-15T12:00:00", "2026-07-15T14:00:00.000+02:00"),
        ("2026-03-29T00:59:59", "2026-03-29T01:59:59.000+01:00"),
        ("2026-03-29T01:00:00", "2026-03-29T03:00:00.000+02:00"),
        ("2026-10-25T00:59:59", "2026-10-25T02:59:59.000+02:00"),
        ("2026-10-25T01:00:00", "2026-10-25T02:00:00.000+01:00"),
        ("2025-12-31T23:30:00", "2026-01-01T00:30:00.000+01:00"),
    ],
)
def test_times_are_german(utc: str, expected: str) -> None:
    assert wire(local(datetime.fromisoformat(utc).replace(tzinfo=UTC).timestamp())) == expected


def test_a_day_starts_at_german_midnight() -> None:
    assert wire(midnight(date(2026, 3, 29))) == "2026-03-29T00:00:00.000+01:00"
    assert wire(midnight(date(2026, 3, 30))) == "2026-03-30T00:00:00.000+02:00"
    assert wire(midnight(date(2026, 10, 25))) == "2026-10-25T00:00:00.000+02:00"


def test_dates_have_exactly_three_digits_of_milliseconds() -> None:
    assert parse_wire("2026-09-21T00:00:00.000Z") == datetime(2026, 9, 21, tzinfo=UTC)
    for bad in ("2026-09-21T00:00:00.00Z", "2026-09-21T00:00:00Z", "2026-02-30T00:00:00.000Z", "", None, 5):
        assert parse_wire(bad) is None


def test_the_same_seed_makes_the_same_books() -> None:
    first, second = (generate_books(ORGANIZATIONS[0], seed=7, now=NOW) for _ in range(2))
    assert first.vouchers == second.vouchers
    assert first.contacts == second.contacts
    assert generate_books(ORGANIZATIONS[0], seed=8, now=NOW).vouchers != first.vouchers


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("organization", ORGANIZATIONS, ids=lambda organization: organization.key)
def test_books_are_plausible_for_any_seed(seed: int, organization: object) -> None:
    books = generate_books(next(one for one in ORGANIZATIONS if one is organization), seed=seed, now=NOW)
    today = local(NOW)
    for voucher in books.vouchers.values():
        assert voucher.date <= voucher.created <= today
        assert voucher.created <= voucher.updated <= today
        assert all(voucher.date <= payment.date <= today for payment in voucher.payments)
        assert voucher.gross > 0
        assert voucher.contact_id in books.contacts
        assert (voucher.number is None) == (voucher.status == "draft")
    statuses = {voucher.listed_status(today) for voucher in books.vouchers.values()}
    assert statuses == {"draft", "open", "overdue", "paid", "paidoff", "voided"}
    invoices = [
        voucher for voucher in books.vouchers.values() if voucher.kind == "invoice" and voucher.number
    ]
    in_time = sorted(invoices, key=lambda voucher: voucher.date)
    assert [voucher.number for voucher in in_time] == sorted(voucher.number or "" for voucher in invoices)


@pytest.mark.parametrize("organization", ORGANIZATIONS, ids=lambda organization: organization.key)
def test_the_firms_of_the_demo_have_grown_in_the_last_year(organization: Organization) -> None:
    books = generate_books(organization, seed=7, now=NOW)
    year_ago = local(NOW - 365 * 86400)
    before, last = 0, 0
    for voucher in books.vouchers.values():
        if voucher.kind in {"invoice", "salesinvoice"} and voucher.status not in {"draft", "voided"}:
            before += voucher.gross * (voucher.date < year_ago)
            last += voucher.gross * (voucher.date >= year_ago)
    assert 1 < last / before < 1.5


def parse_pdf(content: bytes) -> dict[int, bytes]:
    """Read the objects of a PDF through its cross-reference table, and nothing that is not in it."""
    start = int(content.rsplit(b"startxref\n", 1)[1].split(b"\n")[0])
    table = re.match(rb"xref\n0 (\d+)\n((?:\d{10} \d{5} [nf] \n)+)trailer\n", content[start:])
    assert table
    entries = table[2].split(b"\n")[:-1]
    assert len(entries) == int(table[1])
    objects: dict[int, bytes] = {}
    for number, entry in enumerate(entries[1:], 1):
        body = content[int(entry[:10]) :]
        head = b"%d 0 obj\n" % number
        assert body.startswith(head)
        objects[number] = body[len(head) : body.index(b"\nendobj")]
    return objects


def test_a_document_is_a_pdf_whose_offsets_are_right() -> None:
    books = generate_books(ORGANIZATIONS[0], seed=7, now=NOW)
    for voucher in books.vouchers.values():
        content = render_document(voucher, books.organization)
        objects = parse_pdf(content)
        assert content.startswith(b"%PDF-1.4\n")
        assert content.endswith(b"%%EOF\n")
        stream = re.fullmatch(rb"<< /Length (\d+) >>\nstream\n(.*)\nendstream", objects[4], re.DOTALL)
        assert stream
        assert len(stream[2]) == int(stream[1])
        assert money(voucher.gross).encode("cp1252") in stream[2]
        assert (voucher.number or "Rechnung").encode() in stream[2]


def test_a_document_stays_on_its_page_however_long_it_is() -> None:
    books = generate_books(ORGANIZATIONS[1], seed=7, now=NOW)
    voucher = next(voucher for voucher in books.vouchers.values() if voucher.kind == "invoice")
    text = replace(voucher.lines[0], kind="text", name="Hinweis", quantity=Decimal("1.5"))
    lines = (text, replace(voucher.lines[0], quantity=Decimal("1.5"))) + voucher.lines * 30
    long = replace(voucher, lines=lines, due=None, introduction=None, remark=None)
    stream = parse_pdf(render_document(long, books.organization))[4]
    heights = [float(y) for y in re.findall(rb"[\d.]+ ([\d.-]+) Td", stream)]
    assert min(heights) > 40
    assert b"(1,5) Tj" in stream
    assert b"(Hinweis) Tj" in stream


def test_text_cannot_break_out_of_a_pdf_string() -> None:
    page = PdfPage("a) (b\\")
    page.text(0, 0, "x) Tj ET (\\\r\n漢")
    objects = parse_pdf(page.render())
    assert rb"(x\) Tj ET \(\\  ?) Tj ET" in objects[4]
    assert rb"/Title (a\) \(b\\)" in objects[7]


@pytest.mark.parametrize(
    ("cents", "text"), [(0, "0,00 €"), (123456, "1.234,56 €"), (100, "1,00 €"), (123456789, "1.234.567,89 €")]
)
def test_money_is_written_the_german_way(cents: int, text: str) -> None:
    assert money(cents) == text


def test_books_that_nobody_listens_to_can_be_changed() -> None:
    books = generate_books(ORGANIZATIONS[0], seed=7, now=NOW)
    (contact, *_) = books.contacts.values()
    books.keep_contact({**contact, "note": "neu"})
    assert books.contacts[contact["id"]]["note"] == "neu"
