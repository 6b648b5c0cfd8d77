"""What was measured, as numbers that know nothing of how they came about."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.reading import Load


@dataclass(frozen=True, slots=True)
class Burst:
    """A burst of load, and the CPU time that all processes of the proxy took for it."""

    load: Load
    cpu_seconds: float

    @property
    def per_cpu_second(self) -> float:
        """Return how many requests a second of CPU time answers."""
        return self.load.requests / self.cpu_seconds


@dataclass(slots=True)
class Row:
    """One measured proxy: its bursts by document, and what it did at half of its capacity."""

    name: str
    version: str
    bursts: dict[str, list[Burst]] = field(default_factory=dict)
    half: list[Load] = field(default_factory=list)
    resident_bytes: int = 0

    @property
    def errors(self) -> int:
        """Return how many requests were not answered with 200 and the whole document."""
        loads = [burst.load for bursts in self.bursts.values() for burst in bursts]
        return sum(load.errors for load in [*loads, *self.half])

    @property
    def is_valid(self) -> bool:
        """Say whether it may be compared: an error is cheaper than an answer."""
        return self.errors == 0

    def per_cpu_second(self, document: str) -> float:
        """Return the median of the requests per CPU second."""
        return median(burst.per_cpu_second for burst in self.bursts[document])

    def spread(self, document: str) -> float:
        """Return how far the rounds lie from their middle, as a share of it."""
        figures = [burst.per_cpu_second for burst in self.bursts[document]]
        return (max(figures) - min(figures)) / (max(figures) + min(figures))

    def rate(self) -> float:
        """Return how many requests a second half of its capacity is."""
        return median(load.per_second for load in self.half)

    def p50(self) -> float:
        """Return the median of the p50 at half of its capacity, in seconds."""
        return median(load.p50 for load in self.half)

    def p99(self) -> float:
        """Return the median of the p99 at half of its capacity, in seconds."""
        return median(load.p99 for load in self.half)


@dataclass(frozen=True, slots=True)
class Alone:
    """What lexgate is measured at by itself, on SQLite; times in seconds."""

    direct_p50: float
    proxied_p50: float
    few: list[Burst]
    """With 32 connections, of 10,000 sessions."""
    many: list[Burst]
    """With 2,000 connections, of the same sessions."""
    many_resident_bytes: int
    idle_resident_bytes: int
    ready_seconds: float

    @property
    def added_p50(self) -> float:
        """Return the latency that it adds to a direct call."""
        return self.proxied_p50 - self.direct_p50

    @property
    def errors(self) -> int:
        """Return how many requests were not answered with 200 and the whole document."""
        return sum(burst.load.errors for burst in [*self.few, *self.many])

    @property
    def share(self) -> float:
        """Return the throughput with many connections as a share of that with few."""
        few, many = (median(burst.per_cpu_second for burst in bursts) for bursts in (self.few, self.many))
        return many / few
