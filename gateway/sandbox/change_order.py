"""A change of the books that is ordered in JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.sandbox.books.changes import add_invoice, add_random_invoice, pay, void
from gateway.sandbox.orders import OrderRefused

if TYPE_CHECKING:
    from random import Random

    from gateway.sandbox.books.ledger import Books
    from gateway.sandbox.books.voucher import Voucher
    from gateway.sandbox.orders import Order

ACTIONS = ("add_invoice", "add_random_invoice", "pay", "void")


def follow_change_order(order: Order, books: Books, random: Random, *, now: float) -> Voucher:
    """Return the voucher that was added, paid or voided; amounts are in cents.

    `{"action": "add_invoice", "contact_id", "gross"}`, `{"action": "add_random_invoice"}`,
    `{"action": "pay", "voucher_id", "amount": all that is open}`, `{"action": "void", "voucher_id"}`.

    Raises:
        OrderRefused: it is none of these.
        ImpossibleChange: the books do not allow it.

    """
    match order.get("action"), order:
        case "add_invoice", {"contact_id": str(contact_id), "gross": int(gross)}:
            return add_invoice(books, contact_id=contact_id, gross=gross, now=now)
        case "add_random_invoice", _:
            return add_random_invoice(books, random, now=now)
        case "pay", {"voucher_id": str(voucher_id), **rest} if isinstance(rest.get("amount"), int | None):
            return pay(books, voucher_id, amount=rest.get("amount"), now=now)
        case "void", {"voucher_id": str(voucher_id)}:
            return void(books, voucher_id, now=now)
        case _:
            raise OrderRefused(f"action must be one of {', '.join(ACTIONS)}, with what belongs to it")
