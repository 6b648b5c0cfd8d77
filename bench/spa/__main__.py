"""`make bench-spa`: the shipped app in Chromium on a slow network; writes bench/spa/RESULTS.md."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bench.lexoffice.arithmetic import Limit
from bench.lexoffice.gateways import running_gateways
from bench.peers.lexgate import version
from bench.report import build_verdict_table
from bench.spa.browser import HEIGHT, SLOW, WIDTH, signed_in_page
from bench.spa.measure import Loads, measure_all
from bench.spa.report import build_time_table, build_weight_table
from bench.spa.targets import judge
from bench.spa.views import VIEWS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.spa.views import View
    from bench.targets import Verdict

RESULTS = Path(__file__).with_name("RESULTS.md")
LIMIT = Limit(2.0, 2)


def main() -> int:
    """Run the command; returns 0 if all targets are met."""
    parser = argparse.ArgumentParser(prog="make bench-spa", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often each view is loaded")
    parser.add_argument("--view", action="append", help="measure those whose name begins so; writes no file")
    parsed = parser.parse_args()
    chosen = [view for view in VIEWS if view.name.startswith(tuple(parsed.view or [""]))]
    load, started = os.getloadavg()[0], time.monotonic()
    rows = measure(chosen, parsed.rounds)
    verdicts = judge(rows)
    text = build_results(rows, verdicts, parsed.rounds, load=load, seconds=time.monotonic() - started)
    sys.stdout.write(text)
    if parsed.view is None:
        RESULTS.write_text(text, encoding="utf-8")
    return 0 if all(verdict.is_met for verdict in verdicts) else 1


def measure(views: Sequence[View], rounds: int) -> list[Loads]:
    """Measure the views behind a gateway and a sandbox of their own, as `lexgate demo` runs them."""
    settings = {"LEXGATE_BUDGET_RATE": f"{LIMIT.rate:g}", "LEXGATE_BUDGET_BURST": f"{LIMIT.burst}"}
    with (
        tempfile.TemporaryDirectory(prefix="lexgate-bench-") as folder,
        running_gateways(Path(folder), 1, LIMIT, settings) as gateways,
        signed_in_page(gateways.public_url) as page,
    ):
        return measure_all(page, views, rounds)


def build_results(
    rows: Sequence[Loads], verdicts: Sequence[Verdict], rounds: int, *, load: float, seconds: float
) -> str:
    """Build RESULTS.md."""
    missed = sum(verdict.is_met is False for verdict in verdicts)
    return f"""# What `make bench-spa` measured

{time.strftime("%Y-%m-%d %H:%M", time.gmtime())} UTC, in {seconds:.0f} s, lexgate {version()}, \
{os.cpu_count()} cores, Python {platform.python_version()}; load average before: {load:.1f}. Chromium at \
{WIDTH} x {HEIGHT}, {SLOW.latency_ms:g} ms, {SLOW.down_bits / 1e6:g} Mbit/s down, {SLOW.up_bits / 1e6:g} up, \
a processor of a {SLOW.processor:g}th of the speed; medians of {rounds}, of the shift the worst. \
[README.md](README.md) says what the columns mean.

{build_time_table(rows)}

What a first load transfers:

{build_weight_table(rows)}

{len(verdicts)} targets, {missed} missed:

{build_verdict_table(verdicts)}
"""


if __name__ == "__main__":
    sys.exit(main())
