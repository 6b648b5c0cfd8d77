"""What an event is, and how one is written down for other replicas."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

CACHE = "cache"
"""The type of an event that tells other replicas of a write through this one."""

TOKEN_REVOKED = "token.revoked"  # noqa: S105 - the name of an event
"""The type of lexoffice's event that a connection was ended there; `resource_id` is the connection."""

_CHANGES = ("created", "changed", "deleted")
_RECORDS = ("article", "contact", "dunning", "recurring-template")
_DOCUMENTS = (
    "credit-note",
    "delivery-note",
    "down-payment-invoice",
    "invoice",
    "order-confirmation",
    "quotation",
    "voucher",
)

LEXOFFICE_TYPES = frozenset(
    {f"{name}.{change}" for name in (*_RECORDS, *_DOCUMENTS) for change in _CHANGES}
    | {f"{name}.status.changed" for name in _DOCUMENTS}
    | {"payment.changed", TOKEN_REVOKED}
)
"""Every type of event that lexoffice documents."""


KEPT_OF_ONE = 512
"""How many of lexoffice's events the log is to keep of one organization, so that none crowds out the others.

lexoffice signs what anybody changes in books of their own, and who has collected such deliveries could send
thousands at once. Of ended connections as many are kept beside those: they are not to wait for the others.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened: one of lexoffice's types, or CACHE; nothing else crosses between replicas."""

    type: str
    organization_id: str | None = None
    """Whose books it is about."""
    connection: str | None = field(default=None, repr=False)
    """The key of the grant through which it was done, in hex."""
    resource_id: str | None = None
    date: str | None = None
    """When it happened, as lexoffice wrote it."""
    data: Mapping[str, str] = field(default_factory=dict[str, str])
    id: str = ""
    """Its place in the log, once it has one."""

    @property
    def room(self) -> tuple[str | None, bool, bool]:
        """What it shares with the events that are counted with it; see KEPT_OF_ONE."""
        return self.organization_id, self.type == TOKEN_REVOKED, self.type == CACHE


def pack_event(event: Event) -> bytes:
    """Write an event down, without its id: that is given when it is kept."""
    known = {name: value for name, value in asdict(event).items() if name != "id" and value}
    return json.dumps(known, separators=(",", ":")).encode()


def unpack_event(packed: bytes, *, event_id: str) -> Event:
    """Read what `pack_event` wrote."""
    return Event(**json.loads(packed), id=event_id)
