"""The dashboard: 20 calls, 8 of them reference data, and why each may be cached or may not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["reference", "list", "single"]
VISIBLE, REST = 1, 5
"""The urgencies (RFC 9218) of what is on the screen first, and of what is not."""
CACHE = {"/api/v1/articles": 300, "/api/v1/contacts": 300, "/api/v1/voucherlist": 60}
"""Time to live in seconds by path, beside the presets' own: what the operator of this app sets."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One call of the page; `{0}` and `{1}` in its path are ids that the answer to the call `after` names."""

    name: str
    path: str
    kind: Kind
    why: str
    urgency: int = REST
    after: str | None = None

    @property
    def is_cached(self) -> bool:
        """Say whether lexgate may answer it from its cache."""
        return self.kind != "single"


_REFERENCE = "the preset's: the same for months"
_BY_SETTING = "by setting: `article.*` and `contact.*` events empty it"
_LIST = "by setting: every event of a voucher empties it"
_MONEY = "not: whoever looks at an amount that is due wants lexoffice's own word"
_OVERDUE = "overdue"
_PAGE = "&page=0&size=25&sort=voucherDate,DESC"


def _voucherlist(types: str, status: str, rest: str = _PAGE) -> str:
    return f"/api/v1/voucherlist?voucherType={types}&voucherStatus={status}{rest}"


DASHBOARD: tuple[Asked, ...] = (
    Asked("profile", "/api/v1/profile", "reference", _REFERENCE, VISIBLE),
    Asked(_OVERDUE, _voucherlist("invoice", "overdue"), "list", _LIST, VISIBLE),
    Asked("newest", _voucherlist("any", "any"), "list", _LIST, VISIBLE),
    Asked("open", _voucherlist("invoice", "open"), "list", _LIST, VISIBLE),
    Asked("to pay", _voucherlist("purchaseinvoice", "open"), "list", _LIST, VISIBLE),
    Asked("drafts", _voucherlist("invoice", "draft"), "list", _LIST),
    Asked("quotations", _voucherlist("quotation", "open"), "list", _LIST),
    Asked("paid", _voucherlist("invoice", "paid"), "list", _LIST),
    Asked("credit notes", _voucherlist("creditnote", "any"), "list", _LIST),
    Asked("orders", _voucherlist("orderconfirmation", "any"), "list", _LIST),
    Asked("customers", "/api/v1/contacts?customer=true&page=0&size=250", "reference", _BY_SETTING),
    Asked("vendors", "/api/v1/contacts?vendor=true&page=0&size=250", "reference", _BY_SETTING),
    Asked("articles", "/api/v1/articles?page=0&size=250", "reference", _BY_SETTING),
    Asked("countries", "/api/v1/countries", "reference", _REFERENCE),
    Asked("payment conditions", "/api/v1/payment-conditions", "reference", _REFERENCE),
    Asked("posting categories", "/api/v1/posting-categories", "reference", _REFERENCE),
    Asked("print layouts", "/api/v1/print-layouts", "reference", _REFERENCE),
    Asked("payments 1", "/api/v1/payments/{0}", "single", _MONEY, VISIBLE, _OVERDUE),
    Asked("payments 2", "/api/v1/payments/{1}", "single", _MONEY, VISIBLE, _OVERDUE),
    Asked("invoice 1", "/api/v1/invoices/{0}", "single", _MONEY, VISIBLE, _OVERDUE),
)
"""In the order in which the page's script asks; single ones as soon as the list that names them is there."""
