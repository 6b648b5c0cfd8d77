"""Who waits, in which order, and for how long."""

from __future__ import annotations

import random

import pytest

from gateway.proxy.waiting_line import RENEWAL, BudgetCall, BudgetPlace, WaitingLine
from gateway.sessions.turn import Pace, Turn, Waiting

KEY = b"k" * 32
NOW = 100.0


def call(
    session: str = "x", *, urgency: int = 3, patience: float = 10.0, at_head: bool = False
) -> BudgetCall:
    return BudgetCall(BudgetPlace(KEY, session.encode()), urgency, patience, at_head=at_head)


def line_of(*calls: BudgetCall, wait: float = 0.5, others: dict[str, int] | None = None) -> WaitingLine:
    line = WaitingLine(KEY, Pace(2, 2))
    for each in calls:
        line.join(each, now=NOW)
    elsewhere = tuple(Waiting(session.encode(), number) for session, number in (others or {}).items())
    line.note(Turn(None, wait, elsewhere, 1.0, 0, 1.0), now=NOW)
    return line


def order_of(line: WaitingLine, session: str = "x") -> list[BudgetCall]:
    taken: list[BudgetCall] = []
    while (found := line.take(session.encode())) is not None:
        taken.append(found)
    return taken


def test_the_urgent_come_before_the_others_and_these_in_their_order() -> None:
    """RFC 9218 §4.1: the lower the number, the more urgent."""
    prefetch, first, second, visible = call(urgency=5), call(), call(), call(urgency=1)
    assert order_of(line_of(prefetch, first, second, visible)) == [visible, first, second, prefetch]


def test_what_had_a_turn_already_comes_before_the_urgent() -> None:
    urgent, again, later = call(urgency=0), call(urgency=7, at_head=True), call(at_head=True)
    assert order_of(line_of(urgent, again, later)) == [again, later, urgent]


def test_a_call_that_becomes_urgent_is_put_forward() -> None:
    first, second = call(), call()
    line = line_of(first, second)
    second.urgency = 1
    line.sort(second)
    assert order_of(line) == [second, first]


def test_the_store_is_told_who_waits() -> None:
    line = line_of(call("x"), call("y"), call("x"))
    assert line.waiting() == [Waiting(b"x", 2), Waiting(b"y", 1)]
    assert (line.count(b"x"), line.count(b"z")) == (2, 0)
    line.take(b"x")
    assert line.waiting() == [Waiting(b"y", 1), Waiting(b"x", 1)]


def test_only_the_first_call_of_a_session_is_news() -> None:
    line = WaitingLine(KEY, Pace(2, 2))
    assert [line.join(call(name), now=NOW) for name in "xxy"] == [True, False, True]


def test_the_turn_of_a_session_that_has_left_is_the_next_ones() -> None:
    gone, other = call("x"), call("y")
    line = line_of(gone, other)
    line.leave(gone)
    line.leave(gone)
    assert line.take(b"x") is other
    assert line.take(b"x") is None
    assert not line


def test_a_pause_ends_with_the_turn_the_patience_or_the_need_to_show_up() -> None:
    assert line_of(call(), wait=0.3).pause(now=NOW) == pytest.approx(0.3)
    assert line_of(call(), wait=0.3).pause(now=NOW + 0.1) == pytest.approx(0.2)
    assert line_of(call(patience=0.1), wait=0.3).pause(now=NOW) == pytest.approx(0.1)
    assert line_of(call(), wait=3).pause(now=NOW) == pytest.approx(RENEWAL)
    assert line_of(call(), wait=0.3).pause(now=NOW + 1) == 0
    assert line_of(wait=0.3).pause(now=NOW) == 0


def seconds_of(line: WaitingLine, which: BudgetCall) -> float:
    return {id(each): seconds for each, seconds in line.estimates(now=NOW)}[id(which)]


def test_a_call_waits_for_those_of_its_session_before_it() -> None:
    first, second, third = calls = [call(), call(), call()]
    line = line_of(*calls)
    assert [seconds_of(line, each) for each in (first, second, third)] == [0.5, 1.0, 1.5]


def test_a_call_waits_for_as_many_of_the_other_sessions() -> None:
    mine = [call("x"), call("x")]
    line = line_of(*[call("a") for _ in range(9)], *mine, call("b"))
    # a x b a x: b came later, and has but one
    assert [seconds_of(line, each) for each in mine] == [1.0, 2.5]


def test_what_waits_elsewhere_counts_as_far_as_it_surely_comes_before() -> None:
    mine = [call("x"), call("x")]
    line = line_of(*mine, others={"y": 100, "z": 1})
    assert [seconds_of(line, each) for each in mine] == [0.5, 2.0]


def test_calls_of_the_same_session_elsewhere_take_turns_with_those_here() -> None:
    mine = [call("x"), call("x")]
    line = line_of(*mine, others={"x": 5})
    assert [seconds_of(line, each) for each in mine] == [0.5, 1.5]


def test_a_slower_budget_is_a_longer_wait() -> None:
    first, second = call(), call()
    line = line_of(first, second)
    line.note(Turn(None, 1.0, (), 0.5, 0, 1.0), now=NOW)
    assert seconds_of(line, second) == 2.0


def test_nothing_is_guessed_before_the_store_has_said_anything() -> None:
    line, one = WaitingLine(KEY, Pace(2, 2)), call(patience=0)
    line.join(one, now=NOW)
    assert line.estimates(now=NOW) == [(one, 0.0)]
    assert line.pause(now=NOW) == 0


@pytest.mark.parametrize("seed", range(30))
def test_an_estimate_is_when_the_turn_comes_if_nobody_joins_or_leaves(seed: int) -> None:
    luck = random.Random(seed)  # noqa: S311 - which case comes next, no secret
    calls = [call(luck.choice("abcd"), urgency=luck.randrange(8)) for _ in range(luck.randint(1, 40))]
    line = line_of(*calls)
    guessed = {id(each): seconds for each, seconds in line.estimates(now=NOW)}
    served = 0
    while line:
        session = line.waiting()[0].session
        taken = line.take(session)
        assert taken is not None
        assert guessed[id(taken)] == 0.5 + served * 0.5
        served += 1


def test_patience_is_for_all_turns_together() -> None:
    one = call(patience=10)
    one.waited = 4.0
    line_of(one)
    assert one.gives_up_at == NOW + 6
