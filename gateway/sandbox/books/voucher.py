"""A voucher and its arithmetic; money is in whole cents."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

TaxType = Literal["net", "gross", "vatfree"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line; `unit_price` is net or gross, as the voucher's tax type says. Rates are percentages."""

    id: str
    kind: str
    name: str
    description: str | None = None
    quantity: Decimal = Decimal(1)
    unit_name: str = "Stück"
    unit_price: int = 0
    tax_rate: Decimal = Decimal(19)
    discount: Decimal = Decimal(0)

    @property
    def amount(self) -> int:
        """Quantity times price less discount."""
        return _rounded(self.quantity * self.unit_price * (100 - self.discount) / 100)


@dataclass(frozen=True, slots=True)
class TaxAmount:
    """What one tax rate adds up to."""

    rate: Decimal
    net: int
    tax: int


@dataclass(frozen=True, slots=True)
class Payment:
    """Money that came in or went out, as a positive amount."""

    date: datetime
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Voucher:
    """`status` is what was booked: draft, open, paid, paidoff or voided; overdue follows from the date."""

    id: str
    kind: str
    status: str
    number: str | None
    date: datetime
    due: datetime | None
    created: datetime
    updated: datetime
    contact_id: str | None
    contact_name: str
    address: Mapping[str, str]
    lines: tuple[Line, ...]
    tax_type: TaxType = "net"
    payments: tuple[Payment, ...] = ()
    version: int = 1
    term: str = "Zahlbar sofort ohne Abzug"
    term_days: int = 0
    shipping_type: str = "service"
    shipping_date: datetime | None = None
    shipping_end: datetime | None = None
    title: str = "Rechnung"
    introduction: str | None = None
    remark: str | None = None
    file_id: str | None = None
    receipts: tuple[str, ...] = ()
    archived: bool = False
    tax_amounts: tuple[TaxAmount, ...] = field(default=())

    @property
    def net(self) -> int:
        """The total without tax."""
        return sum(amount.net for amount in self.tax_amounts)

    @property
    def tax(self) -> int:
        """The total of all taxes."""
        return sum(amount.tax for amount in self.tax_amounts)

    @property
    def gross(self) -> int:
        """The total with tax."""
        return self.net + self.tax

    @property
    def open(self) -> int:
        """What is still to be paid; nothing for a draft or a voided voucher."""
        if self.status != "open":
            return 0
        return self.gross - sum(payment.amount for payment in self.payments)

    def listed_status(self, now: datetime) -> str:
        """Return the status with `overdue` told apart from `open`."""
        is_overdue = self.status == "open" and self.due is not None and self.due.date() < now.date()
        return "overdue" if is_overdue else self.status


def tax_amounts(lines: tuple[Line, ...], tax_type: TaxType) -> tuple[TaxAmount, ...]:
    """Net and tax by rate, rounded once for each rate."""
    sums: dict[Decimal, int] = {}
    for line in lines:
        if line.kind != "text":
            rate = Decimal(0) if tax_type == "vatfree" else line.tax_rate
            sums[rate] = sums.get(rate, 0) + line.amount
    return tuple(_tax_amount(rate, amount, tax_type) for rate, amount in sorted(sums.items()))


def _tax_amount(rate: Decimal, amount: int, tax_type: TaxType) -> TaxAmount:
    if tax_type == "gross":
        tax = _rounded(amount * rate / (100 + rate))
        return TaxAmount(rate, amount - tax, tax)
    return TaxAmount(rate, amount, _rounded(amount * rate / 100))


def other_price(unit_price: int, rate: Decimal, tax_type: TaxType) -> int:
    """Return the gross price of a net one, and the other way round."""
    if tax_type == "gross":
        return _rounded(unit_price * 100 / (100 + rate))
    return unit_price if tax_type == "vatfree" else _rounded(unit_price * (100 + rate) / 100)


def _rounded(cents: Decimal) -> int:
    return int(cents.quantize(Decimal(1), rounding=ROUND_HALF_UP))
