"""What the front page shows: one organization's books, and everything about the sandbox beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from gateway.sandbox.authorization_server.grants import Connection
    from gateway.sandbox.books.ledger import Books
    from gateway.sandbox.webhooks.delivery import Delivery


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What came of the last form: `kind` names its text, `section` where it stands."""

    section: str
    kind: str
    about: str

    @property
    def is_problem(self) -> bool:
        """Whether nothing was done."""
        return self.kind.startswith("no_")


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """`now` is German local time by the sandbox's clock, `clock_offset` in seconds."""

    language: str
    words: Mapping[str, str]
    base_url: str
    books: Books
    connections: tuple[Connection, ...]
    deliveries: tuple[Delivery, ...]
    now: datetime
    clock_offset: float
    notice: Notice | None
