"""`make chaos`: every row on every stage; prints the table, and ends with 1 if a promise was broken."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from typing import IO, TYPE_CHECKING

from tests.chaos import calls, kills, outages, troubles
from tests.chaos.result import HEAD
from tests.chaos.stage import Server, running_stage
from tests.contract import redis_servers

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from tests.chaos.result import Result
    from tests.chaos.stage import Stage

    Row = Callable[[Stage, int], Awaitable[Result]]

BOUND_SECONDS = 560
STORES = ("redis", "sqlite", "sentinel", "cluster")
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
_OF_REDIS: tuple[tuple[Row, int], ...] = (
    (outages.paused_redis, 10),
    (outages.outlived_leases, 10),
    (outages.full_redis, 10),
    (outages.restarted_redis, 10),
)
_OF_REPLICATED: tuple[tuple[Row, int], ...] = ((outages.lost_master, 10),)
_BEFORE_PROVIDER: tuple[tuple[Row, int], ...] = (
    (calls.due_tokens, 1),
    (calls.leaving_browsers, 1),
    (kills.while_waiting, 2),
    (kills.after_rotation, 5),
    (kills.answer_lost, 5),
    (troubles.slow_server, 10),
    (troubles.failing_server, 10),
    (troubles.refusing_server, 10),
    (troubles.hanging_up_server, 10),
    (troubles.silent_server, 20),
    (calls.early_deaths, 5),
)
_STAGES: dict[tuple[str, Server], tuple[tuple[Row, int], ...]] = {
    ("redis", "sandbox"): (*_SHARES, *_OF_REDIS),
    ("sqlite", "sandbox"): _SHARES,
    ("redis", "oidc-provider"): _BEFORE_PROVIDER,
    ("sqlite", "oidc-provider"): _BEFORE_PROVIDER,
    ("sentinel", "sandbox"): _OF_REPLICATED,
    ("cluster", "sandbox"): _OF_REPLICATED,
}


async def play(store: str, rows: Sequence[tuple[Row, int]], server: Server = "sandbox") -> list[Result]:
    """Play rows, each with its number of trials, on one stage."""
    results: list[Result] = []
    async with running_stage(store, server) as stage:
        for row, trials in rows:
            started = time.monotonic()
            result = await row(stage, trials)
            result.server = server
            results.append(result)
            _say(f"{time.monotonic() - started:5.0f} s  {result.line()}", sys.stderr)
    return results


async def _play_all(trials: dict[Server, int], stores: list[str], bound: float) -> list[Result]:
    played: list[list[Result]] = []

    async def play_one_after_another(*stages: tuple[str, Server]) -> None:
        """Two stages at a time are what two cores can bear."""
        for store, server in stages:
            if store in stores:
                shares = _STAGES[store, server]
                rows = [(row, max(3, trials[server] // share)) for row, share in shares]
                played.append(await play(store, rows, server))

    async with asyncio.timeout(bound), asyncio.TaskGroup() as group:
        group.create_task(
            play_one_after_another(("redis", "sandbox"), ("redis", "oidc-provider"), ("sentinel", "sandbox"))
        )
        group.create_task(
            play_one_after_another(("sqlite", "sandbox"), ("sqlite", "oidc-provider"), ("cluster", "sandbox"))
        )
    return sorted((result for results in played for result in results), key=lambda result: result.row[0])


def _say(text: str, where: IO[str] = sys.stdout) -> None:
    where.write(f"{text}\n")
    where.flush()


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--trials", type=int, default=20, help="of rows 1 and 2; others have a share of it")
    parser.add_argument("--provider-trials", type=int, default=10, help="the same before oidc-provider")
    parser.add_argument("--bound", type=float, default=BOUND_SECONDS, help="seconds after which it fails")
    parser.add_argument("--store", choices=STORES, action="append", default=[])
    parsed = parser.parse_args()
    trials: dict[Server, int] = {"sandbox": parsed.trials, "oidc-provider": parsed.provider_trials}
    started = time.monotonic()
    try:
        results = asyncio.run(_play_all(trials, parsed.store or [*STORES], parsed.bound))
    finally:
        redis_servers.stop_all()
    _say(HEAD)
    for result in results:
        _say(result.line())
    _say(f"\n{time.monotonic() - started:.0f} s")
    return 1 if any(result.broken for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
