"""Seeded books: 110 vouchers over two years, more in the second, for customers and vendors that exist."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING

from gateway.sandbox.books.contacts_sample import add_articles, add_contacts
from gateway.sandbox.books.dates import local, midnight
from gateway.sandbox.books.draw import draw_id
from gateway.sandbox.books.ledger import Books
from gateway.sandbox.books.samples import PURCHASES, TERMS
from gateway.sandbox.books.voucher import Line, Payment, Voucher, tax_amounts

if TYPE_CHECKING:
    from datetime import datetime

    from gateway.sandbox.accounts import Organization
    from gateway.sandbox.books.ledger import Json

_DAYS = 360
_YEARS = ((_DAYS, 50, 3), (0, 60, 4))
"""The year before and the last one: the age of its end in days, its vouchers, the most lines of a sale."""
_SALES = frozenset({"invoice", "salesinvoice", "creditnote"})
_PURCHASE_PREFIX = ("RG", "BEL", "R", "LF")
_FATES: dict[int, str] = {
    0: "draft",
    1: "open",
    2: "open",
    3: "draft",
    4: "open",
    5: "open",
    8: "open",
    9: "partly",
    13: "open",
    16: "open",
    18: "voided",
    23: "partly",
    29: "voided",
    35: "open",
    47: "voided",
}
"""By age, the newest voucher of the last year first; the older ones that are open are overdue."""


def generate_books(organization: Organization, *, seed: int, now: float) -> Books:
    """Books of one organization, the same for the same seed and day."""
    random = Random(f"{seed}:{organization.key}")
    books = Books(organization)
    add_contacts(books, random)
    add_articles(books, random, now=now)
    today = local(now)
    for end, vouchers, lines in _YEARS:
        for index in range(vouchers):
            age = end + _DAYS - 1 - index * _DAYS // vouchers - random.randint(0, 4)
            day = midnight((today - timedelta(days=max(age, 0))).date())
            fate = "paid" if end else _FATES.get(vouchers - 1 - index, "paid")
            voucher = _draw(books, random, _kind(index), fate, lines, day, today)
            books.vouchers[voucher.id] = voucher
    return books


def _kind(index: int) -> str:
    """Sales first: of ten vouchers six are invoices and three are bills; now and then a credit note."""
    if index % 20 == 13:  # noqa: PLR2004 - a place in the pattern
        return "creditnote"
    if index % 30 == 17:  # noqa: PLR2004 - a place in the pattern
        return "purchasecreditnote"
    if index % 15 == 4:  # noqa: PLR2004 - a place in the pattern
        return "salesinvoice"
    return "purchaseinvoice" if index % 3 == 1 else "invoice"


def _draw(
    books: Books, random: Random, kind: str, fate: str, most: int, day: datetime, today: datetime
) -> Voucher:
    contact = _contact(books, random, kind)
    lines = draw_sold(books, random, most) if kind in _SALES else _bought(random)
    days, term = TERMS[1] if fate == "open" else random.choice(TERMS)
    created = day + timedelta(hours=random.randint(7, 17), minutes=random.randint(0, 59))
    voucher = Voucher(
        id=draw_id(random),
        kind=kind,
        status="open",
        number=_number(books, random, kind, day),
        date=day,
        due=midnight((day + timedelta(days=days)).date()),
        created=created if created < today else day,
        updated=created if created < today else day,
        contact_id=contact["id"],
        contact_name=contact_name(contact),
        address=address_of(contact),
        lines=lines,
        term=term,
        term_days=days,
        title="Rechnungskorrektur" if kind == "creditnote" else "Rechnung",
        introduction="Vielen Dank für Ihren Auftrag. Wir stellen Ihnen wie vereinbart in Rechnung:",
        remark="Verwendungszweck bei Zahlung: die Rechnungsnummer." if kind in _SALES else None,
        file_id=draw_id(random),
        tax_amounts=tax_amounts(lines, "net"),
    )
    return _settled(voucher, random, today, fate)


def _settled(voucher: Voucher, random: Random, today: datetime, fate: str) -> Voucher:
    """Return what became of the voucher; what nothing is said of was paid, credit notes were paid off."""
    if "creditnote" in voucher.kind:
        return replace(voucher, status="open" if fate == "open" else "paidoff")
    if fate == "draft":
        return replace(voucher, status="draft", number=None, file_id=None)
    if fate == "voided":
        return replace(voucher, status="voided", version=2)
    if fate == "partly":
        day = min(voucher.date + timedelta(days=random.randint(3, 12)), midnight(today.date()))
        return replace(voucher, payments=(Payment(midnight(day.date()), voucher.gross // 2),))
    return voucher if fate == "open" else _paid(voucher, random, today)


def _paid(voucher: Voucher, random: Random, today: datetime) -> Voucher:
    day = min(voucher.date + timedelta(days=random.randint(2, voucher.term_days + 6)), midnight(today.date()))
    payment = Payment(midnight(day.date()), voucher.gross)
    return replace(voucher, status="paid", payments=(payment,), version=2, updated=max(voucher.updated, day))


def _number(books: Books, random: Random, kind: str, day: datetime) -> str:
    if kind == "creditnote":
        return f"GS{books.next_number('creditnote')}"
    if kind in _SALES:
        return f"RE{books.next_number('invoice')}"
    return f"{random.choice(_PURCHASE_PREFIX)}-{day:%y%m}-{random.randint(100, 9999)}"


def _contact(books: Books, random: Random, kind: str) -> Json:
    """Draw a customer or vendor; a credit note is for somebody who was sent an invoice before."""
    role = "customer" if kind in _SALES else "vendor"
    contacts = [contact for contact in books.contacts.values() if role in contact["roles"]]
    if kind == "creditnote":
        billed = {voucher.contact_id for voucher in books.vouchers.values() if voucher.kind == "invoice"}
        contacts = [contact for contact in contacts if contact["id"] in billed] or contacts
    return random.choice(contacts)


def draw_sold(books: Books, random: Random, most: int = 4) -> tuple[Line, ...]:
    """Return one line or more of what the organization sells, at net prices."""
    articles = random.sample(list(books.articles.values()), random.randint(1, most))
    return tuple(_article_line(random, article) for article in articles)


def _article_line(random: Random, article: Json) -> Line:
    is_service = article["type"] == "SERVICE"
    price = round(article["price"]["netPrice"] * 100)
    return Line(
        id=article["id"],
        kind="service" if is_service else "material",
        name=article["title"],
        quantity=Decimal(random.choice((1, 2, 3, 5) if is_service else _quantities(price))),
        unit_name=article["unitName"],
        unit_price=price,
        tax_rate=Decimal(article["price"]["taxRate"]),
        discount=Decimal(random.choice((0, 0, 0, 0, 5, 10))),
    )


def _quantities(price: int) -> tuple[int, ...]:
    return (12, 24, 36, 60, 120) if price < 2000 else (1, 2, 4, 6)  # noqa: PLR2004 - 20 euros a piece


def _bought(random: Random) -> tuple[Line, ...]:
    return tuple(
        Line(
            id=draw_id(random),
            kind="custom",
            name=name,
            unit_price=net * random.randint(60, 140) // 100,
            tax_rate=Decimal(rate),
        )
        for name, net, rate in random.sample(PURCHASES, random.choice((1, 1, 2)))
    )


def contact_name(contact: Json) -> str:
    """Return a contact's name as it stands on vouchers."""
    if "company" in contact:
        return str(contact["company"]["name"])
    person = contact["person"]
    return f"{person.get('firstName') or ''} {person['lastName']}".strip()


def address_of(contact: Json) -> dict[str, str]:
    """Return the billing address with the contact's name, as an invoice shows it."""
    billing: list[dict[str, str]] = contact.get("addresses", {}).get("billing") or [{"countryCode": "DE"}]
    return {"name": contact_name(contact), **{key: str(value) for key, value in billing[0].items()}}
