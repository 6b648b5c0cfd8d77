"""A voucher as the PDF that is sent to a customer."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from gateway.sandbox.books.pdf import PdfPage

if TYPE_CHECKING:
    from gateway.sandbox.accounts import Organization
    from gateway.sandbox.books.voucher import Line, Voucher

_LEFT, _QUANTITY, _PRICE, _RIGHT = 56, 340, 440, 539
_LAST_LINE_Y = 190


def render_document(voucher: Voucher, organization: Organization) -> bytes:
    """One page A4: addresses, lines, taxes and total."""
    page = PdfPage(f"{voucher.title} {voucher.number or ''}".strip())
    _head(page, voucher, organization)
    y = _table(page, voucher)
    y = _totals(page, voucher, y - 16)
    page.text(_LEFT, y - 34, f"{voucher.term}.")
    if voucher.remark:
        page.text(_LEFT, y - 49, voucher.remark)
    _foot(page, organization)
    return page.render()


def _head(page: PdfPage, voucher: Voucher, organization: Organization) -> None:
    page.text(_LEFT, 780, organization.name, size=17, bold=True)
    page.text(_LEFT, 764, f"{organization.street} · {organization.zip} {organization.city}", size=9)
    address = voucher.address
    town = f"{address.get('zip', '')} {address.get('city', '')}".strip()
    for row, text in enumerate((address.get("name", voucher.contact_name), address.get("street", ""), town)):
        page.text(_LEFT, 706 - row * 14, text, size=11)
    page.text(_LEFT, 620, page.title, size=15, bold=True)
    dates = (("Datum", voucher.date), ("Fällig am", voucher.due))
    for row, (label, moment) in enumerate(dates):
        if moment is not None:
            page.text(390, 706 - row * 14, label)
            page.amount(_RIGHT, 706 - row * 14, f"{moment:%d.%m.%Y}")
    if voucher.introduction:
        page.text(_LEFT, 600, voucher.introduction)


def _table(page: PdfPage, voucher: Voucher) -> float:
    y = 570.0
    page.text(_LEFT, y, "Bezeichnung", bold=True)
    page.text(_QUANTITY - 32, y, "Menge", bold=True)
    page.text(_PRICE - 55, y, "Einzelpreis", bold=True)
    page.text(_RIGHT - 32, y, "Betrag", bold=True)
    page.rule(y - 6)
    for line in voucher.lines:
        y -= 19
        if y < _LAST_LINE_Y:
            page.text(_LEFT, y, "…")
            break
        _line(page, y, line)
    page.rule(y - 8)
    return y - 8


def _line(page: PdfPage, y: float, line: Line) -> None:
    name = f"{line.name} (- {line.discount} %)" if line.discount and line.kind != "text" else line.name
    page.text(_LEFT, y, name[:46])
    if line.kind == "text":
        return
    page.amount(_QUANTITY, y, f"{line.quantity.normalize():f}".replace(".", ","))
    page.amount(_PRICE, y, money(line.unit_price))
    page.amount(_RIGHT, y, money(line.amount))


def _totals(page: PdfPage, voucher: Voucher, y: float) -> float:
    rows = [("Summe netto", voucher.net)]
    rows += [(f"Umsatzsteuer {amount.rate:f} %", amount.tax) for amount in voucher.tax_amounts if amount.rate]
    for label, cents in rows:
        page.text(_QUANTITY - 10, y, label)
        page.amount(_RIGHT, y, money(cents))
        y -= 16
    page.rule(y + 10, left=_QUANTITY - 10)
    page.text(_QUANTITY - 10, y - 6, "Gesamtbetrag", size=11, bold=True)
    page.amount(_RIGHT, y - 6, money(voucher.gross), size=11, bold=True)
    return y - 6


def _foot(page: PdfPage, organization: Organization) -> None:
    page.rule(86)
    page.text(_LEFT, 70, f"{organization.name} · USt-IdNr. {organization.tax_number}", size=8)
    page.text(_LEFT, 58, f"IBAN {organization.iban} · Beleg aus der lexgate-Sandbox, ohne Gültigkeit", size=8)


def money(cents: int) -> str:
    """German notation with the euro sign."""
    text = f"{Decimal(cents) / 100:,.2f}"
    return text.translate(str.maketrans(",.", ".,")) + " €"
