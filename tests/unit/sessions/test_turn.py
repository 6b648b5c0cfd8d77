"""Whose call is sent next, and when."""

from __future__ import annotations

import itertools
import random
from collections import Counter, deque
from dataclasses import dataclass, field

import pytest

from gateway.sessions.turn import (
    GRACE,
    LEASE,
    MARGIN,
    SLOWEST,
    Pace,
    Turn,
    Turns,
    Waiting,
    decide_slowdown,
    decide_turn,
)

START = 1_000_000.0
PACE = Pace(2, 2)


@dataclass
class Budget:
    """What a store does with the decision."""

    pace: Pace = PACE
    now: float = START
    turns: Turns | None = None
    sent: list[float] = field(default_factory=list)

    def ask(self, *waiting: tuple[str, int], owner: str = "a") -> Turn:
        rows = [Waiting(session.encode(), calls) for session, calls in waiting]
        return self.ask_for(*rows, owner=owner)

    def ask_for(self, *waiting: Waiting, owner: str) -> Turn:
        turn, self.turns = decide_turn(
            self.turns,
            owner=owner.encode(),
            waiting=waiting,
            pace=self.pace,
            now=self.now,
        )
        if turn.session:
            self.sent.append(self.now)
        return turn

    def slow_down(self) -> None:
        self.turns = decide_slowdown(self.turns, pace=self.pace, now=self.now)

    def drain(self, calls: int, *, session: str = "x") -> list[float]:
        """Send so many calls of one session as soon as may be; returns when, from the first on."""
        times: list[float] = []
        while len(times) < calls:
            turn = self.ask((session, calls - len(times)))
            if turn.session:
                times.append(self.now)
            if len(times) < calls:
                self.now += turn.wait
        return [round(moment - times[0], 6) for moment in times]


def calls_of(turn: Turn) -> list[tuple[bytes, int]]:
    return sorted((row.session, row.calls) for row in turn.others)


def excess(times: list[float], pace: Pace) -> float:
    """Return by how much a bucket of this pace would overflow: above 0 is too much."""
    level, last, most = 0.0, times[0] if times else 0.0, 0.0
    for moment in times:
        level = max(0.0, level - (moment - last) * pace.rate) + 1
        last = moment
        most = max(most, level)
    return most - pace.burst


def test_a_burst_comes_at_once_and_then_one_call_an_interval_after_a_margin() -> None:
    assert Budget().drain(5) == [0, 0, 0.5 + MARGIN, 1.0 + MARGIN, 1.5 + MARGIN]


def test_a_burst_of_one_is_one_call_an_interval() -> None:
    times = [0, 0.25 + MARGIN, 0.5 + MARGIN, 0.75 + MARGIN]
    assert Budget(Pace(4, 1)).drain(4) == pytest.approx(times, abs=0.0011)


def test_a_pause_fills_the_bucket_again() -> None:
    budget = Budget()
    budget.drain(6)
    budget.now += 10
    assert budget.drain(3) == [0, 0, 0.5 + MARGIN]


def test_time_that_was_lost_is_made_up_for() -> None:
    budget = Budget()
    budget.drain(3)
    budget.now += 0.95  # everybody came late
    assert budget.ask(("x", 3)).session == b"x"
    assert budget.ask(("x", 2)).wait == pytest.approx(MARGIN)


def test_a_process_that_comes_half_a_millisecond_early_need_not_come_again() -> None:
    budget = Budget()
    budget.drain(3)
    turn = budget.ask(("x", 1))
    budget.now += turn.wait - 0.0004
    assert budget.ask(("x", 1)).session == b"x"


