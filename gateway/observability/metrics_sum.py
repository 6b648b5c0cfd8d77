"""The counts of several processes as one page: each asked for what it has, nothing shared on the hot path."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Snapshot = list[tuple[str, str, str, list[tuple[str, dict[str, str], float]]]]
"""Families as (name, type, documentation, samples), a sample as (name, labels, value): fit for JSON."""

_GROWING = frozenset({"counter", "histogram"})
_EARLIEST = frozenset({"process_start_time_seconds"})


def take_snapshot(families: Iterable[Metric], *, without: frozenset[str] = frozenset()) -> Snapshot:
    """Return what a registry collected, but for the families named."""
    return [
        (
            family.name,
            family.type,
            family.documentation,
            [(sample.name, dict(sample.labels), sample.value) for sample in family.samples],
        )
        for family in families
        if family.name not in without
    ]


class MetricsSum(Collector):
    """Adds counters, histograms and gauges up; what an ended process had counted stays in the sum.

    So no counter goes back when a worker is replaced. What was counted after the last snapshot of a process
    that died without a word is lost. Gauges of an ended process go; of a `shared` one the newest value
    stands.
    """

    def __init__(self, shared: frozenset[str]) -> None:
        self._shared = shared
        self._ended: Snapshot = []
        self._latest: dict[int, Snapshot] = {}
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    def note(self, process: int, snapshot: Snapshot) -> None:
        """Take what a process has counted so far."""
        self._latest.pop(process, None)
        self._latest[process] = snapshot

    def retire(self, process: int) -> None:
        """Keep what a process that has ended had counted."""
        rest = [family for family in self._latest.pop(process, ()) if family[1] in _GROWING]
        self._ended = take_snapshot(self._add([self._ended, rest]))

    def render(self) -> tuple[bytes, str]:
        """Return the page for Prometheus and its content type."""
        return generate_latest(self._registry), CONTENT_TYPE_LATEST

    def collect(self) -> Iterator[Metric]:
        """Return the sums; prometheus_client calls this."""
        return self._add([self._ended, *self._latest.values()])

    def _add(self, snapshots: Iterable[Snapshot]) -> Iterator[Metric]:
        families: dict[str, tuple[str, str]] = {}
        sums: dict[str, dict[tuple[str, tuple[tuple[str, str], ...]], float]] = {}
        for snapshot in snapshots:
            for name, kind, documentation, samples in snapshot:
                families.setdefault(name, (kind, documentation))
                values = sums.setdefault(name, {})
                for sample, labels, value in samples:
                    key = (sample, tuple(labels.items()))
                    values[key] = self._join(name, kind, values.get(key), value)
        for name, (kind, documentation) in families.items():
            metric = Metric(name, documentation, kind)
            for (sample, pairs), value in sums[name].items():
                metric.add_sample(sample, dict(pairs), value)
            yield metric

    def _join(self, name: str, kind: str, known: float | None, value: float) -> float:
        if known is None or kind == "info" or name in self._shared:
            return value
        return min(known, value) if name in _EARLIEST else known + value
