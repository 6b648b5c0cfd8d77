"""Which events a change of a voucher raises."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.sandbox.books.voucher import Voucher

_RESOURCES = {"invoice": "invoice", "creditnote": "credit-note"}
"""By kind; the other kinds are bookkeeping vouchers."""


def event_types_of(before: Voucher | None, after: Voucher) -> tuple[str, ...]:
    """Return the types of the events, `before` being None for a new voucher."""
    resource = _RESOURCES.get(after.kind, "voucher")
    if before is None:
        return (f"{resource}.created",)
    is_changed, has_other_status, has_other_payments = (
        _content(before) != _content(after),
        before.status != after.status,
        before.payments != after.payments,
    )
    return (
        *((f"{resource}.changed",) if is_changed else ()),
        *((f"{resource}.status.changed",) if has_other_status else ()),
        *(("payment.changed",) if has_other_payments else ()),
    )


def _content(voucher: Voucher) -> Voucher:
    """Return the voucher without what the other events tell of, and what changes with every change."""
    return replace(
        voucher, status="", payments=(), version=0, updated=voucher.created, number=None, file_id=None
    )
