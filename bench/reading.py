"""What the load generators print, read into numbers."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace

_MARK = "bench {"


class UnreadableReport(Exception):
    """A load generator printed something else than its report."""


@dataclass(frozen=True, slots=True)
class Load:
    """What came of one burst of load; times are in seconds."""

    requests: int
    seconds: float
    errors: int
    p50: float
    p99: float

    @property
    def per_second(self) -> float:
        """Return how many requests were answered in a second."""
        return self.requests / self.seconds

    def backed_by(self, served: int) -> Load:
        """Return it with an error for every answer that is not one of those that the resource server served.

        wrk takes a redirect for a success; but no redirect to a login page comes from there.
        """
        return replace(self, errors=max(self.errors, self.requests - served))


def parse_wrk(text: str) -> Load:
    """Read the line that load.lua prints; raises UnreadableReport."""
    line = next((line for line in text.splitlines() if line.startswith(_MARK)), "")
    try:
        told: dict[str, int] = json.loads(line.removeprefix("bench"))
        return Load(
            requests=told["requests"],
            seconds=told["microseconds"] / 1e6,
            errors=told["status"] + told["broken"],
            p50=told["p50"] / 1e6,
            p99=told["p99"] / 1e6,
        )
    except (ValueError, KeyError) as exc:
        raise UnreadableReport(text) from exc


def parse_steady(text: str) -> Load:
    """Read what bench.steady prints; raises UnreadableReport."""
    try:
        told = json.loads(text)
        taken: list[float] = sorted(told["taken"])
        return Load(
            requests=len(taken),
            seconds=told["seconds"],
            errors=told["errors"],
            p50=quantile(taken, 0.5),
            p99=quantile(taken, 0.99),
        )
    except (ValueError, KeyError) as exc:
        raise UnreadableReport(text[:2000]) from exc


def quantile(ordered: list[float], share: float) -> float:
    """Return what `share` of the ordered values do not exceed, by nearest rank; ValueError for no values."""
    if not ordered:
        raise ValueError("no values")
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
