"""What a load of the dashboard came to, as numbers."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import mean
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bench.lexoffice.browser import Fetched
    from bench.lexoffice.dashboard import Asked

_OK = 200


@dataclass(frozen=True, slots=True)
class Seen:
    """One call as the page saw it; times by the monotonic clock."""

    asked: Asked
    path: str
    fetched: Fetched
    refusals: int
    """Answers that were a 429, the last one included."""
    asked_at: float

    @property
    def is_there(self) -> bool:
        """Say whether the page has what it asked for."""
        return self.fetched.status == _OK

    @property
    def waited(self) -> float:
        """Return the seconds from the call of the script to the answer, or to the giving up."""
        return self.fetched.answered_at - self.asked_at


@dataclass(frozen=True, slots=True)
class Load:
    """All tabs of all sessions, opened together; `sessions` holds the calls of each session's tabs."""

    sessions: tuple[tuple[Seen, ...], ...]
    upstream: int
    """Calls that reached the resource server meanwhile."""

    @property
    def calls(self) -> list[Seen]:
        """Return the calls of all."""
        return [seen for session in self.sessions for seen in session]

    @property
    def missing(self) -> int:
        """Return how many calls brought nothing."""
        return sum(not seen.is_there for seen in self.calls)

    @property
    def refusals(self) -> int:
        """Return how many 429 the browsers saw."""
        return sum(seen.refusals for seen in self.calls)

    @property
    def seconds(self) -> float:
        """Return the time until all are there, or have failed."""
        return _end(self.calls) - _begin(self.calls)

    @property
    def sent_bytes(self) -> int:
        """Return the bytes of the bodies that were sent to the browsers."""
        return sum(seen.fetched.sent_bytes for seen in self.calls)

    @property
    def longest_wait(self) -> float:
        """Return the longest that a call took, of the session that was served least."""
        return max(seen.waited for seen in self.calls)

    @property
    def unfairness(self) -> float:
        """Return how many times the mean the session waited that waited most.

        The larger of two: by the time until all its calls were there, and by the mean of its calls.
        """
        ends = [_end(session) - _begin(session) for session in self.sessions]
        means = [mean(seen.waited for seen in session) for session in self.sessions]
        return max(max(waits) / mean(waits) for waits in (ends, means))


@dataclass(frozen=True, slots=True)
class Row:
    """One scenario behind one proxy: the first load, and the second one where it was made."""

    scenario: str
    proxy: str
    first: Load
    second: Load | None = None


def _begin(calls: Iterable[Seen]) -> float:
    return min(seen.asked_at for seen in calls)


def _end(calls: Iterable[Seen]) -> float:
    return max(seen.fetched.answered_at for seen in calls)
