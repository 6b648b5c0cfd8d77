"""Counts of requests and their durations, for Prometheus; one takes less than a microsecond to write down.

The library's own counters cost ten times that, with a lock each; here all counting happens in one event loop.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from prometheus_client.metrics_core import Metric

_Label = tuple[str, str, int]


class DurationCounts:
    """A histogram: how many durations fell into each bucket, and their sum, in seconds."""

    __slots__ = ("_bounds", "_numbers", "_sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = tuple(bounds)
        self._numbers = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, seconds: float) -> None:
        """Count one duration."""
        self._numbers[bisect_left(self._bounds, seconds)] += 1
        self._sum += seconds

    def add_to(self, family: HistogramMetricFamily, labels: Sequence[str]) -> None:
        """Put what was counted into a family that is being collected."""
        buckets: list[tuple[str, float]] = []
        number = 0
        for bound, more in zip((*map(str, self._bounds), "+Inf"), self._numbers, strict=True):
            number += more
            buckets.append((bound, float(number)))
        family.add_metric(labels, buckets, self._sum)


class _Slot:
    __slots__ = ("durations", "number")

    def __init__(self, durations: DurationCounts) -> None:
        self.number = 0
        self.durations = durations


class RequestCounts(Collector):
    """Requests by route, method and status, their durations by route, the resource server's and the queue's.

    `admit` bounds the labels: what it returns is counted in place of what was given.
    """

    def __init__(self, bounds: Sequence[float], admit: Callable[[_Label], _Label]) -> None:
        self._bounds = bounds
        self._admit = admit
        self._given: dict[_Label, _Slot] = {}
        self._admitted: dict[_Label, _Slot] = {}
        self._durations: dict[str, DurationCounts] = {}
        self.upstream = DurationCounts(bounds)
        self.queue = DurationCounts(bounds)

    def count(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one answer."""
        slot = self._given.get((route, method, status))
        if slot is None:
            slot = self._bind((route, method, status))
        slot.number += 1
        slot.durations.observe(seconds)

    def collect(self) -> Iterator[Metric]:
        """Return the families; prometheus_client calls this."""
        requests = CounterMetricFamily(
            "lexgate_requests", "Answers given", labels=("route", "method", "status")
        )
        for (route, method, status), slot in self._admitted.items():
            requests.add_metric((route, method, str(status)), slot.number)
        yield requests
        durations = HistogramMetricFamily(
            "lexgate_request_duration_seconds",
            "From the request's head to the answer's last byte",
            labels=("route",),
        )
        for route, counts in self._durations.items():
            counts.add_to(durations, (route,))
        yield durations
        upstream = HistogramMetricFamily(
            "lexgate_upstream_duration_seconds",
            "From sending a call to the head of the resource server's answer",
            labels=(),
        )
        self.upstream.add_to(upstream, ())
        yield upstream
        queue = HistogramMetricFamily(
            "lexgate_budget_queue_seconds", "From asking for a turn to having it", labels=()
        )
        self.queue.add_to(queue, ())
        yield queue

    def _bind(self, given: _Label) -> _Slot:
        label = self._admit(given)
        slot = self._admitted.get(label)
        if slot is None:
            durations = self._durations.setdefault(label[0], DurationCounts(self._bounds))
            slot = self._admitted[label] = _Slot(durations)
        if label == given:  # only bounded sets come to be remembered
            self._given[given] = slot
        return slot
