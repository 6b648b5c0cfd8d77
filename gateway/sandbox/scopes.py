"""The scopes of both pictures: what each allows and how the consent page words it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Scope:
    """`allows` names the lexware scopes that a scope stands for; itself, where it is one."""

    name: str
    en: str
    de: str
    allows: frozenset[str] = field(default_factory=frozenset[str])


_RESOURCES: dict[str, tuple[str, str]] = {
    "articles": ("articles", "Artikel"),
    "contacts": ("contacts", "Kontakte"),
    "credit-notes": ("credit notes", "Rechnungskorrekturen"),
    "event-subscriptions": ("event subscriptions", "Ereignis-Abonnements"),
    "files": ("files", "Dateien"),
    "invoices": ("invoices", "Rechnungen"),
    "payments": ("payments", "Zahlungen"),
    "profile": ("your name, e-mail address and company", "Ihren Namen, Ihre E-Mail-Adresse und Firma"),
    "voucherlist": ("the list of vouchers", "die Belegliste"),
    "vouchers": ("bookkeeping vouchers", "Buchhaltungsbelege"),
}
_WRITABLE = ("articles", "contacts", "event-subscriptions", "files", "invoices", "vouchers")


def _lexware() -> dict[str, Scope]:
    scopes: dict[str, Scope] = {}
    for key, (en, de) in _RESOURCES.items():
        name = f"{key}.read"
        scopes[name] = Scope(name, f"Read {en}", f"{de[0].upper()}{de[1:]} lesen", frozenset({name}))
        if key in _WRITABLE:
            name = f"{key}.write"
            scopes[name] = Scope(
                name, f"Create and change {en}", f"{de} anlegen und ändern", frozenset({name})
            )
    return scopes


LEXWARE: dict[str, Scope] = _lexware()

_INVOICE = (
    "credit-notes.read",
    "files.read",
    "invoices.read",
    "payments.read",
    "voucherlist.read",
    "vouchers.read",
)
OPENID: dict[str, Scope] = {
    "openid": Scope("openid", "Know who you are", "Ihre Identität kennen"),
    "profile": Scope(
        "profile",
        "Read your name and company",
        "Ihren Namen und Ihre Firma lesen",
        frozenset({"profile.read"}),
    ),
    "email": Scope("email", "Read your e-mail address", "Ihre E-Mail-Adresse lesen"),
    "offline_access": Scope("offline_access", "Stay connected", "Verbunden bleiben"),
    "invoice.read": Scope(
        "invoice.read",
        "Read invoices and their payments",
        "Rechnungen und Zahlungen lesen",
        frozenset(_INVOICE),
    ),
    "contact.read": Scope("contact.read", "Read contacts", "Kontakte lesen", frozenset({"contacts.read"})),
    **LEXWARE,
}


def scopes_of(picture: str) -> dict[str, Scope]:
    """All scopes that a client may ask for in `picture`."""
    return LEXWARE if picture == "lexware" else OPENID


def allows(granted: tuple[str, ...], needed: str) -> bool:
    """Whether the granted scopes stand for the lexware scope `needed`."""
    return any(needed in OPENID[name].allows for name in granted)
