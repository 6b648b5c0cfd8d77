"""Every view of the app and every state that a person can meet: one line each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.browser.quality import ways
from tests.browser.quality.ways import a_voucher, at

if TYPE_CHECKING:
    from tests.browser.quality.ways import Show


@dataclass(frozen=True, slots=True)
class View:
    """A view and the way to it; `provokes` are parts of console messages that the way itself brings about."""

    name: str
    show: Show
    alone: bool = False  # in a browser of its own, since it disturbs the session
    signed_in: bool = True
    busy: bool = False  # something is still loading, which is what is to be seen
    provokes: tuple[str, ...] = ()


VIEWS = (
    View("signed-out", ways.signed_out, alone=True, signed_in=False),
    View("denied", ways.denied, alone=True, signed_in=False, provokes=("403",)),
    View("overview", at("/", "chart")),
    View("overview-as-table", ways.table_of_the_year),
    View("vouchers", at("/vouchers", "vouchers")),
    View("vouchers-none-fits", at("/vouchers?type=invoice&q=zzzz", "empty")),
    View("invoice", a_voucher("invoice", "open")),
    View("draft", a_voucher("invoice", "draft")),
    View("purchase", a_voucher("purchaseinvoice", "open")),
    View("filter-to-be-saved", ways.filter_to_be_saved),
    View("invoice-pdf", ways.pdf_shown),
    View("form", at("/invoices/new", "item"), alone=True),
    View("form-written", ways.invoice_written, alone=True),
    View("form-with-problems", ways.invoice_with_problems, alone=True),
    View("form-to-be-finished", ways.invoice_to_be_finished, alone=True),
    View("form-in-doubt", ways.invoice_in_doubt, alone=True, provokes=("ERR_FAILED",)),
    View("form-begun", ways.invoice_begun, alone=True),
    View("news", ways.something_new, alone=True),
    View("news-list", ways.list_of_news, alone=True),
    View("menu", ways.menu_open),
    View("sessions", ways.several_sessions),
    View("sessions-everywhere", ways.everything_is_to_end),
    View("receipts", at("/receipts", "drop")),
    View("receipts-of-a-booking", ways.receipts_of_a_booking),
    View("receipts-with-files", ways.receipts_with_files, provokes=("500",)),
    View("contacts", at("/contacts", "contacts")),
    View("contacts-none-fits", at("/contacts?q=zzzz", "empty")),
    View("contact", ways.a_contact),
    View("not-found", at("/nowhere", "user")),
    View("lexoffice-down", ways.lexoffice_down, provokes=("500",)),
    View("waiting", ways.waiting, busy=True),
    View("gateway-down", ways.gateway_down, alone=True, signed_in=False, provokes=("503",)),
    View("offline", ways.offline, alone=True, provokes=("ERR_INTERNET_DISCONNECTED",)),
    View("near-the-end", ways.near_the_end),
    View("session-ended", ways.session_ended, alone=True, busy=True, provokes=("401",)),
)
