"""The books: what is in them and how it changes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

if TYPE_CHECKING:
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

    def add_file(self, file: StoredFile) -> str:
        """Keep a file and returns its id."""
        file_id = str(uuid4())
        self.files[file_id] = file
        return file_id

    def voucher_of_file(self, file_id: str) -> Voucher | None:
        """Return the voucher whose document has this id."""
        return next((voucher for voucher in self.vouchers.values() if voucher.file_id == file_id), None)
