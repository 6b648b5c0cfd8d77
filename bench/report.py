"""The tables, as Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.targets import SQLITE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bench.result import Row
    from bench.targets import Verdict

_WORDS = {True: "yes", False: "**no**", None: "-"}


def build_measured_table(rows: Mapping[str, Row]) -> str:
    """Build the table of the measured proxies; the ratios are lexgate's on SQLite to each one's."""
    head = (
        "",
        "1 KB: req / CPU-s",
        "lexgate is",
        "100 KB: req / CPU-s",
        "lexgate is",
        "half of its capacity",
        "p50",
        "p99",
        "memory",
        "errors",
    )
    return build_table(head, (_build_row(row, rows.get(SQLITE)) for row in rows.values()))


def build_verdict_table(verdicts: Iterable[Verdict]) -> str:
    """Build the table of the targets."""
    head = ("", "target", "measured", "met")
    return build_table(
        head,
        ((each.what, each.target, each.measured, _WORDS[each.is_met]) for each in verdicts),
    )


def build_versions_table(rows: Iterable[Row]) -> str:
    """Build the table of what was measured."""
    return build_table(("", "version"), ((row.name, row.version) for row in rows))


def _build_row(row: Row, own: Row | None) -> list[str]:
    cells = [row.name if row.is_valid else f"{row.name} (**invalid**)"]
    for document in ("1k", "100k"):
        figure = row.per_cpu_second(document)
        is_comparable = own is not None and own.is_valid and row.is_valid
        ratio = own.per_cpu_second(document) / figure if own is not None and is_comparable else None
        cells += [f"{figure:,.0f} ± {row.spread(document):.0%}", "-" if ratio is None else f"{ratio:.2f} x"]
    cells += [f"{row.rate():,.0f} / s", f"{row.p50() * 1e3:.2f} ms", f"{row.p99() * 1e3:.2f} ms"]
    return [*cells, f"{row.resident_bytes / 1e6:.0f} MB", f"{row.errors}"]


def build_table(
    head: Sequence[str], body: Iterable[Sequence[str]], words: Iterable[str] = ("", "version")
) -> str:
    """Build any table; columns whose heads are not among `words` hold numbers."""
    rule = ["---" if name in set(words) else "---:" for name in head]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rule, *body))
