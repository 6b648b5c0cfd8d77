"""What the rate limit allows at best, by arithmetic."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bench.lexoffice.result import Load, Seen


@dataclass(frozen=True, slots=True)
class Limit:
    """A token bucket: `burst` calls at once, then `rate` a second."""

    rate: float
    burst: int

    def seconds(self, calls: int) -> float:
        """Return the time in which so many calls can be sent at best, from a full bucket."""
        return max(0.0, (calls - self.burst) / self.rate)

    def calls(self, seconds: float) -> int:
        """Return how many calls can be sent in a time at most, from a full bucket."""
        return int(self.rate * seconds + self.burst)

    def excess(self, arrivals: Sequence[float]) -> float:
        """Return by how many seconds the earliest of the arrivals came too early; at most 0 if none did.

        This looks at every window: an arrival is too early exactly if a window up to it holds more than
        rate x time + burst.
        """
        interval, latest, worst = 1 / self.rate, float("-inf"), float("-inf")
        for at in sorted(arrivals):
            due = latest - (self.burst - 1) * interval
            worst = max(worst, due - at)
            latest = max(latest, at) + interval
        return worst


def count_needed(load: Load) -> int:
    """Return how many calls must be fetched upstream at least, were everything shared that can be.

    What may be cached is one call for all sessions, since they are of one connection. Anything else is one
    call for all the askers in one session whose calls overlap in time.
    """
    cached = {seen.path for seen in load.calls if seen.asked.is_cached}
    return len(cached) + sum(_count_flights(session) for session in load.sessions)


def _count_flights(session: Iterable[Seen]) -> int:
    by_path: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for seen in session:
        if not seen.asked.is_cached:
            by_path[seen.path].append((seen.fetched.sent_at, seen.fetched.answered_at))
    return sum(_count_clusters(sorted(spans)) for spans in by_path.values())


def _count_clusters(spans: Iterable[tuple[float, float]]) -> int:
    count, until = 0, float("-inf")
    for begin, end in spans:
        count += begin > until
        until = max(until, end)
    return count
