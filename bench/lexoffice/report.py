"""The tables of `make bench-lexoffice`, as Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.lexoffice.arithmetic import count_needed
from bench.lexoffice.dashboard import DASHBOARD
from bench.lexoffice.scenario import LEXGATE
from bench.report import build_table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bench.lexoffice.arithmetic import Limit
    from bench.lexoffice.result import Load, Row

_HEAD = (
    "",
    "behind",
    "until all are there",
    "limit by arithmetic",
    "calls sent upstream",
    "must be fetched",
    "429 at the browser",
    "never there",
    "longest wait",
    "wait / mean",
    "second load",
    "sent upstream",
    "bodies again",
)


def build_measured_table(rows: Iterable[Row], limit: Limit) -> str:
    """Build the table of what was measured."""
    return build_table(_HEAD, (_build_row(row, limit) for row in rows), words=_HEAD[:2])


def build_dashboard_table() -> str:
    """Build the list of the dashboard's calls."""
    head = ("call", "what", "cached", "urgency")
    body = ((f"`{one.path}`", one.kind, one.why, f"u={one.urgency}") for one in DASHBOARD)
    return build_table(head, body, words=head)


def _build_row(row: Row, limit: Limit) -> list[str]:
    first, needed = row.first, count_needed(row.first)
    # A proxy that shares nothing must fetch everything: that is its limit.
    needed = needed if row.proxy == LEXGATE else len(first.calls)
    return [
        row.scenario,
        row.proxy,
        f"{first.seconds:.1f} s",
        f"{limit.seconds(needed):.1f} s",
        f"{first.upstream}",
        f"{needed}",
        f"{first.refusals}",
        f"{first.missing}",
        f"{first.longest_wait:.1f} s",
        f"{first.unfairness:.2f}",
        *_build_second(row.second),
    ]


def _build_second(second: Load | None) -> tuple[str, str, str]:
    if second is None:
        return "-", "-", "-"
    return f"{second.seconds:.1f} s", f"{second.upstream}", f"{second.sent_bytes / 1e3:.0f} KB"
