"""The calls of several processes in one budget, by a clock of the test's own: as if they were one."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import pytest

from gateway.proxy.waiting_line import BudgetCall, BudgetPlace, WaitingLine
from gateway.sessions.turn import MARGIN, Pace, Turns, Waiting, decide_turn

KEY = b"k" * 32
START = 1_000_000.0
PACE = Pace(2, 2)


@dataclass
class Processes:
    """Lines on one store; each asks when it was told to, or when it has something to tell."""

    lines: list[WaitingLine]
    now: float = START
    turns: Turns | None = None
    asks_at: dict[int, float] = field(default_factory=dict)
    served: list[BudgetCall] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)
    refused: list[BudgetCall] = field(default_factory=list)

    def join(self, number: int, call: BudgetCall) -> None:
        line = self.lines[number]
        if line.join(call, now=self.now):
            self.asks_at[number] = self.now
        self._refuse(line, only=call)

    def run(self, until: float) -> None:
        """Let time pass."""
        while self.asks_at:
            number = min(self.asks_at, key=lambda each: self.asks_at[each])
            if self.asks_at[number] > until:
                break
            self.now = max(self.now, self.asks_at.pop(number))
            self._ask(number)
        self.now = until

    def _ask(self, number: int) -> None:
        line = self.lines[number]
        waiting = line.waiting(now=self.now)
        turn, self.turns = decide_turn(
            self.turns, owner=b"%d" % number, waiting=waiting, pace=PACE, now=self.now
        )
        line.note(turn, now=self.now)
        if turn.session is not None and (call := line.take(turn.session)) is not None:
            self.served.append(call)
            self.waited.append(self.now - call.since)
        self._refuse(line)
        if line or waiting:
            self.asks_at[number] = self.now + line.pause(now=self.now)

    def _refuse(self, line: WaitingLine, only: BudgetCall | None = None) -> None:
        for call, seconds in line.estimates(now=self.now):
            if only in {None, call} and self.now + seconds > call.gives_up_at:
                line.leave(call)
                self.refused.append(call)


def processes(count: int) -> Processes:
    """Return processes whose budget has just been used up."""
    found = Processes([WaitingLine(KEY, PACE) for _ in range(count)])
    for _ in range(PACE.burst):
        _, found.turns = decide_turn(
            found.turns, owner=b"earlier", waiting=[Waiting(b"e", 1)], pace=PACE, now=found.now
        )
    return found


def call(session: str = "x", *, urgency: int = 3, patience: float = 1000.0) -> BudgetCall:
    return BudgetCall(BudgetPlace(KEY, session.encode()), urgency, patience)


def test_urgent_calls_at_another_process_go_before_those_of_their_session() -> None:
    some = processes(3)
    for _ in range(6):
        some.join(0, call(urgency=5))
        some.run(some.now + 0.001)
    for _ in range(4):
        some.join(2, call(urgency=1))
    some.run(START + 60)
    assert [each.urgency for each in some.served] == [1] * 4 + [5] * 6


@pytest.mark.parametrize("seed", range(30))
def test_calls_are_sent_as_they_would_be_by_one_process(seed: int) -> None:
    luck = random.Random(seed)  # noqa: S311 - which case comes next, no secret
    wanted = [(luck.randrange(3), luck.choice("xyz"), luck.randrange(8)) for _ in range(luck.randint(2, 30))]
    orders: list[list[int]] = []
    for count in (1, 3):
        some, numbers = processes(count), dict[BudgetCall, int]()
        for number, (at, session, urgency) in enumerate(wanted):
            one = call(session, urgency=urgency)
            numbers[one] = number
            some.join(at % count, one)
            some.run(some.now + 0.001)
        some.run(START + 60)
        assert some.now - START >= len(wanted) / PACE.rate + MARGIN
        orders.append([numbers[one] for one in some.served])
    assert orders[0] == orders[1]
    assert sorted(orders[1]) == list(range(len(wanted)))


def test_no_session_waits_longer_for_its_connections_lie_unevenly() -> None:
    """Nine sessions keep four calls under way, of which one process has two: 18 s each, by arithmetic."""
    some = processes(3)
    lying = {name: [0, 0, 1, 2] for name in "abcdefghi"}
    under_way: dict[BudgetCall, tuple[str, int]] = {}
    for name, places in lying.items():
        for at in places:
            one = call(name, patience=25.0)
            under_way[one] = name, at
            some.join(at, one)
    count = 0
    while some.now < START + 60:
        some.run(some.now + 0.01)
        for one in some.served[count:]:
            name, at = under_way.pop(one)
            another = call(name, patience=25.0)
            under_way[another] = name, at
            some.join(at, another)
        count = len(some.served)
    assert not some.refused
    assert count >= 118
    assert max(some.waited[36:]) - min(some.waited[36:]) < 1.0
    assert max(some.waited) < 19.0


def play(
    wanted: list[tuple[int, str, int]], *, patience: dict[int, float]
) -> tuple[Processes, list[BudgetCall]]:
    """Let calls come one after the other, and all be served that are patient."""
    some, calls = processes(3), list[BudgetCall]()
    for number, (at, session, urgency) in enumerate(wanted):
        calls.append(call(session, urgency=urgency, patience=patience.get(number, 1000.0)))
        some.join(at, calls[-1])
        some.run(some.now + 0.05)
    some.run(START + 60)
    return some, calls


@pytest.mark.parametrize("seed", range(10))
def test_who_is_refused_would_not_have_been_served_in_time(seed: int) -> None:
    luck = random.Random(seed)  # noqa: S311 - which case comes next, no secret
    wanted = [(luck.randrange(3), luck.choice("wxyz"), luck.choice([1, 3, 3, 5])) for _ in range(30)]
    patient, calls = play(wanted, patience={})
    waits = dict(zip(patient.served, patient.waited, strict=True))
    for number, one in enumerate(calls):
        patience = luck.choice([3.0, 10.0, waits[one] - 0.1, waits[one] + 0.1])
        some, others = play(wanted, patience={number: patience})
        assert some.refused == ([] if waits[one] <= patience else [others[number]])
