"""What the load generators print, read into numbers."""

from __future__ import annotations

import json
from dataclasses import dataclass

_OK = 200
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


def parse_wrk(text: str, *, size: int) -> Load:
    """Read the line that load.lua prints; raises UnreadableReport.

    wrk takes a redirect for a success. An answer of 200 brings the document of `size` bytes, so where fewer
    bytes came than that makes, the documents that lack are errors.
    """
    line = next((line for line in text.splitlines() if line.startswith(_MARK)), "")
    try:
        told: dict[str, int] = json.loads(line.removeprefix("bench"))
        requests, documents = told["requests"], told["bytes"] // size
        return Load(
            requests=requests,
            seconds=told["microseconds"] / 1e6,
            errors=max(told["status"], requests - documents) + told["broken"],
            p50=told["p50"] / 1e6,
            p99=told["p99"] / 1e6,
        )
    except (ValueError, KeyError) as exc:
        raise UnreadableReport(text) from exc


def parse_h2load_log(text: str, *, skip_seconds: float = 0.0) -> Load:
    """Read h2load's --log-file: start in microseconds, status, microseconds taken; raises UnreadableReport.

    What started in the first `skip_seconds` warms up, and counts for its errors alone.
    """
    try:
        rows = [tuple(map(int, line.split("\t")[:3])) for line in text.splitlines()]
    except ValueError as exc:
        raise UnreadableReport(text[:200]) from exc
    if not rows or any(len(row) != 3 for row in rows):  # noqa: PLR2004 - the three columns above
        raise UnreadableReport(text[:200])
    begin = min(row[0] for row in rows) + skip_seconds * 1e6
    counted = [row for row in rows if row[0] >= begin]
    if not counted:
        raise UnreadableReport(f"nothing began after {skip_seconds} s")
    taken = sorted(row[2] for row in counted)
    end = max(row[0] + row[2] for row in counted)
    return Load(
        requests=len(counted),
        seconds=(end - begin) / 1e6,
        errors=sum(row[1] != _OK for row in rows),
        p50=quantile(taken, 0.5) / 1e6,
        p99=quantile(taken, 0.99) / 1e6,
    )


def quantile(ordered: list[int], share: float) -> int:
    """Return the value that `share` of the ordered values do not exceed (nearest rank)."""
    rank = -int(-share * len(ordered) // 1)
    return ordered[max(0, rank - 1)]
