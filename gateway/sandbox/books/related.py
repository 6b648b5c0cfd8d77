"""Which vouchers belong together: a credit note corrects the invoice before it to the same customer."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.sandbox.books.voucher import Voucher


def related_to(voucher: Voucher, vouchers: Iterable[Voucher]) -> list[Voucher]:
    """Return the invoice that a credit note corrects, or the credit notes of an invoice."""
    everything = list(vouchers)
    if voucher.kind == "creditnote":
        corrected = _corrected(voucher, everything)
        return [corrected] if corrected else []
    notes = [other for other in everything if other.kind == "creditnote"]
    return [note for note in notes if _corrected(note, everything) == voucher]


def _corrected(note: Voucher, vouchers: Iterable[Voucher]) -> Voucher | None:
    candidates = [
        voucher
        for voucher in vouchers
        if voucher.kind == "invoice"
        and voucher.status != "draft"
        and voucher.contact_id == note.contact_id
        and voucher.date <= note.date
    ]
    return max(candidates, key=lambda voucher: (voucher.date, voucher.number or ""), default=None)
