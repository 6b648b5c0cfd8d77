"""`python -m bench.lexoffice.exactness`: three processes on one store send what the budget allows."""

from __future__ import annotations

import argparse
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
from bench.lexoffice.gateways import running_gateways, sign_in_all
from bench.lexoffice.page import PATIENCE
from bench.targets import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


REPLICAS, PEOPLE, CALLS = 3, 6, 3
"""Each person's browser keeps so many calls under way: 18 wait 9 s at 2 a second, within their patience."""
SECONDS = 60.0
USED = 0.97
"""The share of the budget that is to be used while there is work."""
STORES = ("redis", "sqlite")
PREFER = {"Prefer": f"wait={PATIENCE}"}
NEVER_CACHED = "/api/v1/voucherlist?voucherType=any&voucherStatus=any&size=1"
"""Neither by default nor in these proofs; each call of another page, so that no two are one."""
_OK, _TOO_MANY = 200, 429


@dataclass(frozen=True, slots=True)
class Exactness:
    """What reached the sandbox, by its own records, while there was always work."""

    store: str
    limit: Limit
    seconds: float
    started_at: float
    """Before the first call was sent."""
    arrivals: tuple[float, ...]
    """Of the calls within `seconds` of the first; by the monotonic clock."""
    answers: Counter[int]
    """By status, as the browsers saw them."""
    refused: int
    """Calls to which the sandbox said 429."""

    @property
    def share(self) -> float:
        """Return the used share of what the budget allows in the time."""
        return len(self.arrivals) / self.limit.calls(self.seconds)

    def judge(self) -> Iterator[Verdict]:
        """Judge it."""
        what, excess = f"budget, three processes, {self.store}", self.limit.excess(self.arrivals)
        told = f"{abs(excess) * 1e3:.0f} ms too {'early' if excess > 0 else 'late'} at the earliest"
        yield Verdict(
            f"{what}: windows with more than rate x time + burst",
            "none",
            f"none, {told}" if excess <= 0 else told,
            excess <= 0,
        )
        yield Verdict(
            f"{what}: used in {self.seconds:g} s",
            f">= {USED:.0%}",
            f"{self.share:.1%} ({len(self.arrivals)} of {self.limit.calls(self.seconds)})",
            self.share >= USED,
        )
        yield Verdict(f"{what}: 429 from the sandbox", "0", f"{self.refused}", self.refused == 0)
        others = {status: count for status, count in self.answers.items() if status != _OK}
        yield Verdict(f"{what}: answers other than 200", "none", f"{others or 'none'}", not others)


def main() -> int:
    """Run the command; returns 0 if the budget was exact."""
    parser = argparse.ArgumentParser(prog="python -m bench.lexoffice.exactness", description=__doc__)
    parser.add_argument("--store", choices=STORES, action="append")
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--rate", type=float, default=2.0)
    parser.add_argument("--burst", type=int, default=2)
    parsed = parser.parse_args()
    is_exact = True
    for store in parsed.store or STORES:
        for verdict in prove(store, Limit(parsed.rate, parsed.burst), parsed.seconds).judge():
            sys.stdout.write(f"{verdict.what}: {verdict.measured} ({verdict.target})\n")
            is_exact = is_exact and verdict.is_met is True
    return 0 if is_exact else 1


def prove(store: str, limit: Limit, seconds: float) -> Exactness:
    """Keep three processes busy for so long, and return what the sandbox saw of it."""
    settings = {"LEXGATE_BUDGET_RATE": f"{limit.rate:g}", "LEXGATE_BUDGET_BURST": f"{limit.burst}"}
    with (
        tempfile.TemporaryDirectory(prefix="lexgate-bench-") as folder,
        running_gateways(Path(folder), REPLICAS, limit, settings, store=store) as gateways,
    ):
        people = sign_in_all(gateways, PEOPLE, limit)
        time.sleep(limit.burst / limit.rate + 1)  # the bucket is full
        gateways.sandbox.forget_arrivals()
        browsers = [
            Browser(gateways.ports, fields, CALLS, first_port=number) for number, fields in enumerate(people)
        ]
        started_at = time.monotonic()
        answers = asyncio.run(_keep_busy(browsers, seconds))
        calls = gateways.sandbox.arrivals()
    begun = min(call["at"] for call in calls)
    arrivals = tuple(call["at"] for call in calls if call["at"] < begun + seconds)
    refused = sum(call["status"] == _TOO_MANY for call in calls)
    return Exactness(store, limit, seconds, started_at, arrivals, answers, refused)


async def _keep_busy(browsers: Sequence[Browser], seconds: float) -> Counter[int]:
    """Let all connections of all browsers be busy until the time is over, each call another one."""
    numbers, until, answers = itertools.count(), time.monotonic() + seconds, Counter[int]()

    async def call_on(browser: Browser) -> None:
        while time.monotonic() < until:
            answers[(await browser.fetch(f"{NEVER_CACHED}&page={next(numbers)}", PREFER)).status] += 1

    await asyncio.gather(*(call_on(browser) for browser in browsers for _ in range(browser.connections)))
    for browser in browsers:
        browser.close()
    return answers


if __name__ == "__main__":
    sys.exit(main())
