"""What came of a form, told where the form stands."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from gateway.sandbox.pages.format import format_money

if TYPE_CHECKING:
    from gateway.sandbox.pages.view import View

KINDS = frozenset(
    {
        "added",
        "paid",
        "paid_partly",
        "voided",
        "ended",
        "clock",
        "no_contact",
        "no_amount",
        "no_voucher",
        "no_status",
        "no_connection",
    }
)
"""Those with `no_` are problems: nothing was done."""


def notice_of(view: View, section: str) -> str:
    """Return the notice that belongs to a section, or nothing."""
    notice = view.notice
    if notice is None or notice.section != section:
        return ""
    voucher = view.books.vouchers.get(notice.about)
    told = view.words[f"notice_{notice.kind}"].format(
        number=escape(voucher.number or "") if voucher else "",
        customer=escape(voucher.contact_name) if voucher else "",
        open=format_money(view.language, voucher.open) if voucher else "",
    )
    kind, role = ("problem", "alert") if notice.is_problem else ("done", "status")
    return f'<p class="notice {kind}" role="{role}" data-testid="notice">{told}</p>'