@pytest.mark.parametrize("seed", range(40))
def test_no_span_of_time_has_more_than_rate_times_time_and_burst(seed: int) -> None:
    luck = random.Random(seed)  # noqa: S311 - which case comes next, no secret
    pace = Pace(luck.choice([0.5, 2, 7.3, 50]), luck.choice([1, 2, 5]))
    budget = Budget(pace)
    for _ in range(400):
        owner = luck.choice("abc")
        turn = budget.ask((owner, luck.randint(1, 3)), owner=owner)
        if luck.random() < 0.01:
            budget.slow_down()
        budget.now += luck.choice([0, turn.wait, turn.wait, luck.expovariate(pace.rate), 10 * luck.random()])
    assert len(budget.sent) > 50
    assert excess(budget.sent, pace) < 1e-6


@pytest.mark.parametrize("seed", range(20))
def test_no_span_has_more_where_calls_are_counted_either(seed: int) -> None:
    """Each call is up to `MARGIN` under way, and may overtake others."""
    luck = random.Random(seed)  # noqa: S311 - which case comes next, no secret
    budget = Budget(Pace(luck.choice([0.5, 2, 4]), luck.choice([2, 3, 5])))
    for _ in range(300):
        turn = budget.ask(("x", luck.randint(1, 3)))
        budget.now += luck.choice([0, turn.wait, turn.wait, luck.expovariate(budget.pace.rate)])
    arrived = sorted(sent + MARGIN * luck.random() for sent in budget.sent)
    assert len(arrived) > 50
    assert excess(arrived, budget.pace) < 0.0005 * budget.pace.rate + 1e-6


def test_sessions_take_turns_however_many_calls_they_have() -> None:
    budget, waiting = Budget(), {"x": 6, "y": 2, "z": 1}
    served: list[str] = []
    while waiting:
        turn = budget.ask(*waiting.items())
        if turn.session is not None:
            session = turn.session.decode()
            served.append(session)
            waiting[session] -= 1
            waiting = {name: calls for name, calls in waiting.items() if calls}
        budget.now += turn.wait
    assert "".join(served) == "xyzxyxxxx"


def run_owners(
    waiting: dict[str, dict[str, int]], *, dead: frozenset[str] = frozenset(), pace: Pace = PACE
) -> tuple[list[str], list[float]]:
    """Let several processes ask whenever they were told to, until nothing waits; the dead asked once."""
    budget = Budget(pace)
    budget.drain(2, session="earlier")
    line = deque((budget.now, owner) for owner in waiting)
    served: list[str] = []
    while line:
        line = deque(sorted(line))
        moment, owner = line.popleft()
        budget.now = max(budget.now, moment)
        turn = budget.ask(*waiting[owner].items(), owner=owner)
        if turn.session is not None:
            session = turn.session.decode()
            served.append(session + owner)
            waiting[owner][session] -= 1
            waiting[owner] = {name: calls for name, calls in waiting[owner].items() if calls}
        if waiting[owner] and owner not in dead:
            line.append((budget.now + min(turn.wait, LEASE / 2), owner))
    return served, budget.sent


def test_sessions_of_several_processes_take_turns_among_each_other() -> None:
    served, _ = run_owners({"a": {"x": 4, "y": 4}, "b": {"z": 4}, "c": {"x": 4}})
    counts: Counter[str] = Counter()
    for place, name in enumerate(served):
        counts[name[0]] += 1
        if place < 12:
            assert max(counts[session] for session in "xyz") - min(counts[s] for s in "xyz") <= 1
    assert counts == {"x": 8, "y": 4, "z": 4}


def ask_both(budget: Budget, one: Waiting, other: Waiting) -> str:
    """Let two processes ask until one of them is served; returns which."""
    waits = {"a": budget.ask_for(one, owner="a").wait, "b": budget.ask_for(other, owner="b").wait}
    waits["a"] = budget.ask_for(one, owner="a").wait
    budget.now += min(waits.values())
    served = {"a": budget.ask_for(one, owner="a").session, "b": budget.ask_for(other, owner="b").session}
    return "".join(owner for owner, session in served.items() if session is not None)


