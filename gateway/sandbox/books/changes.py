"""What a person does in the books: writes an invoice, books a payment, voids an invoice."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

from gateway.sandbox.books.dates import local, midnight
from gateway.sandbox.books.generator import address_of, contact_name, draw_sold
from gateway.sandbox.books.samples import TERMS
from gateway.sandbox.books.voucher import Line, Payment, Voucher, tax_amounts

if TYPE_CHECKING:
    from random import Random

    from gateway.sandbox.books.ledger import Books, Json
    from gateway.sandbox.books.voucher import TaxType

_MOST = 100_000_000
"""Cents of one invoice."""


class ImpossibleChange(ValueError):
    """The books do not allow it; `reason` is `contact`, `amount`, `voucher` or `status`."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"impossible: {reason}")
        self.reason = reason


def customers_of(books: Books) -> list[Json]:
    """Return the contacts that are sold to, by name."""
    customers = [contact for contact in books.contacts.values() if "customer" in contact["roles"]]
    return sorted(customers, key=lambda contact: contact_name(contact).casefold())


def add_invoice(books: Books, *, contact_id: str, gross: int, now: float) -> Voucher:
    """Return a new open invoice of `gross` cents for one of the customers.

    Raises:
        ImpossibleChange: there is no such customer, or the amount cannot be.

    """
    contact = books.contacts.get(contact_id)
    if contact is None or "customer" not in contact["roles"]:
        raise ImpossibleChange("contact")
    if not 0 < gross <= _MOST:
        raise ImpossibleChange("amount")
    line = Line(id=str(uuid4()), kind="custom", name="Leistung nach Absprache", unit_price=gross)
    return _added(books, contact, (line,), "gross", now)


def add_random_invoice(books: Books, random: Random, *, now: float) -> Voucher:
    """Return a new open invoice for anybody, of anything in the catalogue."""
    return _added(books, random.choice(customers_of(books)), draw_sold(books, random), "net", now)


def pay(books: Books, voucher_id: str, *, amount: int | None = None, now: float) -> Voucher:
    """Return the voucher after a payment of `amount` cents, or of all that is open.

    Raises:
        ImpossibleChange: there is no such voucher, it is not open, or the amount is more than is open.

    """
    voucher = _open(books, voucher_id)
    amount = voucher.open if amount is None else amount
    if not 0 < amount <= voucher.open:
        raise ImpossibleChange("amount")
    payment = Payment(midnight(local(now).date()), amount)
    return _changed(
        books,
        voucher,
        now,
        status="paid" if amount == voucher.open else "open",
        payments=(*voucher.payments, payment),
    )


def void(books: Books, voucher_id: str, *, now: float) -> Voucher:
    """Return the voucher after it was voided.

    Raises:
        ImpossibleChange: there is no such voucher, or it is not open, or something was paid of it.

    """
    voucher = _open(books, voucher_id)
    if voucher.payments:
        raise ImpossibleChange("status")
    return _changed(books, voucher, now, status="voided", payments=())


def _added(books: Books, contact: Json, lines: tuple[Line, ...], tax_type: TaxType, now: float) -> Voucher:
    moment, (days, term) = local(now), TERMS[0]
    today = midnight(moment.date())
    voucher = Voucher(
        id=str(uuid4()),
        kind="invoice",
        status="open",
        number=f"RE{books.next_number('invoice')}",
        date=today,
        due=midnight((moment + timedelta(days=days)).date()),
        created=moment,
        updated=moment,
        contact_id=contact["id"],
        contact_name=contact_name(contact),
        address=address_of(contact),
        lines=lines,
        tax_type=tax_type,
        term=term,
        term_days=days,
        file_id=str(uuid4()),
        tax_amounts=tax_amounts(lines, tax_type),
    )
    books.keep_voucher(voucher)
    return voucher


def _open(books: Books, voucher_id: str) -> Voucher:
    voucher = books.vouchers.get(voucher_id)
    if voucher is None:
        raise ImpossibleChange("voucher")
    if voucher.status != "open":
        raise ImpossibleChange("status")
    return voucher


def _changed(
    books: Books, voucher: Voucher, now: float, *, status: str, payments: tuple[Payment, ...]
) -> Voucher:
    changed = replace(
        voucher, status=status, payments=payments, version=voucher.version + 1, updated=local(now)
    )
    books.keep_voucher(changed)
    return changed
