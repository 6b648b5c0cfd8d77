"""`python -m bench.lexoffice.killed`: a replica that is killed with calls queued takes nothing with it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.lexoffice.arithmetic import Limit
from bench.lexoffice.browser import Browser
from bench.lexoffice.exactness import NEVER_CACHED, PREFER
from bench.lexoffice.gateways import running_gateways, sign_in_all
from bench.lexoffice.wire import Broken
from bench.targets import Verdict
from gateway.sessions.turn import GRACE, LEASE, MARGIN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.lexoffice.gateways import Gateways

REPLICAS, PEOPLE, CALLS = 3, 6, 2
"""Each person has so many calls waiting at every replica: 36 in all, 12 of them at the one that is killed."""
_BEFORE = 4
"""Calls that have reached the sandbox when it is killed."""


@dataclass(frozen=True, slots=True)
class Killed:
    """What became of the calls; times by the monotonic clock."""

    limit: Limit
    started_at: float
    """Before the first call was sent."""
    arrivals: tuple[float, ...]
    answers: Counter[int]
    """Of the calls at the other replicas, by status; 0 if the connection broke."""
    lost: int
    """Calls at the killed one that had no answer."""

    @property
    def late(self) -> float:
        """Return how many seconds later than at best the last call arrived, from the first one on."""
        taken = max(self.arrivals) - min(self.arrivals)
        return taken - self.limit.seconds(len(self.arrivals))

    @property
    def allowed(self) -> float:
        """Return the seconds that are promised at most.

        One turn that the killed one had taken and not used, and the grace for each turn of its sessions that
        came free before its lease ended.
        """
        turns = LEASE * self.limit.rate + 1
        return MARGIN + 1 / self.limit.rate + turns * GRACE

    def judge(self) -> Iterator[Verdict]:
        """Judge it."""
        what, others = "replica killed with calls queued", dict(self.answers)
        yield Verdict(
            f"{what}: answers of the others' calls",
            f"200: {2 * PEOPLE * CALLS}",
            f"{others}",
            others == {200: 2 * PEOPLE * CALLS},
        )
        yield Verdict(
            f"{what}: later than at best, over all",
            f"<= {self.allowed:.2f} s",
            f"{self.late:.2f} s ({len(self.arrivals)} calls, {self.lost} died with it)",
            self.late <= self.allowed,
        )
        excess = self.limit.excess(self.arrivals)
        yield Verdict(
            f"{what}: windows with more than rate x time + burst", "none", f"{excess:.3f} s", excess <= 0
        )


def main() -> int:
    """Run the command; returns 0 if the promises held."""
    is_kept = True
    for verdict in prove(Limit(2.0, 2)).judge():
        sys.stdout.write(f"{verdict.what}: {verdict.measured} ({verdict.target})\n")
        is_kept = is_kept and verdict.is_met is True
    return 0 if is_kept else 1


def prove(limit: Limit) -> Killed:
    """Fill the queues of three replicas, kill the first, and return what became of the calls."""
    settings = {"LEXGATE_BUDGET_RATE": f"{limit.rate:g}", "LEXGATE_BUDGET_BURST": f"{limit.burst}"}
    with (
        tempfile.TemporaryDirectory(prefix="lexgate-bench-") as folder,
        running_gateways(Path(folder), REPLICAS, limit, settings) as gateways,
    ):
        people = sign_in_all(gateways, PEOPLE, limit)
        time.sleep(limit.burst / limit.rate + 1)  # the bucket is full
        gateways.sandbox.forget_arrivals()
        return asyncio.run(_kill_one(gateways, people, limit))


async def _kill_one(gateways: Gateways, people: list[dict[str, str]], limit: Limit) -> Killed:
    browsers = [[Browser([port], fields, CALLS) for fields in people] for port in gateways.ports]
    started_at = time.monotonic()
    calls = [
        [
            asyncio.create_task(_call(browser, f"{replica}{person}{number}"))
            for person, browser in enumerate(some)
            for number in range(CALLS)
        ]
        for replica, some in enumerate(browsers)
    ]
    while len(await asyncio.to_thread(gateways.sandbox.arrivals)) < _BEFORE:  # noqa: ASYNC110 - another process
        await asyncio.sleep(0.02)
    os.killpg(gateways.replicas[0].process.pid, signal.SIGKILL)
    others = Counter(await asyncio.gather(*calls[1], *calls[2]))
    died = await asyncio.gather(*calls[0])
    arrivals = tuple(call["at"] for call in await asyncio.to_thread(gateways.sandbox.arrivals))
    for some in browsers:
        for browser in some:
            browser.close()
    return Killed(limit, started_at, arrivals, others, died.count(0))


async def _call(browser: Browser, page: str) -> int:
    try:
        return (await browser.fetch(f"{NEVER_CACHED}&page={page}", PREFER)).status
    except (OSError, Broken):
        return 0


if __name__ == "__main__":
    sys.exit(main())
