"""What each provider's settings are unless they are given."""

from __future__ import annotations

from dataclasses import dataclass

_LEXWARE_SCOPE = (
    "profile.read contacts.read invoices.read voucherlist.read vouchers.read files.read articles.read"
    " payments.read"
)


@dataclass(frozen=True, slots=True)
class Preset:
    """The endpoints and the scope of one provider; None is what the operator has to say."""

    authorization_server: str | None
    api_url: str | None
    scope: str
    budget_rate: float | None
    """Calls a second that the API takes."""


PRESETS = {
    "lexware": Preset("https://app.lexware.de", "https://api.lexware.io", _LEXWARE_SCOPE, 2.0),
    "lexware-sandbox": Preset(
        "https://app.lexware-sandbox.de", "https://api.lexware-sandbox.io", _LEXWARE_SCOPE, 2.0
    ),
    "openid": Preset(None, None, "openid profile email", None),
}