def test_of_the_processes_of_a_session_the_one_with_the_urgent_call_is_next() -> None:
    """RFC 9218 §4.1: the lower the number, the more urgent."""
    for one, other, next_one in [(1, 5, "a"), (5, 1, "b"), (-1, 0, "a"), (7, -1, "b")]:
        budget = Budget()
        budget.drain(2)
        assert ask_both(budget, Waiting(b"x", 1, one, 0.1), Waiting(b"x", 1, other, 9.0)) == next_one


def test_of_calls_as_urgent_the_one_that_waits_longest_is_next_in_whichever_process() -> None:
    for one, other, next_one in [(2.0, 1.0, "a"), (1.0, 2.0, "b")]:
        budget = Budget()
        budget.drain(2)
        assert ask_both(budget, Waiting(b"x", 1, 3, one), Waiting(b"x", 1, 3, other)) == next_one


def test_urgency_takes_no_turn_from_another_session() -> None:
    budget = Budget()
    budget.drain(2)
    budget.ask_for(Waiting(b"x", 1, 7, 0.0), owner="a")
    assert ask_both(budget, Waiting(b"x", 1, 7, 0.0), Waiting(b"y", 1, -1, 60.0)) == "a"


def test_the_next_call_takes_the_place_of_the_one_that_was_sent() -> None:
    """Its process is not waited for where another one has the more urgent call by then."""
    budget = Budget()
    budget.drain(2)
    mine = Waiting(b"x", 2, 1, 5.0, 5, 5.0, 5)
    budget.now += budget.ask_for(mine, owner="a").wait
    wait = budget.ask_for(Waiting(b"x", 1, 3, 1.0), owner="b").wait
    assert wait == pytest.approx(GRACE)
    turn = budget.ask_for(mine, owner="a")
    assert turn.session == b"x"
    assert turn.wait == pytest.approx(0.5 + GRACE)
    assert budget.ask_for(Waiting(b"x", 1, 3, 1.0), owner="b").wait == pytest.approx(0.5)


def test_ages_go_on_where_others_are_told_of_them() -> None:
    budget = Budget()
    budget.drain(2)
    budget.ask_for(Waiting(b"x", 2, 1, 4.0, 2, 3.0, 6), owner="b")
    budget.now += 0.5
    assert budget.ask(owner="a").others == (Waiting(b"x", 2, 1, 4.5, 2, 3.5, 6),)


@pytest.mark.parametrize("rate", [2, 50])
def test_no_turn_is_lost_between_processes(rate: int) -> None:
    _, sent = run_owners({owner: {owner: 20} for owner in "abc"}, pace=Pace(rate, 2))
    span = sent[-1] - sent[0]
    assert span == pytest.approx(60 / rate + MARGIN, abs=0.1)


def test_a_process_that_is_gone_holds_up_for_a_moment_only() -> None:
    _, sent = run_owners({"a": {"x": 10}, "b": {"z": 9}, "c": {"y": 10}}, dead=frozenset("b"))
    gaps = [after - before for before, after in itertools.pairwise(sent[2:])]
    assert max(gaps) <= 0.5 + GRACE + 0.001
    assert len(sent) >= 22
    assert sent[-1] - sent[0] <= (len(sent) - 2) / 2 + MARGIN + GRACE


def test_the_turn_is_anybodys_after_its_grace() -> None:
    budget = Budget()
    budget.drain(2)
    budget.ask(("x", 1), owner="a")
    wait = budget.ask(("y", 1), owner="b").wait
    budget.now += wait - GRACE + 0.001
    turn = budget.ask(("y", 1), owner="b")
    assert turn.session is None
    assert turn.wait == pytest.approx(GRACE - 0.001)
    budget.now += turn.wait
    assert budget.ask(("y", 1), owner="b").session == b"y"


