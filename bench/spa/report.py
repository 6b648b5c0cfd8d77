"""The tables of `make bench-spa`, as Markdown."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from bench.report import build_table
from bench.spa.measure import api_bytes, kind_bytes, wire_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bench.spa.measure import Loads

_KINDS = {"Document": "page", "Script": "scripts", "Stylesheet": "styles"}
_TIMES = (
    "first paint",
    "first contentful paint",
    "largest contentful paint",
    "blocking",
    "script",
    "layout shift",
)


def build_weight_table(rows: Sequence[Loads]) -> str:
    """Build the table of what a first load transfers: coded bodies by kind, then all with the fields."""
    head = (
        "first load",
        "requests",
        *_KINDS.values(),
        "all",
        "all with fields, HTTP/1.1",
        "answers of the API",
    )
    return build_table(head, (_build_weight(row) for row in rows if row.is_cold), words=head[:1])


def build_time_table(rows: Iterable[Loads]) -> str:
    """Build the table of when what was seen."""
    head = ("", "cache", "requests", "transferred", *_TIMES)
    return build_table(head, (_build_times(row) for row in rows), words=head[:2])


def _build_weight(row: Loads) -> list[str]:
    kinds = (row.middle(partial(kind_bytes, kind=kind)) for kind in _KINDS)
    return [
        row.view,
        f"{row.middle(lambda load: len(load.sent)):.0f}",
        *(_kilobytes(size) for size in kinds),
        _kilobytes(row.middle(lambda load: load.bytes())),
        _kilobytes(row.middle(wire_bytes)),
        _kilobytes(row.middle(api_bytes)),
    ]


def _build_times(row: Loads) -> list[str]:
    times = (
        row.middle(lambda load: load.first_paint),
        row.middle(lambda load: load.first_contentful_paint),
        row.middle(lambda load: load.largest_contentful_paint),
        row.middle(lambda load: load.blocking),
        row.middle(lambda load: load.script),
    )
    return [
        row.view,
        "empty" if row.is_cold else "full",
        f"{row.middle(lambda load: len(load.sent)):.0f}",
        _kilobytes(row.middle(wire_bytes)),
        *(f"{time / 1e3:.2f} s" for time in times),
        f"{row.worst_shift():.4f}",
    ]


def _kilobytes(size: float) -> str:
    return f"{size / 1e3:.1f} KB"
