"""What each provider's settings are unless they are given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_LEXWARE_SCOPE = (
    "profile.read contacts.read invoices.read invoices.write credit-notes.read voucherlist.read vouchers.read"
    " files.read files.write articles.read payments.read"
)
# No webhook tells of these: it is by time alone that they are asked for again.
_LEXWARE_CACHE = {
    "/api/v1/profile": 300,
    "/api/v1/countries": 3600,
    "/api/v1/payment-conditions": 600,
    "/api/v1/posting-categories": 3600,
    "/api/v1/print-layouts": 600,
}


@dataclass(frozen=True, slots=True)
class Preset:
    """The endpoints and the scope of one provider; None is what the operator has to say."""

    authorization_server: str | None
    api_url: str | None
    scope: str
    cache: Mapping[str, int]
    """Paths whose answers are the same for hours, with the seconds for which they are kept."""
    budget_rate: float | None
    """Calls a second that the API takes."""


_LEXWARE: tuple[str, Mapping[str, int], float] = (_LEXWARE_SCOPE, _LEXWARE_CACHE, 2.0)

PRESETS = {
    "lexware": Preset("https://app.lexware.de", "https://api.lexware.io", *_LEXWARE),
    "lexware-sandbox": Preset("https://app.lexware-sandbox.de", "https://api.lexware-sandbox.io", *_LEXWARE),
    "openid": Preset(None, None, "openid profile email", {}, None),
}
