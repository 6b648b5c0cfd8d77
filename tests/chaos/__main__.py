"""`make chaos`: every row on both stores; prints the table, and ends with 1 if a promise was broken."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from typing import IO, TYPE_CHECKING

from tests.chaos import calls, kills, outages, troubles
from tests.chaos.result import HEAD
from tests.chaos.stage import running_stage

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.chaos.result import Result
    from tests.chaos.stage import Stage

    Row = Callable[[Stage, int], Awaitable[Result]]

BOUND_SECONDS = 590
_SHARES: tuple[tuple[Row, int], ...] = (
    (calls.due_tokens, 1),
    (calls.nearly_due_tokens, 10),
    (calls.leaving_browsers, 1),
    (kills.before_sending, 2),
    (kills.while_waiting, 2),
    (kills.after_rotation, 5),
    (kills.answer_lost, 5),
    (troubles.slow_server, 10),
    (troubles.failing_server, 10),
    (troubles.refusing_server, 10),
    (troubles.hanging_up_server, 10),
    (troubles.silent_server, 20),
    (calls.early_deaths, 5),
    (outages.secrets_in_one_step, 10),
    (outages.secrets_in_two_steps, 10),
)
_OF_REDIS: tuple[tuple[Row, int], ...] = ((outages.paused_redis, 10), (outages.restarted_redis, 10))


async def play(store: str, rows: list[tuple[Row, int]]) -> list[Result]:
    """Play rows, each with its number of trials, on one stage."""
    results: list[Result] = []
    async with running_stage(store) as stage:
        for row, trials in rows:
            started = time.monotonic()
            results.append(await row(stage, trials))
            _say(f"{time.monotonic() - started:5.0f} s  {results[-1].line()}", sys.stderr)
    return results


async def _play_all(trials: int, stores: list[str]) -> list[Result]:
    rows = {
        store: [
            (row, max(3, trials // share))
            for row, share in (*_SHARES, *(_OF_REDIS if store == "redis" else ()))
        ]
        for store in stores
    }
    async with asyncio.timeout(BOUND_SECONDS):
        played = await asyncio.gather(*(play(store, rows[store]) for store in stores))
    return sorted((result for results in played for result in results), key=lambda result: result.row[0])


def _say(text: str, where: IO[str] = sys.stdout) -> None:
    where.write(f"{text}\n")
    where.flush()


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--trials", type=int, default=20, help="of rows 1 and 2; others have a share of it")
    parser.add_argument("--store", choices=("redis", "sqlite"), action="append", default=[])
    parsed = parser.parse_args()
    started = time.monotonic()
    results = asyncio.run(_play_all(parsed.trials, parsed.store or ["redis", "sqlite"]))
    _say(HEAD)
    for result in results:
        _say(result.line())
    _say(f"\n{time.monotonic() - started:.0f} s")
    return 1 if any(result.broken for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
