"""Interleaved rounds: every proxy once a round, so that a noisy minute meets all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.load import CONNECTIONS, run_at_rate, run_wrk
from bench.result import Burst, Row
from bench.upstream import DOCUMENTS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from bench.load import Target
    from bench.peers.stage import Peer
    from bench.process import Running
    from bench.upstream import Upstream

BURST_SECONDS = 2
HALF_SECONDS = 2.5
MAX_RATE = 10_000.0
"""What the core of the load has to spare for bench.steady beside the upstream."""


def measure_rounds(
    peers: Sequence[Peer], upstream: Upstream, rounds: int, say: Callable[[str], None]
) -> dict[str, Row]:
    """Warm all of them up, and measure them `rounds` times; returns the rows by name."""
    rows = {peer.name: Row(peer.name, peer.version) for peer in peers}
    for peer in peers:
        for document in DOCUMENTS:
            run_wrk(peer.target, document, seconds=1)
    for number in range(1, rounds + 1):
        for peer in peers:
            _measure_once(peer, upstream, rows[peer.name])
            say(f"round {number}: {_tell(rows[peer.name])}")
    for peer in peers:
        rows[peer.name].resident_bytes = peer.running.resident_bytes()
    return rows


def measure_burst(
    running: Running,
    target: Target,
    document: str,
    *,
    upstream: Upstream,
    connections: int = CONNECTIONS,
    cookies: Path | None = None,
) -> Burst:
    """Send one burst, and take the CPU time of all processes of the proxy before and after it."""
    before = running.cpu_seconds()
    load = run_wrk(
        target,
        document,
        seconds=BURST_SECONDS,
        connections=connections,
        cookies=cookies,
        upstream=upstream,
    )
    return Burst(load, running.cpu_seconds() - before)


def _measure_once(peer: Peer, upstream: Upstream, row: Row) -> None:
    for document in DOCUMENTS:
        burst = measure_burst(peer.running, peer.target, document, upstream=upstream)
        row.bursts.setdefault(document, []).append(burst)
    capacity = row.bursts["1k"][-1].load.per_second
    rate = min(capacity / 2, MAX_RATE)
    row.half.append(run_at_rate(peer.target, "1k", rate=rate, seconds=HALF_SECONDS))


def _tell(row: Row) -> str:
    figures = "  ".join(
        f"{document} {bursts[-1].per_cpu_second:7.0f}/CPU-s ({bursts[-1].cpu_seconds:.2f} s)"
        for document, bursts in row.bursts.items()
    )
    half = row.half[-1]
    times = f"p50 {half.p50 * 1e3:6.2f} p99 {half.p99 * 1e3:6.2f} ms at {half.per_second:.0f}/s"
    return f"{row.name:30} {figures}  {times}  {row.errors} errors"
