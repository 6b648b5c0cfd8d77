"""What happened in the books or to a connection, as a webhook tells it."""

from __future__ import annotations

import json
from dataclasses import dataclass

from gateway.sandbox.books.dates import local, wire

_CHANGES = ("created", "changed", "deleted")
_MASTER_DATA = ("article", "contact", "dunning", "recurring-template")
_VOUCHERS = (
    "credit-note",
    "delivery-note",
    "down-payment-invoice",
    "invoice",
    "order-confirmation",
    "quotation",
    "voucher",
)
EVENT_TYPES = (
    *(f"{resource}.{change}" for resource in _MASTER_DATA for change in _CHANGES),
    *(f"{resource}.{change}" for resource in _VOUCHERS for change in (*_CHANGES, "status.changed")),
    "payment.changed",
    "token.revoked",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event; `date` is in Unix seconds by the sandbox's clock."""

    organization_id: str
    type: str
    resource_id: str
    date: float

    def body(self) -> bytes:
        """Return the compact JSON that is signed and sent."""
        document = {
            "organizationId": self.organization_id,
            "eventType": self.type,
            "resourceId": self.resource_id,
            "eventDate": wire(local(self.date)),
        }
        return json.dumps(document, separators=(",", ":")).encode()
