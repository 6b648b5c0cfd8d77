"""Whose call the resource server is sent next, and when: the decision that every store takes alike (PURE).

The pace is a generic cell rate algorithm: `at` is the theoretical arrival time, when the bucket would be
full again. A bucket that is full lets `burst` calls through at once; the next one comes an interval and
`MARGIN` later, and then one an interval. So calls that are longer on their way than those after them (a new
connection) do not make these come too early where they are counted, and no span of time ever has more than
rate x time + burst of them. Every moment spent late is made up for, as far as the burst reaches.

Sessions take turns, whichever process they wait in: the one that joined or was served longest ago is next.
Of the processes in which it waits, the one with its most urgent call has the turn, and among equals the one
whose call waits longest. Nothing is handed out ahead. If the next one's process does not ask within `GRACE`
after a turn came free, whoever asks has it: one that was killed holds nobody up.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

MARGIN = 0.1
"""Seconds by which calls may differ in how long they are under way."""

LEASE = 1.0
"""Seconds after which sessions are forgotten whose process has not asked again."""

GRACE = 0.06
"""Seconds that a process has to take the turn that is its own."""

EARLY = 0.0005
"""Seconds that nobody is sent away for."""

STEP = 1.0
"""Seconds that clocks may differ, or be set back, without anything being lost."""

SLOWING = 0.5
SLOWEST = 0.125
SLOWED_SECONDS = 1.0
"""How long one slowing down is the answer to every refusal: they come of calls that were under way."""
RECOVERY = 0.01
"""What the factor gains in a second."""


class Pace(NamedTuple):
    """Calls a second, and how many of them at once after a pause."""

    rate: float
    burst: int


class Waiting(NamedTuple):
    """A session, by a label of 1 to 32 bytes, and what is known of its calls that wait in one process.

    Urgencies are -1 to 7, the lowest first (RFC 9218 §4.1); ages are seconds, so that no clocks are compared.
    """

    session: bytes
    calls: int
    urgency: int = 3
    """Of the first, as its age; the next one takes its place when that is sent."""
    age: float = 0.0
    next_urgency: int = 3
    next_age: float = 0.0
    last_urgency: int = 3
    """None of them is less urgent."""


class Turn(NamedTuple):
    """What came of asking for a turn."""

    session: bytes | None
    """Whose call may be sent now; None if none may."""
    wait: float
    """Seconds until asking again makes sense, for what then still waits."""
    others: tuple[Waiting, ...]
    """What waits in other processes, in no order."""
    factor: float
    """The part of the rate that is believed in, above 0 and up to 1."""
    remaining: int
    """How many calls could be sent now, after this one."""
    reset: float
    """Seconds until the whole burst could be, if none is sent till then."""
    line: tuple[bytes, ...] = ()
    """All sessions that wait anywhere, the next one first."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A session that waits in one process, the owner, as it was when that asked."""

    owner: bytes = field(repr=False)
    waiting: Waiting
    rank: int
    """The same in all entries of a session; the lowest is next."""
    until: float
    """When the entry is forgotten unless its owner asks again: `LEASE` after it did."""

    @property
    def session(self) -> bytes:
        """Return whose it is."""
        return self.waiting.session

    def line(self) -> tuple[int, int, float]:
        """Return its place in line: the lowest is next."""
        return self.rank, self.waiting.urgency, self.until - self.waiting.age

    def told(self, now: float) -> Waiting:
        """Return what other processes are told of it."""
        row, more = self.waiting, now - (self.until - LEASE)
        return row._replace(age=row.age + more, next_age=row.next_age + more)


@dataclass(frozen=True, slots=True)
class Turns:
    """All that a store keeps of one budget; times are on the clock that is handed in as `now`."""

    at: float = 0.0
    opening: float = 0.0
    """As long as `at` is below this, the first burst after a pause is not used up."""
    factor: float = 1.0
    """What it was at `changed_at`, when it last fell; it has grown since."""
    changed_at: float = 0.0
    count: int = 0
    """The last rank that was given."""
    entries: tuple[Entry, ...] = ()

    @property
    def idle_at(self) -> float:
        """From when on nothing is lost if it is forgotten."""
        recovered_at = self.changed_at + (1 - self.factor) / RECOVERY
        return max(self.at + MARGIN, recovered_at, *(entry.until for entry in self.entries))


