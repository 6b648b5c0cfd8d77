"""The targets of the dashboard, and whether what was measured meets them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.lexoffice.arithmetic import count_needed
from bench.lexoffice.scenario import LEXGATE, SCENARIOS
from bench.targets import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bench.lexoffice.arithmetic import Limit
    from bench.lexoffice.result import Row

OVER_LIMIT = 1.05
"""Times the arithmetic limit that all may take until they are there."""
UNFAIR = 2.0
"""Times the mean that the session may wait that waits most."""
SECOND_SHARE = 0.25
"""Of the upstream calls of the first load."""


def judge(rows: Iterable[Row], limit: Limit) -> list[Verdict]:
    """Judge lexgate's rows of the scenarios that the targets are meant for."""
    judged = {scenario.name for scenario in SCENARIOS if scenario.is_judged}
    return [
        verdict
        for row in rows
        if row.proxy == LEXGATE and row.scenario in judged
        for verdict in _judge_row(row, limit)
    ]


def _judge_row(row: Row, limit: Limit) -> Iterator[Verdict]:
    loads = [load for load in (row.first, row.second) if load is not None]
    refusals, missing = (sum(load.refusals for load in loads), sum(load.missing for load in loads))
    yield Verdict(f"{row.scenario}: 429 at the browser", "0", f"{refusals}", refusals == 0)
    yield Verdict(f"{row.scenario}: calls that brought nothing", "0", f"{missing}", missing == 0)
    best = limit.seconds(count_needed(row.first))
    ratio = row.first.seconds / best
    yield Verdict(
        f"{row.scenario}: time / the limit for what must be fetched",
        f"<= {OVER_LIMIT:g}",
        f"{ratio:.2f} ({row.first.seconds:.1f} s, {best:.1f} s)",
        ratio <= OVER_LIMIT and row.first.missing == 0,
    )
    unfair = max(load.unfairness for load in loads)
    yield Verdict(
        f"{row.scenario}: longest / mean wait of a session",
        f"<= {UNFAIR:g}",
        f"{unfair:.2f}",
        unfair <= UNFAIR,
    )
    if row.second is not None:
        share = row.second.upstream / row.first.upstream
        yield Verdict(
            f"{row.scenario}: upstream calls of the second load / of the first",
            f"<= {SECOND_SHARE:g}",
            f"{share:.2f} ({row.second.upstream} of {row.first.upstream})",
            share <= SECOND_SHARE,
        )
