"""Dates as lexoffice writes and reads them: German local time, three digits of milliseconds, an offset."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone

_FORMAT = re.compile(r"20\d{2}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}(Z|[+-]\d{2}:\d{2})")


def local(timestamp: float) -> datetime:
    """Unix seconds as German local time; computed, for small containers have no zone data."""
    instant = datetime.fromtimestamp(timestamp, UTC)
    hours = 2 if _change(instant.year, 3) <= instant < _change(instant.year, 10) else 1
    return instant.astimezone(timezone(timedelta(hours=hours)))


def _change(year: int, month: int) -> datetime:
    """When the clocks change: the last Sunday of March or October, at 1:00 UTC."""
    last = datetime(year, month, 31, 1, tzinfo=UTC)
    return last - timedelta(days=(last.weekday() + 1) % 7)


def midnight(day: date) -> datetime:
    """Return the start of a day in Germany."""
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC).timestamp()
    offset = local(noon - 12 * 3600).tzinfo
    return datetime(day.year, day.month, day.day, tzinfo=offset)


def wire(moment: datetime) -> str:
    """`yyyy-MM-ddTHH:mm:ss.SSSXXX`."""
    return moment.isoformat(timespec="milliseconds")


def parse_wire(text: object) -> datetime | None:
    """Return the moment, or None for anything that is not exactly in lexoffice's format."""
    if not isinstance(text, str) or not _FORMAT.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
