"""`make bench-lexoffice`: a dashboard before the real rate limit; writes bench/lexoffice/RESULTS.md."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from bench.lexoffice import exactness, killed, order
from bench.lexoffice.arithmetic import Limit
from bench.lexoffice.dashboard import CACHE
from bench.lexoffice.gateways import SCRIPT, running_gateways, sign_in_all
from bench.lexoffice.report import build_dashboard_table, build_measured_table
from bench.lexoffice.sandbox import running_sandbox
from bench.lexoffice.scenario import LEXGATE, PLAIN, SCENARIOS, Scenario, measure
from bench.lexoffice.targets import judge
from bench.peers.lexgate import version
from bench.peers.nginx import running_nginx
from bench.peers.stage import Stage
from bench.process import free_port
from bench.report import build_verdict_table
from bench.targets import NGINX
from bench.upstream import Upstream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from bench.lexoffice.result import Row
    from bench.targets import Verdict

RESULTS = Path(__file__).with_name("RESULTS.md")
RATE = 2.0


def main() -> int:
    """Run the command; returns 0 if all targets are met."""
    parser = argparse.ArgumentParser(prog="make bench-lexoffice", description=__doc__)
    parser.add_argument("--burst", type=int, default=2, help="of the sandbox and of lexgate's budget")
    parser.add_argument("--only", choices=(LEXGATE, PLAIN), help="measure one of the two; writes no file")
    parser.add_argument(
        "--scenario", action="append", help="measure those whose name begins so; writes no file"
    )
    parsed = parser.parse_args()
    limit, load, started = Limit(RATE, parsed.burst), os.getloadavg()[0], time.monotonic()
    verdicts = [] if parsed.only or parsed.scenario else prove_all(limit)
    chosen = [one for one in SCENARIOS if one.name.startswith(tuple(parsed.scenario or [""]))]
    rows = measure_all(chosen, limit, only=parsed.only)
    verdicts = [*judge(rows, limit), *verdicts]
    text = build_results(rows, verdicts, limit, load=load, seconds=time.monotonic() - started)
    sys.stdout.write(text)
    if parsed.only is None and parsed.scenario is None:
        RESULTS.write_text(text, encoding="utf-8")
    return 0 if all(verdict.is_met for verdict in verdicts) else 1


def prove_all(limit: Limit) -> list[Verdict]:
    """Put the budget's promises to the proof, one after another."""
    verdicts = [
        verdict
        for store in exactness.STORES
        for verdict in exactness.prove(store, limit, exactness.SECONDS).judge()
    ]
    return [*verdicts, *killed.prove(limit).judge(), *order.prove(limit).judge()]


def measure_all(scenarios: Sequence[Scenario], limit: Limit, *, only: str | None) -> list[Row]:
    """Measure lexgate and the plain proxy side by side, each before a sandbox of its own."""
    sides: list[Callable[[Scenario, Limit], Row | None]] = []
    sides += [measure_lexgate] if only != PLAIN else []
    sides += [measure_plain] if only != LEXGATE else []
    with ThreadPoolExecutor(len(sides)) as threads:
        started = [threads.submit(_measure_side, side, scenarios, limit) for side in sides]
        rows = [row for side in started for row in side.result()]
    order = {scenario.name: number for number, scenario in enumerate(scenarios)}
    return sorted(rows, key=lambda row: order[row.scenario])


def measure_lexgate(scenario: Scenario, limit: Limit) -> Row:
    """Measure a scenario behind new replicas with empty caches."""
    settings = {
        "LEXGATE_BUDGET_RATE": f"{limit.rate:g}",
        "LEXGATE_BUDGET_BURST": f"{limit.burst}",
        "LEXGATE_CACHE": json.dumps(CACHE),
    }
    with (
        tempfile.TemporaryDirectory(prefix="lexgate-bench-") as folder,
        running_gateways(Path(folder), scenario.replicas, limit, settings) as gateways,
    ):
        people = sign_in_all(gateways, scenario.people, limit)
        return asyncio.run(measure(scenario, LEXGATE, gateways.sandbox, gateways.ports, people))


def measure_plain(scenario: Scenario, limit: Limit) -> Row | None:
    """Measure a scenario behind nginx with one token for all, or not: HTTP/2 changes little for it."""
    if not scenario.is_judged:
        return None
    with tempfile.TemporaryDirectory(prefix="lexgate-bench-") as folder:
        Path(folder).chmod(0o755)
        with running_sandbox(Path(folder), "http://localhost", limit) as sandbox:
            upstream = Upstream(int(sandbox.origin.rpartition(":")[2]), token=sandbox.new_token())
            stage, port = Stage(Path(folder), upstream, issuer="", redis=""), free_port()
            with running_nginx(stage, port, NGINX):
                people = [{"Host": "localhost", **SCRIPT}] * scenario.people
                return asyncio.run(measure(scenario, PLAIN, sandbox, [port], people))


def build_results(
    rows: Sequence[Row], verdicts: Sequence[Verdict], limit: Limit, *, load: float, seconds: float
) -> str:
    """Build RESULTS.md."""
    missed = sum(verdict.is_met is False for verdict in verdicts)
    return f"""# What `make bench-lexoffice` measured

{time.strftime("%Y-%m-%d %H:%M", time.gmtime())} UTC, in {seconds:.0f} s, lexgate {version()}, \
{os.cpu_count()} cores, Python {platform.python_version()}; load average before: {load:.1f}. The sandbox \
allows {limit.rate:g} calls a second and a burst of {limit.burst}. [README.md](README.md) says what the \
columns mean.

{build_measured_table(rows, limit)}

{len(verdicts)} targets, {missed} missed:

{build_verdict_table(verdicts)}

The dashboard:

{build_dashboard_table()}
"""


def _measure_side(
    side: Callable[[Scenario, Limit], Row | None], scenarios: Iterable[Scenario], limit: Limit
) -> list[Row]:
    rows: list[Row] = []
    for scenario in scenarios:
        row = side(scenario, limit)
        if row is not None:
            rows.append(row)
            sys.stderr.write(f"{build_measured_table([row], limit).splitlines()[-1]}\n")
    return rows


if __name__ == "__main__":
    sys.exit(main())
