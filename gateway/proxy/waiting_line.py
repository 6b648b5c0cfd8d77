"""Who waits in one process for the turns of one budget, and who of a session is first (PURE)."""

from __future__ import annotations

import itertools
from bisect import insort
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from gateway.sessions.turn import LEASE, Waiting

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterator

    from gateway.sessions.turn import Pace, Turn

RENEWAL = 0.4 * LEASE
"""Seconds after which the store is asked again at the latest, so that it does not forget who waits here."""


class BudgetPlace(NamedTuple):
    """Which budget a call counts for, and whose it is; both 32 bytes."""

    key: bytes
    session: bytes


@dataclass(slots=True, eq=False)
class BudgetCall:
    """A call that takes turns, one for each time that it is sent."""

    place: BudgetPlace
    urgency: int
    """By RFC 9218: 0 is the most urgent."""
    patience: float
    """Seconds that it would wait, all its turns together."""
    waited: float = 0.0
    at_head: bool = False
    """Whether it goes before all others of its session, for it had a turn already."""
    since: float = 0.0
    """When it began to wait for this turn."""
    turn: asyncio.Future[None] | None = field(default=None, repr=False)
    """Done when its turn has come; None while it does not wait."""
    arrival: int = 0

    @property
    def gives_up_at(self) -> float:
        """When its patience is over."""
        return self.since + self.patience - self.waited

    def rank(self) -> tuple[bool, int, int]:
        """Return its place among the calls of its session: the lowest is first."""
        return not self.at_head, 0 if self.at_head else self.urgency, self.arrival


class WaitingLine:
    """The calls that wait for one budget, in the sessions' order; times are on the process's own clock."""

    def __init__(self, key: bytes, pace: Pace) -> None:
        self.key = key
        self._pace = pace
        self._sessions: dict[bytes, list[BudgetCall]] = {}
        self._arrivals = itertools.count()
        self._told: Turn | None = None
        self._told_at = 0.0
        self.is_entered = False
        """Whether the store has noted that somebody waits here."""

    def __bool__(self) -> bool:
        return bool(self._sessions)

    def calls(self) -> list[BudgetCall]:
        """Return all that wait."""
        return [call for calls in self._sessions.values() for call in calls]

    def count(self, session: bytes) -> int:
        """Return how many calls of a session wait."""
        return len(self._sessions.get(session, ()))

    def join(self, call: BudgetCall, *, now: float) -> bool:
        """Let a call wait; returns whether it is the first of its session."""
        call.since = now
        call.arrival = next(self._arrivals)
        is_new = call.place.session not in self._sessions
        insort(self._sessions.setdefault(call.place.session, []), call, key=BudgetCall.rank)
        return is_new

    def leave(self, call: BudgetCall) -> None:
        """Let a call wait no more; nothing happens if it does not."""
        calls = self._sessions.get(call.place.session, [])
        if call in calls:
            calls.remove(call)
            if not calls:
                del self._sessions[call.place.session]

    def sort(self, call: BudgetCall) -> None:
        """Put a call that has become more urgent where it belongs."""
        self._sessions.get(call.place.session, []).sort(key=BudgetCall.rank)

    def waiting(self) -> list[Waiting]:
        """Return what the store is to know."""
        return [Waiting(session, len(calls)) for session, calls in self._sessions.items()]

    def note(self, turn: Turn, *, now: float) -> None:
        """Remember what the store said."""
        self._told, self._told_at = turn, now

    def take(self, session: bytes) -> BudgetCall | None:
        """Take the first call of the session whose turn it is, or of the next one if that has left."""
        calls = self._sessions.pop(session, None)
        if calls is None:
            session = next(iter(self._sessions), session)
            calls = self._sessions.pop(session, None)
        if calls is None:
            return None
        call = calls.pop(0)
        if calls:
            self._sessions[session] = calls  # last in line
        return call

    def pause(self, *, now: float) -> float:
        """Return for how many seconds there is nothing to do."""
        wait = 0.0 if self._told is None else self._told.wait + self._told_at - now
        patience = min((call.gives_up_at for call in self.calls()), default=now) - now
        return max(0.0, min(wait, patience, RENEWAL))

    def estimates(self, *, now: float) -> list[tuple[BudgetCall, float]]:
        """Return in how many seconds each call's turn comes at the earliest, unless others leave."""
        told = self._told
        if told is None:
            return [(call, 0.0) for call in self.calls()]
        next_turn = max(0.0, told.wait + self._told_at - now)
        interval = 1 / (self._pace.rate * told.factor)
        return [(call, next_turn + turns * interval) for call, turns in self._turns_before(told)]

    def _turns_before(self, told: Turn) -> Iterator[tuple[BudgetCall, int]]:
        """Count the turns before each call: those of its own session, and of each other one as many.

        Sessions before it in line have one more; of those that wait elsewhere nobody knows where they are.
        """
        elsewhere = Counter[bytes]()
        for session, number in told.others:
            elsewhere[session] += number
        lengths = [*map(len, self._sessions.values()), *elsewhere.values()]
        reaching = [sum(length > turn for length in lengths) for turn in range(2 * max(lengths, default=0))]
        within = [0, *itertools.accumulate(reaching)]
        earlier = Counter[int]()
        for session, calls in self._sessions.items():
            for index, call in enumerate(calls):
                own = index + min(elsewhere[session], index)
                others = within[own] - min(len(calls), own) - min(elsewhere[session], own)
                yield call, own + others + earlier[own]
            earlier.update(range(len(calls)))
