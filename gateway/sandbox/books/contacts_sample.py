"""The generator's contacts and articles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.sandbox.books.dates import local, wire
from gateway.sandbox.books.draw import ascii_name, draw_id
from gateway.sandbox.books.samples import (
    CATALOGUES,
    CUSTOMERS,
    FIRST_NAMES,
    LAST_NAMES,
    STREETS,
    TOWNS,
    VENDORS,
)

if TYPE_CHECKING:
    from random import Random

    from gateway.sandbox.books.ledger import Books, Json

_DAY = 86400.0


def add_contacts(books: Books, random: Random) -> None:
    """16 companies that buy, 6 that sell and 3 people."""
    key = books.organization.key
    for name in CUSTOMERS[key]:
        _add(books, random, _company(random, name), ("customer",))
    for number, name in enumerate(VENDORS[key]):
        _add(books, random, _company(random, name), ("customer", "vendor") if number == 0 else ("vendor",))
    for last_name in random.sample(LAST_NAMES, 3):
        _add(books, random, _person(random, last_name), ("customer",))


def _add(books: Books, random: Random, contact: Json, roles: tuple[str, ...]) -> None:
    contact_id = draw_id(random)
    zip_code, city = random.choice(TOWNS)
    street = f"{random.choice(STREETS)} {random.randint(1, 98)}"
    books.contacts[contact_id] = {
        "id": contact_id,
        "organizationId": books.organization.id,
        "version": 1,
        "roles": {role: {"number": books.next_number(role)} for role in roles},
        **contact,
        "addresses": {"billing": [{"street": street, "zip": zip_code, "city": city, "countryCode": "DE"}]},
        "phoneNumbers": {"business": [f"+49 {random.randint(30, 99)} {random.randint(100000, 9999999)}"]},
        "archived": False,
    }


def _company(random: Random, name: str) -> Json:
    first, last = random.choice(FIRST_NAMES), random.choice(LAST_NAMES)
    domain = f"{ascii_name(name)}.example"
    person = {
        "salutation": random.choice(("Frau", "Herr")),
        "firstName": first,
        "lastName": last,
        "primary": True,
        "emailAddress": f"{ascii_name(last)}@{domain}",
        "phoneNumber": f"+49 171 {random.randint(1000000, 9999999)}",
    }
    company = {
        "name": name,
        "taxNumber": f"{random.randint(10, 99)}/{random.randint(100, 999)}/{random.randint(10000, 99999)}",
        "vatRegistrationId": f"DE{random.randint(100000000, 999999999)}",
        "allowTaxFreeInvoices": False,
        "contactPersons": [person],
    }
    return {"company": company, "emailAddresses": {"business": [f"buchhaltung@{domain}"]}}


def _person(random: Random, last_name: str) -> Json:
    first = random.choice(FIRST_NAMES)
    person = {"salutation": random.choice(("Frau", "Herr")), "firstName": first, "lastName": last_name}
    email = f"{ascii_name(first)}.{ascii_name(last_name)}@post.example"
    return {"person": person, "emailAddresses": {"private": [email]}, "note": "Kauft im Ladengeschäft"}


def add_articles(books: Books, random: Random, *, now: float) -> None:
    """Return the organization's catalogue."""
    for number, (title, kind, unit, net, rate) in enumerate(CATALOGUES[books.organization.key], 1):
        article_id = draw_id(random)
        moment = wire(local(now - random.randint(740, 900) * _DAY))
        books.articles[article_id] = {
            "id": article_id,
            "organizationId": books.organization.id,
            "createdDate": moment,
            "updatedDate": moment,
            "archived": False,
            "title": title,
            "description": "",
            "type": kind,
            "articleNumber": f"A-{number:03}",
            "gtin": "",
            "note": "",
            "unitName": unit,
            "price": {
                "netPrice": net / 100,
                "grossPrice": round(net * (100 + rate) / 100) / 100,
                "leadingPrice": "NET",
                "taxRate": rate,
            },
            "version": 1,
        }