def decide_turn(
    turns: Turns | None, *, owner: bytes, waiting: Sequence[Waiting], pace: Pace, now: float
) -> tuple[Turn, Turns]:
    """Say who of an owner's sessions is served, if anybody is, and what is then kept.

    `waiting` is everything that waits there, each session once, the longest waiting first.
    """
    turns = _enter(_settle(turns or Turns(), pace, now), owner, waiting, now)
    factor = _factor(turns, now)
    interval = 1 / (pace.rate * factor)
    mine = [entry for entry in turns.entries if entry.owner == owner]
    served = None
    if mine and now > _asked_at(turns, owner, _free_at(turns, pace, factor), interval) - EARLY:
        served = min(mine, key=Entry.line)
        turns = _serve(turns, served, pace, now)
    free_at = _free_at(turns, pace, factor)
    saved = (now + EARLY - free_at) / interval
    turn = Turn(
        session=None if served is None else served.session,
        wait=max(0.0, _asked_at(turns, owner, free_at, interval) - now),
        others=tuple(entry.told(now) for entry in turns.entries if entry.owner != owner),
        factor=factor,
        remaining=0 if saved < 0 else min(int(saved) + 1, pace.burst if factor == 1 else 1),
        reset=max(0.0, turns.at - now),
        line=tuple(dict.fromkeys(entry.session for entry in sorted(turns.entries, key=Entry.line))),
    )
    return turn, turns


def decide_slowdown(turns: Turns | None, *, pace: Pace, now: float) -> Turns:
    """Say what is kept after the resource server has refused a call that was sent in its turn."""
    turns = _settle(turns or Turns(), pace, now)
    factor = _factor(turns, now)
    next_at = _free_at(turns, pace, factor)
    if turns.factor == 1 or now - turns.changed_at >= SLOWED_SECONDS:
        factor = max(SLOWEST, factor * SLOWING)
        turns = replace(turns, factor=factor, changed_at=now)
    return replace(turns, at=max(next_at, now + 1 / (pace.rate * factor)), opening=0.0)


def _factor(turns: Turns, now: float) -> float:
    return min(1.0, turns.factor + (now - turns.changed_at) * RECOVERY)


def _settle(turns: Turns, pace: Pace, now: float) -> Turns:
    """Drop what is over, and bring back what is further ahead than can be: another clock wrote it."""
    if turns.changed_at > now:
        turns = replace(turns, changed_at=now)
    if _factor(turns, now) == 1:
        turns = replace(turns, factor=1.0)
    latest = now + MARGIN + max(pace.burst, 1 / turns.factor) / pace.rate
    if turns.at > latest + STEP:
        turns = replace(turns, at=latest, opening=0.0)
    entries = tuple(entry for entry in turns.entries if now < entry.until <= now + LEASE + STEP)
    return replace(turns, entries=entries)


def _enter(turns: Turns, owner: bytes, waiting: Sequence[Waiting], now: float) -> Turns:
    """Put what waits at an owner where it stood: of equals all see the same one first."""
    rows = {row.session: row for row in waiting}
    ranks = {entry.session: entry.rank for entry in turns.entries}
    count, entries = turns.count, list[Entry]()
    for entry in turns.entries:
        if entry.owner != owner:
            entries.append(entry)
        elif entry.session in rows:
            entries.append(Entry(owner, rows.pop(entry.session), entry.rank, now + LEASE))
    for session, row in rows.items():
        if session not in ranks:
            count += 1
        entries.append(Entry(owner, row, ranks.get(session, count), now + LEASE))
    return replace(turns, count=count, entries=tuple(entries))


def _serve(turns: Turns, served: Entry, pace: Pace, now: float) -> Turns:
    at, opening, factor = turns.at, turns.opening, _factor(turns, now)
    # A burst of one is full again whenever its next call is due: that is no pause yet.
    if factor == 1 and at <= (now if pace.burst > 1 else now - MARGIN):
        at = now + MARGIN
        opening = at + (pace.burst - 0.5) / pace.rate
    at = max(at, now + _lead(pace, factor))
    count = turns.count + 1
    entries: list[Entry] = []
    for entry in turns.entries:
        row, rank = entry.waiting, count if entry.session == served.session else entry.rank
        if entry is served:
            last = row.last_urgency  # all that is known of the next, until its owner asks
            row = Waiting(row.session, row.calls - 1, row.next_urgency, row.next_age, last, 0.0, last)
        if row.calls:
            entries.append(replace(entry, waiting=row, rank=rank))
    at += 1 / (pace.rate * factor)
    return replace(turns, at=at, opening=opening, count=count, entries=tuple(entries))


def _lead(pace: Pace, factor: float) -> float:
    """Return how far ahead the bucket is at least when a call is sent: the calls after it may be quicker.

    A span that begins here must have room for that. Half of the burst is left to make up for lost time.
    """
    spare = (pace.burst - 1) / pace.rate / 2 if factor == 1 else 0.0
    return max(EARLY, min(MARGIN, spare))


def _free_at(turns: Turns, pace: Pace, factor: float) -> float:
    """Return from when on a call may be sent; one at a time where somebody else uses the same budget."""
    if factor < 1:
        return turns.at
    return turns.at - (pace.burst - 1) / pace.rate - (MARGIN if turns.at < turns.opening else 0.0)


def _asked_at(turns: Turns, owner: bytes, free_at: float, interval: float) -> float:
    """Return when an owner may have a turn that comes free: later, but by less than a turn, if another's."""
    first = min(turns.entries, key=Entry.line, default=None)
    return free_at if first is None or first.owner == owner else free_at + min(GRACE, interval)
