"""What the app may weigh, and that nothing of it moves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.targets import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bench.spa.measure import Loads

FIRST_LOAD_BYTES = 60_000
"""Of the overview, which an address without a path opens."""
ANY_VIEW_BYTES = 80_000
"""Where another view's address is opened first."""
CLIENT_BYTES = 5_000
SHIFT = 0.005
"""What is smaller is 0.00 to everybody who prints two digits."""
_CLIENT = r"^/auth/.*\.js$"


def judge(rows: Iterable[Loads]) -> list[Verdict]:
    """Judge the loads from an empty cache by weight, all of them by what moved."""
    verdicts: list[Verdict] = []
    client: list[float] = []
    for row in rows:
        if row.is_cold:
            weight = row.middle(lambda load: load.bytes())
            most = FIRST_LOAD_BYTES if row.view == "overview" else ANY_VIEW_BYTES
            verdicts.append(_judge_bytes(f"{row.view}: first load", weight, most))
            client.append(row.middle(lambda load: load.bytes(_CLIENT)))
        moved, when = row.worst_shift(), "first load" if row.is_cold else "load again"
        verdicts.append(
            Verdict(f"{row.view}: layout shift, {when}", "0.00", f"{moved:.4f}", moved < SHIFT),
        )
    if client:
        verdicts.append(_judge_bytes("the client", max(client), CLIENT_BYTES))
    return verdicts


def _judge_bytes(what: str, measured: float, target: int) -> Verdict:
    return Verdict(what, f"< {target / 1e3:g} KB", f"{measured / 1e3:.1f} KB", measured < target)
