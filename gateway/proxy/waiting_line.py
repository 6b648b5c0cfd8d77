"""Who waits in one process for the turns of one budget, and who of a session is first (PURE)."""

from __future__ import annotations

import itertools
from bisect import insort
from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from gateway.sessions.turn import LEASE, Waiting

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterator, Mapping, Sequence

    from gateway.sessions.turn import Pace, Turn

RENEWAL = 0.4 * LEASE
"""Seconds after which the store is asked again at the latest, so that it does not forget who waits here."""

_AT_HEAD = -1
"""The urgency of a call that had a turn already, to processes that compare."""
_AT_ONCE = 0.001
"""Seconds between joining and asking, within which nobody else joined."""


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
    sessions: list[bytes] = field(default_factory=list[bytes])
    """Who wants its answer: it goes in the turn of whichever of them comes first."""

    def __post_init__(self) -> None:
        """Let it go in the turns of its own session."""
        self.sessions.append(self.place.session)

    def heed(self, urgency: int, session: bytes) -> None:
        """Be as urgent as it is to a session that wants it too."""
        self.urgency = min(self.urgency, urgency)
        if session not in self.sessions:
            self.sessions.append(session)

    @property
    def gives_up_at(self) -> float:
        """When its patience is over."""
        return self.since + self.patience - self.waited

    def rank(self) -> tuple[int, int]:
        """Return its place among the calls of its session: the lowest is first."""
        return _AT_HEAD if self.at_head else self.urgency, self.arrival


class WaitingLine:
    """The calls that wait for one budget, in the sessions' order; times are on the process's own clock."""

    def __init__(self, key: bytes, pace: Pace) -> None:
        self.key = key
        self._pace = pace
        self._sessions: dict[bytes, list[BudgetCall]] = {}
        self._arrivals = itertools.count()
        self._told: Turn | None = None
        self._told_at = 0.0
        self._asked_at = 0.0
        self.is_entered = False
        """Whether the store has noted that somebody waits here."""

    def __bool__(self) -> bool:
        return bool(self._sessions)

    def calls(self) -> list[BudgetCall]:
        """Return all that wait, each once."""
        return list(dict.fromkeys(call for calls in self._sessions.values() for call in calls))

    def count(self, session: bytes) -> int:
        """Return how many calls of a session wait."""
        return len(self._sessions.get(session, ()))

    def join(self, call: BudgetCall, *, now: float) -> bool:
        """Let a call wait; returns whether it is the first of a session, which the store is to know."""
        call.since = now
        call.arrival = next(self._arrivals)
        for session in call.sessions:
            self._enter(call, session)
        return bool(self._led_by(call))

    def leave(self, call: BudgetCall) -> None:
        """Let a call wait no more; nothing happens if it does not."""
        for session in call.sessions:
            self._withdraw(call, session)

    def hasten(self, call: BudgetCall, *, urgency: int, session: bytes) -> bool:
        """Let a call heed one more session; returns whether it has become the first of one."""
        was_first = set(self._led_by(call))
        found = [session for session in call.sessions if self._withdraw(call, session, keeps=True)]
        call.heed(urgency, session)
        if not found:
            return False
        for each in call.sessions:
            self._enter(call, each)
        return not was_first.issuperset(self._led_by(call))

    def part(self, call: BudgetCall, session: bytes) -> None:
        """Let a call go in the turns of a session no more, if others want it."""
        if session in call.sessions and len(call.sessions) > 1:
            self._withdraw(call, session)
            call.sessions.remove(session)

    def waiting(self, *, now: float) -> list[Waiting]:
        """Return what the store is told at once."""
        self._asked_at = now
        return [_tell(session, calls, now) for session, calls in self._sessions.items()]

    def note(self, turn: Turn, *, now: float) -> None:
        """Remember what the store said, and stand in its order."""
        self._told, self._told_at = turn, now
        known = {session: self._sessions.pop(session) for session in turn.line if session in self._sessions}
        self._sessions = known | self._sessions

    def take(self, session: bytes) -> BudgetCall | None:
        """Take the first call of the session whose turn it is, or of the next one if that has left."""
        calls = self._sessions.pop(session, None)
        if calls is None:
            session = next(iter(self._sessions), session)
            calls = self._sessions.pop(session, None)
        if calls is None:
            return None
        call = calls[0]
        self._sessions[session] = calls  # last in line
        self.leave(call)
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
        """Let all turns come in their order; nobody knows who joins elsewhere meanwhile."""
        elsewhere = defaultdict[bytes, list[Waiting]](list)
        for row in told.others:
            elsewhere[row.session].append(row)
        lines = {
            session: [*self._merge(self._sessions.get(session, ()), elsewhere[session])]
            for session in dict.fromkeys([*told.line, *self._sessions, *elsewhere])
        }
        for turns, (_, call) in enumerate(self._turns(lines)):
            if call is not None:
                yield call, turns

    def _turns(
        self, lines: Mapping[bytes, Sequence[BudgetCall | None]]
    ) -> Iterator[tuple[bytes, BudgetCall | None]]:
        """Let sessions take turns until all that waits here has gone."""
        left = set(self.calls())
        waiting = deque((session, deque(line)) for session, line in lines.items())
        while left:
            session, line = waiting.popleft()
            while line and line[0] is not None and line[0] not in left:
                line.popleft()  # it went in the turn of another session
            if line:
                call = line.popleft()
                if call is not None:
                    left.remove(call)
                waiting.append((session, line))
                yield session, call

    def _merge(self, calls: Sequence[BudgetCall], rows: Sequence[Waiting]) -> Iterator[BudgetCall | None]:
        """Put what waits elsewhere, as None, where in a session it stands at the earliest."""
        told = 0
        for call in calls:
            before = sum(self._count_before(call, row) for row in rows)
            yield from itertools.repeat(None, before - told)
            told = max(told, before)
            yield call
        yield from itertools.repeat(None, sum(row.calls for row in rows) - told)

    def _count_before(self, call: BudgetCall, row: Waiting) -> int:
        """Count the calls of the same session elsewhere that surely go before one that waits here."""
        urgency, _ = call.rank()
        is_newer = call.since >= self._asked_at - _AT_ONCE
        if row.last_urgency < urgency or (row.last_urgency == urgency and is_newer):
            return row.calls
        first = row.urgency, self._asked_at - row.age
        second = row.next_urgency, self._asked_at - row.next_age
        return sum(each < (urgency, call.since) for each in (first, second)[: row.calls])

    def _enter(self, call: BudgetCall, session: bytes) -> None:
        insort(self._sessions.setdefault(session, []), call, key=BudgetCall.rank)

    def _led_by(self, call: BudgetCall) -> list[bytes]:
        return [session for session in call.sessions if self._sessions.get(session, [None])[0] is call]

    def _withdraw(self, call: BudgetCall, session: bytes, *, keeps: bool = False) -> bool:
        calls = self._sessions.get(session, [])
        if call not in calls:
            return False
        calls.remove(call)
        if not calls and not keeps:
            del self._sessions[session]
        return True


def _tell(session: bytes, calls: Sequence[BudgetCall], now: float) -> Waiting:
    """Tell of a session: what others want too may go in their turns, and does not count."""
    first, second = calls[0], calls[min(1, len(calls) - 1)]
    return Waiting(
        session,
        max(1, sum(len(call.sessions) == 1 for call in calls)),
        first.rank()[0],
        now - first.since,
        second.rank()[0],
        now - second.since,
        calls[-1].rank()[0],
    )
