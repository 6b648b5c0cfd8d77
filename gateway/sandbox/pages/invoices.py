"""The section of the front page where invoices are added, paid and voided."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from gateway.sandbox.books.changes import customers_of
from gateway.sandbox.books.generator import contact_name
from gateway.sandbox.pages.format import format_amount, format_day, format_money
from gateway.sandbox.pages.notices import notice_of

if TYPE_CHECKING:
    from gateway.sandbox.books.voucher import Voucher
    from gateway.sandbox.pages.view import View

_SHOWN = 10


def invoices_section(view: View) -> str:
    """Return the form for a new invoice, and the last ones with what can be done to them."""
    words = view.words
    invoices = [voucher for voucher in view.books.vouchers.values() if voucher.kind == "invoice"]
    rows = "".join(_row(view, voucher) for voucher in reversed(invoices[-_SHOWN:]))
    return (
        f'<section id="invoices" aria-labelledby="invoices-title"><h2 id="invoices-title">'
        f"{words['invoices']}</h2>{notice_of(view, 'invoices')}{_new_invoice(view)}"
        f'<ul class="rows invoices">{rows}</ul></section>'
    )


def _new_invoice(view: View) -> str:
    words = view.words
    options = "".join(
        f'<option value="{escape(contact["id"])}">{escape(contact_name(contact))}</option>'
        for contact in customers_of(view.books)
    )
    action = f"/books/{view.books.organization.key}/invoices"
    return (
        f'<div class="new"><form method="post" action="{action}" data-testid="new-invoice">'
        f'<label class="grows">{words["customer"]}<select name="contact">{options}</select></label>'
        f'<label>{words["amount"]}<input name="amount" inputmode="decimal" autocomplete="off" size="9" '
        f'required value="{format_amount(view.language, 119_00)}"></label>'
        f'<button class="primary" data-testid="add">{words["add"]}</button></form>'
        f'<form method="post" action="{action}"><button name="random" value="yes" data-testid="add-random">'
        f"{words['add_random']}</button></form></div>"
    )


def _row(view: View, voucher: Voucher) -> str:
    status, words = voucher.listed_status(view.now), view.words
    number = voucher.number or words["no_number"]
    dates = words["dated"].format(
        date=format_day(view.language, voucher.date),
        due=format_day(view.language, voucher.due) if voucher.due else "?",
    )
    is_fresh = view.notice is not None and view.notice.about == voucher.id
    fresh = ' class="fresh"' if is_fresh else ""
    return (
        f'<li{fresh} data-testid="invoice">'
        f'<span class="what"><b>{escape(number)}</b> {escape(voucher.contact_name)}'
        f'<span class="quiet small">{dates}</span></span>'
        f'<span class="amount"><b>{format_money(view.language, voucher.gross)}</b>'
        f'<span class="quiet small">{_open_amount(view, voucher)}</span></span>'
        f'<span class="status {status}">{words[f"status_{status}"]}</span>'
        f'<span class="does">{_actions(view, voucher, number)}</span></li>'
    )


def _open_amount(view: View, voucher: Voucher) -> str:
    if not voucher.payments or not voucher.open:
        return ""
    return view.words["still_open"].format(amount=format_money(view.language, voucher.open))


def _actions(view: View, voucher: Voucher, number: str) -> str:
    """Return the forms of an open invoice; one that was paid in part cannot be voided."""
    if voucher.status != "open":
        return ""
    words, name = view.words, escape(number)
    path = f"/books/{view.books.organization.key}/invoices/{escape(voucher.id)}"
    amount = format_amount(view.language, voucher.open)
    pay = (
        f'<form method="post" action="{path}/payments">'
        f'<input name="amount" inputmode="decimal" autocomplete="off" size="9" required value="{amount}" '
        f'aria-label="{words["amount_for"].format(number=name)}">'
        f'<button aria-label="{words["pay"]} {name}" data-testid="pay">{words["pay"]}</button></form>'
    )
    void = (
        f'<form method="post" action="{path}/void">'
        f'<button class="plain" aria-label="{words["void"]} {name}" data-testid="void">'
        f"{words['void']}</button>"
        "</form>"
    )
    return pay if voucher.payments else pay + void
