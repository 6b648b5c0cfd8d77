"""The books: what is in them and how it changes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from gateway.sandbox.books.voucher_events import event_types_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.sandbox.accounts import Organization
    from gateway.sandbox.books.voucher import Voucher

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class StoredFile:
    """An uploaded file."""

    name: str
    media_type: str
    content: bytes = field(repr=False)


class Books:
    """Contacts, articles and event subscriptions are JSON as the API shows it; vouchers are values."""

    def __init__(self, organization: Organization) -> None:
        self.organization = organization
        self.announce: Callable[[str, str], None] = _nobody_hears
        """Is told the type and resource of every change that is made by one of the methods below."""
        self.contacts: dict[str, Json] = {}
        self.articles: dict[str, Json] = {}
        self.vouchers: dict[str, Voucher] = {}
        self.files: dict[str, StoredFile] = {}
        self.subscriptions: dict[str, Json] = {}
        self._numbers: dict[str, int] = {
            "customer": 10000,
            "vendor": 70000,
            "invoice": 1000,
            "creditnote": 400,
        }

    def next_number(self, series: str) -> int:
        """Return the next number of a series: customer, vendor, invoice, creditnote."""
        self._numbers[series] += 1
        return self._numbers[series]

    def keep_contact(self, contact: Json) -> None:
        """Keep a new or changed contact."""
        change = "changed" if contact["id"] in self.contacts else "created"
        self.contacts[contact["id"]] = contact
        self.announce(f"contact.{change}", contact["id"])

    def keep_article(self, article: Json) -> None:
        """Keep a new or changed article."""
        change = "changed" if article["id"] in self.articles else "created"
        self.articles[article["id"]] = article
        self.announce(f"article.{change}", article["id"])

    def delete_article(self, article_id: str) -> None:
        """Delete an article; raises KeyError where there is none."""
        del self.articles[article_id]
        self.announce("article.deleted", article_id)

    def keep_voucher(self, voucher: Voucher) -> None:
        """Keep a new or changed voucher."""
        before = self.vouchers.get(voucher.id)
        self.vouchers[voucher.id] = voucher
        for event_type in event_types_of(before, voucher):
            self.announce(event_type, voucher.id)

    def add_file(self, file: StoredFile) -> str:
        """Keep a file and returns its id."""
        file_id = str(uuid4())
        self.files[file_id] = file
        return file_id

    def voucher_of_file(self, file_id: str) -> Voucher | None:
        """Return the voucher whose document has this id."""
        return next((voucher for voucher in self.vouchers.values() if voucher.file_id == file_id), None)


def _nobody_hears(_event_type: str, _resource_id: str) -> None:
    pass
