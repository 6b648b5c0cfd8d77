"""`python -m bench.lexoffice.order`: a session's calls go by priority and arrival, wherever they wait."""

from __future__ import annotations

import asyncio
import itertools
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
from bench.targets import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bench.lexoffice.gateways import Gateways

REPLICAS, PEOPLE = 3, 9
PRELOADED, SHOWN = 6, 4
"""Calls of one session: so many at the first replica, then so many urgent ones at the last."""
LYING = (0, 0, 1, 2)
"""At which replicas the four connections of each person lie; 36 calls wait 18 s at 2 a second."""
SECONDS = 30.0
_OK, _TOO_MANY = 200, 429
_REST_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Order:
    """What came of it."""

    overtaking: int
    """Calls that are not urgent and were answered while urgent ones of the same session waited elsewhere."""
    answers: Counter[int]
    """Of the calls of nine people who each kept four under way, by status."""

    def judge(self) -> Iterator[Verdict]:
        """Judge it; one call may have its turn while the urgent ones are on their way."""
        yield Verdict(
            f"{SHOWN} urgent calls at another replica: less urgent ones of the session that went before",
            "<= 1",
            f"{self.overtaking}",
            self.overtaking <= 1,
        )
        refused = self.answers[_TOO_MANY]
        yield Verdict(
            f"{PEOPLE} people, {len(LYING)} connections each, unevenly over the replicas: 429 at the browser",
            "0",
            f"{refused} of {self.answers.total()}",
            refused == 0 and set(self.answers) == {_OK},
        )


def main() -> int:
    """Run the command; returns 0 if the order was kept."""
    is_kept = True
    for verdict in prove(Limit(2.0, 2)).judge():
        sys.stdout.write(f"{verdict.what}: {verdict.measured} ({verdict.target})\n")
        is_kept = is_kept and verdict.is_met is True
    return 0 if is_kept else 1


def prove(limit: Limit, seconds: float = SECONDS) -> Order:
    """Let one session's calls wait at two replicas, and many sessions' calls unevenly at three."""
    settings = {"LEXGATE_BUDGET_RATE": f"{limit.rate:g}", "LEXGATE_BUDGET_BURST": f"{limit.burst}"}
    with (
        tempfile.TemporaryDirectory(prefix="lexgate-bench-") as folder,
        running_gateways(Path(folder), REPLICAS, limit, settings) as gateways,
    ):
        people = sign_in_all(gateways, PEOPLE, limit)
        time.sleep(_REST_SECONDS)
        overtaking = asyncio.run(_overtake(gateways, people[0], limit))
        time.sleep(_REST_SECONDS)
        return Order(overtaking, asyncio.run(_crowd(gateways.ports, people, seconds)))


async def _overtake(gateways: Gateways, fields: Mapping[str, str], limit: Limit) -> int:
    first, last = (Browser([gateways.ports[at]], fields) for at in (0, -1))
    await asyncio.to_thread(gateways.sandbox.forget_arrivals)
    answered: list[str] = []

    async def call(browser: Browser, urgency: str, page: int) -> None:
        await browser.fetch(f"{NEVER_CACHED}&page={page}", {**PREFER, "Priority": urgency})
        answered.append(urgency)

    calls = [asyncio.create_task(call(first, "u=5", page)) for page in range(PRELOADED)]
    while len(await asyncio.to_thread(gateways.sandbox.arrivals)) < limit.burst:  # noqa: ASYNC110 - another process
        await asyncio.sleep(0.02)
    calls += [asyncio.create_task(call(last, "u=1", PRELOADED + page)) for page in range(SHOWN)]
    await asyncio.gather(*calls)
    first.close()
    last.close()
    behind = len(answered) - 1 - answered[::-1].index("u=1")
    return answered[:behind].count("u=5") - limit.burst


async def _crowd(ports: Sequence[int], people: Sequence[Mapping[str, str]], seconds: float) -> Counter[int]:
    """Let every connection be busy until the time is over, each call another one."""
    numbers, until, answers = itertools.count(100), time.monotonic() + seconds, Counter[int]()

    async def call_on(browser: Browser) -> None:
        while time.monotonic() < until:
            answers[(await browser.fetch(f"{NEVER_CACHED}&page={next(numbers)}", PREFER)).status] += 1
        browser.close()

    browsers = [Browser([ports[at]], fields, 1) for fields in people for at in LYING]
    await asyncio.gather(*map(call_on, browsers))
    return answers


if __name__ == "__main__":
    sys.exit(main())