def test_who_does_not_ask_for_a_lease_is_forgotten() -> None:
    budget = Budget()
    budget.drain(2)
    budget.ask(("x", 3), owner="a")
    assert calls_of(budget.ask(("y", 1), owner="b")) == [(b"x", 3)]
    budget.now += LEASE
    assert budget.ask(("y", 1), owner="b").others == ()


def test_who_has_nothing_waiting_any_more_is_withdrawn() -> None:
    budget = Budget()
    budget.drain(2)
    budget.ask(("x", 3), owner="a")
    assert budget.ask(owner="a").session is None
    assert budget.ask(("y", 1), owner="b").others == ()


def test_a_turn_tells_what_is_left() -> None:
    budget = Budget()
    first, second, third = (budget.ask(("x", 1)) for _ in range(3))
    assert (first.remaining, second.remaining, third.remaining) == (1, 0, 0)
    assert first.reset == pytest.approx(0.5 + MARGIN)
    assert second.reset == third.reset == pytest.approx(1 + MARGIN)


def test_a_refusal_halves_the_rate_and_makes_everybody_pause() -> None:
    budget = Budget()
    budget.drain(2)
    budget.slow_down()
    assert budget.ask(("x", 1)).wait == pytest.approx(1.0)
    assert budget.ask(("x", 1)).factor == 0.5
    times = budget.drain(4)
    assert times[1] == pytest.approx(1 / (2 * 0.51), abs=0.01)


def test_refusals_of_one_moment_slow_down_once() -> None:
    budget = Budget()
    for _ in range(5):
        budget.slow_down()
        budget.now += 0.1
    assert budget.ask(("x", 1)).factor == pytest.approx(0.505)


def test_refusals_that_go_on_slow_down_to_an_eighth() -> None:
    budget = Budget()
    for _ in range(8):
        budget.slow_down()
        budget.now += 1.5
    assert budget.ask(("x", 1)).factor == pytest.approx(SLOWEST + 0.015)


def test_the_rate_comes_back_by_a_tenth_in_ten_seconds() -> None:
    budget = Budget()
    budget.slow_down()
    factors: list[float] = []
    for _ in range(7):
        factors.append(budget.ask().factor)
        budget.now += 10
    assert factors == pytest.approx([0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.0])


def test_a_second_slowdown_begins_where_the_rate_was() -> None:
    budget = Budget()
    budget.slow_down()
    budget.now += 30
    budget.slow_down()
    assert budget.ask().factor == pytest.approx(0.4)


def test_a_slowdown_never_brings_a_turn_forward() -> None:
    budget = Budget(Pace(0.2, 1))
    budget.drain(1)
    before = budget.ask(("x", 1)).wait
    budget.slow_down()
    assert budget.ask(("x", 1)).wait >= max(before, 10) - 1e-6


def test_a_clock_that_was_set_back_holds_nobody_up() -> None:
    budget = Budget()
    budget.drain(9)
    budget.slow_down()
    budget.ask(("y", 1), owner="b")
    budget.now -= 86_400
    turn = budget.ask(("x", 1))
    assert turn.wait <= 1 + MARGIN + GRACE
    assert turn.others == ()
    budget.now += 50
    assert budget.ask().factor == 1


def test_a_caller_whose_clock_is_a_little_behind_takes_nothing_from_anybody() -> None:
    budget = Budget()
    budget.drain(2)
    budget.ask(("y", 1), owner="b")
    budget.now -= 0.3
    turn = budget.ask(("x", 1))
    assert calls_of(turn) == [(b"y", 1)]
    assert turn.wait == pytest.approx(0.8 + MARGIN + GRACE)


def test_what_is_idle_may_be_forgotten() -> None:
    budget = Budget()
    budget.drain(2)
    assert budget.turns is not None
    assert budget.turns.idle_at == pytest.approx(budget.now + 1 + 2 * MARGIN)
    budget.ask(("x", 1))
    budget.slow_down()
    assert budget.turns.idle_at == pytest.approx(budget.now + 50)
