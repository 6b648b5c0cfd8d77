"""When which API call arrived, for proofs of how many there are in any stretch of time."""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_KEPT = 100_000
"""Calls that are remembered."""


@dataclass(slots=True, kw_only=True)
class Arrival:
    """One API call; `at` in seconds of the machine's monotonic clock, which nobody moves.

    `connection` is None where no living access token came with it, `status` while it is being answered.
    """

    at: float
    method: str
    path: str
    connection: str | None = None
    status: int | None = None


class Arrivals:
    """The last calls, the oldest first."""

    def __init__(self) -> None:
        self._calls: deque[Arrival] = deque(maxlen=_KEPT)

    def note(self, method: str, path: str, *, at: float) -> Arrival:
        """Return the record of a call that has arrived, for its status to be told."""
        arrival = Arrival(at=at, method=method, path=path)
        self._calls.append(arrival)
        return arrival

    def clear(self) -> None:
        """Forget all calls so far."""
        self._calls.clear()

    def __iter__(self) -> Iterator[Arrival]:
        return iter(tuple(self._calls))

    def documents(self) -> list[dict[str, Any]]:
        """Return the JSON of the calls in `GET /sandbox/calls`."""
        return [asdict(arrival) for arrival in self]
