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


def told_of(line: WaitingLine) -> list[tuple[bytes, int]]:
    return [(row.session, row.calls) for row in line.waiting(now=NOW)]


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
    assert line.hasten(second, urgency=1, session=b"x")
    assert order_of(line) == [second, first]


def test_the_store_is_told_who_waits() -> None:
    line = line_of(call("x"), call("y"), call("x"))
    assert told_of(line) == [(b"x", 2), (b"y", 1)]
    assert (line.count(b"x"), line.count(b"z")) == (2, 0)
    line.take(b"x")
    assert told_of(line) == [(b"y", 1), (b"x", 1)]


def test_the_store_is_told_of_the_first_call_the_next_and_the_last() -> None:
    line = line_of(call(urgency=7), call(urgency=2), call("y", urgency=6))
    line.join(call(urgency=3), now=NOW + 1)
    line.join(call("z", urgency=5, at_head=True), now=NOW + 3)
    assert line.waiting(now=NOW + 4) == [
        Waiting(b"x", 3, 2, 4.0, 3, 3.0, 7),
        Waiting(b"y", 1, 6, 4.0, 6, 4.0, 6),
        Waiting(b"z", 1, -1, 1.0, -1, 1.0, -1),
    ]


def test_only_a_first_call_is_news() -> None:
    line = WaitingLine(KEY, Pace(2, 2))
    assert [line.join(call(name), now=NOW) for name in "xxy"] == [True, False, True]
    urgent, last = call(urgency=1), call(urgency=7)
    assert line.join(urgent, now=NOW)
    assert not line.join(last, now=NOW)
    assert not line.hasten(urgent, urgency=0, session=b"x")
    assert not line.hasten(last, urgency=1, session=b"x")
    assert line.hasten(last, urgency=0, session=b"y")


def test_a_call_that_several_want_goes_in_the_turn_of_whichever_comes_first() -> None:
    first, wanted, other = call("x"), call("x", urgency=5), call("y", urgency=6)
    line = line_of(first, wanted, other)
    assert line.hasten(wanted, urgency=5, session=b"y")
    assert told_of(line) == [(b"x", 1), (b"y", 1)]
    assert line.calls() == [first, wanted, other]
    assert line.take(b"y") is wanted
    assert told_of(line) == [(b"x", 1), (b"y", 1)]
    assert order_of(line) == [first, other]


def test_calls_that_others_want_too_do_not_count_for_the_store() -> None:
    """They may go in another's turn: whoever waits elsewhere is not refused for what may take no time."""
    line, wanted = line_of(*[call(name) for name in "xyz"]), [call("x") for _ in range(6)]
    for each in wanted:
        line.join(each, now=NOW)
        for session in (b"y", b"z"):
            line.hasten(each, urgency=3, session=session)
    assert told_of(line) == [(b"x", 1), (b"y", 1), (b"z", 1)]


def test_a_session_that_wants_nothing_else_has_a_turn_for_it_and_leaves_nothing_behind() -> None:
    wanted = call("x")
    line = line_of(call("x"), wanted)
    line.hasten(wanted, urgency=3, session=b"y")
    assert line.take(b"y") is wanted
    assert told_of(line) == [(b"x", 1)]


def test_a_session_keeps_its_place_when_its_call_went_in_anothers_turn() -> None:
    wanted = call("x")
    line = line_of(wanted, call("y"), call("z"), call("x"))
    line.hasten(wanted, urgency=3, session=b"z")
    line.take(b"x")
    assert told_of(line) == [(b"y", 1), (b"z", 1), (b"x", 1)]


def test_a_call_goes_no_more_in_the_turn_of_a_session_that_has_left() -> None:
    wanted = call("x")
    line = line_of(wanted)
    line.hasten(wanted, urgency=3, session=b"y")
    line.part(wanted, b"x")
    assert told_of(line) == [(b"y", 1)]
    line.part(wanted, b"y")  # nobody else is left: whoever sent it ends it
    line.part(wanted, b"z")
    assert told_of(line) == [(b"y", 1)]
    line.leave(wanted)
    assert not line


def test_a_call_that_is_sent_again_waits_for_all_who_want_it() -> None:
    wanted = call("x")
    line = line_of(wanted)
    assert line.take(b"x") is wanted
    assert not line.hasten(wanted, urgency=1, session=b"y")
    assert not line
    line.join(wanted, now=NOW)
    assert told_of(line) == [(b"x", 1), (b"y", 1)]


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


@pytest.mark.parametrize(
    ("row", "turns"),
    [
        pytest.param(Waiting(b"x", 5, 4, 9.0, 4, 9.0, 5), [0, 1], id="less urgent"),
        pytest.param(Waiting(b"x", 5, 1, 0.0, 1, 0.0, 2), [5, 6], id="more urgent"),
        pytest.param(
            Waiting(b"x", 5, 3, 9.0, 3, 8.0, 3), [2, 3], id="two are older, and who knows of the rest"
        ),
        pytest.param(Waiting(b"x", 5, 3, 9.0, 3, 1.0, 4), [1, 2], id="one is older"),
        pytest.param(Waiting(b"x", 1, 3, 9.0, 3, 9.0, 3), [1, 2], id="there is but one"),
        pytest.param(Waiting(b"x", 5, 3, 1.0, 3, 1.0, 3), [0, 1], id="these are older"),
    ],
)
def test_calls_of_the_same_session_elsewhere_count_as_far_as_they_surely_go_before(
    row: Waiting, turns: list[int]
) -> None:
    mine = [call("x"), call("x")]
    line = line_of(*mine)
    line.waiting(now=NOW + 5)
    line.note(Turn(None, 0.0, (row,), 1.0, 0, 1.0), now=NOW + 5)
    seconds = {id(each): seconds for each, seconds in line.estimates(now=NOW + 5)}
    assert [seconds[id(each)] for each in mine] == [0.5 * turn for turn in turns]


def test_who_comes_after_the_store_was_asked_comes_after_all_as_urgent_elsewhere() -> None:
    line = line_of(call("x", urgency=1))
    line.waiting(now=NOW)
    line.note(Turn(None, 0.0, (Waiting(b"x", 5, 3, 0.1, 3, 0.1, 3),), 1.0, 0, 1.0), now=NOW)
    late = call("x")
    line.join(late, now=NOW + 0.1)
    assert seconds_of(line, late) == 3.0


def test_another_session_has_one_turn_a_round_however_many_processes_it_waits_at() -> None:
    mine = [call("x") for _ in range(4)]
    line = line_of(call("y"), *mine, others={"y": 2})
    # y x y x y x x
    assert [seconds_of(line, each) for each in mine] == [1.0, 2.0, 3.0, 3.5]


def test_what_goes_in_anothers_turn_is_not_waited_for() -> None:
    wanted, mine, other = call("x"), call("y"), call("y")
    line = line_of(wanted, mine, other)
    line.hasten(wanted, urgency=3, session=b"y")
    assert [seconds_of(line, each) for each in (wanted, mine, other)] == [0.5, 1.0, 1.5]


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
        session = line.waiting(now=NOW)[0].session
        taken = line.take(session)
        assert taken is not None
        assert guessed[id(taken)] == 0.5 + served * 0.5
        served += 1


def test_patience_is_for_all_turns_together() -> None:
    one = call(patience=10)
    one.waited = 4.0
    line_of(one)
    assert one.gives_up_at == NOW + 6
