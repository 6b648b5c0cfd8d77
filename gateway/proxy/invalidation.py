"""What lexoffice's answers depend on: which resources a write or an event touches (PURE).

A resource is the first segment after the version: `contacts` of /api/v1/contacts/7. Whatever is not known
for certain touches everything: None stands for that.
"""

from __future__ import annotations

import re

Resources = frozenset[str] | None

_PATH = re.compile(rb"/api/v1/([a-z-]+)(?:/[A-Za-z0-9._~/-]*)?")
_EVENT = re.compile(r"([a-z-]+)\.(?:created|changed|deleted|status\.changed)")
_SALES = frozenset(
    {
        "credit-notes",
        "delivery-notes",
        "down-payment-invoices",
        "dunnings",
        "invoices",
        "order-confirmations",
        "quotations",
        "recurring-templates",
    }
)
# Bookkeeping hangs together: a payment moves a voucher's status, and a follow-up names what came before it.
_BOOKS = _SALES | {"voucherlist", "vouchers", "payments", "files"}
_TOUCHED = {
    **dict.fromkeys(_BOOKS, _BOOKS),
    "contacts": _BOOKS | {"contacts"},
    "articles": frozenset({"articles"}),
    "event-subscriptions": frozenset({"event-subscriptions"}),
}
_PLURALS = {
    **{name.removesuffix("s"): name for name in _SALES},
    "voucher": "vouchers",
    "contact": "contacts",
    "article": "articles",
    "payment": "payments",
}
_NOTHING: frozenset[str] = frozenset()


def resource_of(path: bytes) -> str | None:
    """Name the resource of a path under /api, as it was received; None for one that says it otherwise."""
    found = _PATH.fullmatch(path)
    return found[1].decode("ascii") if found else None


def touched_by_write(path: bytes) -> Resources:
    """Return what a call with an unsafe method may have changed."""
    resource = resource_of(path)
    return None if resource is None else _TOUCHED.get(resource)


def touched_by_event(event_type: str) -> Resources:
    """Return what has changed when lexoffice tells of it."""
    if event_type == "token.revoked":
        return _NOTHING  # what ends with the grant is forgotten with it
    found = _EVENT.fullmatch(event_type)
    return _TOUCHED.get(_PLURALS.get(found[1], "")) if found else None


def touch_everything(_path: bytes) -> Resources:
    """Stand for `touched_by_write` where the resource server is not lexoffice."""
    return None
