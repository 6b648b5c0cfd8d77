"""Money, days and times as the pages write them, and money as people type it."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

from gateway.sandbox.books.document import money

if TYPE_CHECKING:
    from datetime import datetime

_AMOUNT = re.compile(r"(\d{1,3}(?:[.,]\d{3})+|\d{1,9})(?:[.,](\d{1,2}))?", re.ASCII)


def format_money(language: str, cents: int) -> str:
    """`1.234,56 €` or `€1,234.56`."""
    return money(cents) if language == "de" else f"€{Decimal(cents) / 100:,.2f}"


def format_amount(language: str, cents: int) -> str:
    """`1234,56` or `1234.56`, for a field that is typed in."""
    text = f"{Decimal(cents) / 100:.2f}"
    return text.replace(".", ",") if language == "de" else text


def format_day(language: str, moment: datetime) -> str:
    """`03.09.2026` or `3 Sep 2026`."""
    return f"{moment:%d.%m.%Y}" if language == "de" else f"{moment.day} {moment:%b %Y}"


def format_time(moment: datetime) -> str:
    """`14:03:59`."""
    return f"{moment:%H:%M:%S}"


def parse_amount(text: str) -> int | None:
    """Return the cents of `1.234,56`, `1,234.56`, `1234`, `12,5`, `€ 12`; None for what is no amount."""
    match = _AMOUNT.fullmatch(re.sub(r"[\s\u00a0€]", "", text))
    if match is None:
        return None
    euros, cents = re.sub(r"\D", "", match[1]), (match[2] or "").ljust(2, "0")
    return int(euros) * 100 + int(cents)
