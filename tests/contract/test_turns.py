"""Whose call is sent next, and when, is decided alike by every store; the clock is the test's."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from gateway.sessions.turn import GRACE, LEASE, MARGIN, SLOWEST, Pace, Waiting
from tests.contract.stores import opened
from tests.contract.turn_clock import CLOCKED_STORES, Budget, calls_of, excess, longest_gap, stop_clocks

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture(params=CLOCKED_STORES)
async def budget(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Budget]:
    """Return a budget of two calls a second, full."""
    stop_clocks(monkeypatch)
    async with opened(CLOCKED_STORES[request.param](tmp_path)) as store:
        yield Budget(store)


async def test_a_burst_comes_at_once_and_then_one_call_an_interval(budget: Budget) -> None:
    assert await budget.drain(5) == [0, 0, 0.5 + MARGIN, 1 + MARGIN, 1.5 + MARGIN]
    budget.now += 10
    assert await budget.drain(3) == [0, 0, 0.5 + MARGIN]


async def test_what_is_asked_for_too_early_is_told_when(budget: Budget) -> None:
    await budget.drain(2)
    turn = await budget.ask(("x", 1))
    assert (turn.session, turn.remaining) == (None, 0)
    budget.now += turn.wait - 0.001
    turn = await budget.ask(("x", 1))
    assert turn.session is None
    assert turn.wait == pytest.approx(0.001, abs=1e-6)
    budget.now += turn.wait
    assert (await budget.ask(("x", 1))).session == b"x"


async def test_budgets_have_nothing_to_do_with_each_other(budget: Budget) -> None:
    await budget.drain(2)
    await budget.slow_down()
    for name in ("other", "far"):
        other = Budget(budget.store, name=name, now=budget.now)
        assert await other.drain(2) == [0, 0]
    assert (await budget.ask(("x", 1))).session is None


async def test_sessions_take_turns_however_many_calls_they_have(budget: Budget) -> None:
    assert await budget.run({"a": {"x": 6, "y": 2, "z": 1}}) == "xyzxyxxxx"


async def test_sessions_of_several_owners_take_turns(budget: Budget) -> None:
    await budget.drain(2)
    served = await budget.run({"a": {"x": 4, "y": 4}, "b": {"z": 4}, "c": {"w": 4}})
    for place in range(0, 16, 4):
        assert sorted(served[place : place + 4]) == ["w", "x", "y", "z"]


async def test_a_session_has_one_place_in_line_however_many_owners_it_waits_at(budget: Budget) -> None:
    await budget.drain(2)
    served = await budget.run({"a": {"x": 4}, "b": {"x": 4}, "c": {"y": 8}})
    counts: Counter[str] = Counter()
    for session in served:
        counts[session] += 1
        assert abs(counts["x"] - counts["y"]) <= 1
    assert counts == {"x": 8, "y": 8}


@pytest.mark.parametrize(
    ("one", "other", "served"),
    [
        pytest.param((1, 0.0), (5, 9.0), "a", id="the urgent one first"),
        pytest.param((5, 9.0), (1, 0.0), "b", id="in whichever process"),
        pytest.param((3, 2.0), (3, 1.0), "a", id="then the older one"),
        pytest.param((3, 1.0), (3, 2.0), "b", id="in whichever process"),
        pytest.param((-1, 0.0), (0, 9.0), "a", id="what had its turn before all"),
    ],
)
async def test_a_sessions_calls_go_by_urgency_then_age_wherever_they_wait(
    budget: Budget, one: tuple[int, float], other: tuple[int, float], served: str
) -> None:
    """RFC 9218 §4.1: the lower the number, the more urgent."""
    await budget.drain(2)
    waiting = {"a": Waiting(b"x", 1, *one), "b": Waiting(b"x", 1, *other)}
    for _ in range(2):
        waits = {owner: (await budget.ask_for(row, owner=owner)).wait for owner, row in waiting.items()}
    assert waits[served] == pytest.approx(min(waits.values()))
    budget.now += waits[served]
    turns = {owner: await budget.ask_for(row, owner=owner) for owner, row in waiting.items()}
    assert [owner for owner, turn in turns.items() if turn.session] == [served]


async def test_what_follows_a_call_that_was_sent_stands_where_it_belongs(budget: Budget) -> None:
    await budget.drain(2)
    for _ in range(2):
        wait = (await budget.ask_for(Waiting(b"x", 2, 1, 5.0, 5, 5.0, 5), owner="a")).wait
        await budget.ask_for(Waiting(b"x", 1, 3, 1.0), owner="b")
    budget.now += wait
    turn = await budget.ask_for(Waiting(b"x", 2, 1, 5.0, 5, 5.0, 5), owner="a")
    assert turn.session == b"x"
    assert turn.wait == pytest.approx(0.5 + GRACE)
    budget.now += 0.5
    assert (await budget.ask_for(Waiting(b"x", 1, 3, 1.0), owner="b")).session == b"x"


async def test_no_turn_is_lost_between_owners_and_none_is_too_many(budget: Budget) -> None:
    await budget.run({owner: {owner: 15} for owner in "abc"})
    assert len(budget.sent) == 45
    assert excess(budget.sent, budget.pace) <= 0
    assert budget.sent[-1] - budget.sent[0] <= (45 - budget.pace.burst) / budget.pace.rate + MARGIN + 0.001


async def test_a_silent_owner_holds_others_up_for_its_grace_and_no_more(budget: Budget) -> None:
    await budget.drain(2)
    await budget.ask(("x", 1), owner="silent")
    wait = (await budget.ask(("y", 1))).wait
    budget.now += wait - 0.001
    turn = await budget.ask(("y", 1))
    assert turn.session is None
    budget.now += turn.wait
    assert (await budget.ask(("y", 1))).session == b"y"
    assert budget.sent[-1] - budget.sent[0] == pytest.approx(0.5 + MARGIN + GRACE)


async def test_an_owner_whose_turn_it_is_has_it_within_its_grace(budget: Budget) -> None:
    await budget.drain(2)
    wait = (await budget.ask(("x", 1), owner="slow")).wait
    await budget.ask(("y", 1))
    budget.now += wait + GRACE - 0.001
    assert (await budget.ask(("y", 1))).session is None
    assert (await budget.ask(("x", 1), owner="slow")).session == b"x"


async def test_a_dead_owner_is_forgotten_after_its_lease_and_takes_nothing_with_it(budget: Budget) -> None:
    await budget.drain(2)
    served = await budget.run({"a": {"x": 10}, "dead": {"z": 10}, "c": {"y": 10}}, dead=frozenset({"dead"}))
    assert served == "xy" * 10
    # From the two of the start on: the grace of the dead one's turn, and then no more of it.
    assert longest_gap(budget.sent[2:]) <= 1 / budget.pace.rate + GRACE + 0.001
    assert budget.sent[-1] - budget.sent[1] <= 20 / budget.pace.rate + MARGIN + 2 * GRACE
    assert (await budget.ask(("x", 1))).others == ()


async def test_a_lease_ends_when_it_says(budget: Budget) -> None:
    await budget.drain(2)
    await budget.ask(("x", 3), owner="dead")
    budget.now += LEASE - 0.001
    assert calls_of(await budget.ask()) == [(b"x", 3)]
    budget.now += 0.001
    assert (await budget.ask()).others == ()


async def test_who_withdraws_holds_nobody_up(budget: Budget) -> None:
    await budget.drain(2)
    await budget.ask(("x", 3), ("z", 1), owner="b")
    wait = (await budget.ask(("y", 1))).wait
    await budget.ask(("z", 1), owner="b")
    assert calls_of(await budget.ask(("y", 1))) == [(b"z", 1)]
    assert (await budget.ask(owner="b")).session is None
    turn = await budget.ask(("y", 1))
    assert turn.others == ()
    assert turn.wait == pytest.approx(wait - GRACE)


async def test_what_waits_elsewhere_is_told(budget: Budget) -> None:
    await budget.drain(2)
    await budget.ask(("x", 3), ("z", 1), owner="b")
    await budget.ask(("x", 7), owner="c")
    turn = await budget.ask(("y", 1))
    assert calls_of(turn) == [(b"x", 3), (b"x", 7), (b"z", 1)]


async def test_labels_may_be_any_bytes(budget: Budget) -> None:
    label = bytes(range(32))
    for owner in (b"\xff" * 16, b"\0" * 16):
        turn = await budget.store.take_turn(
            b"\xf0" * 32, owner=owner, waiting=[Waiting(label, 2)], pace=Pace(2, 1), now=budget.now
        )
    assert calls_of(turn) == [(label, 1)]


async def test_a_turn_tells_what_is_left(budget: Budget) -> None:
    turns = [await budget.ask(("x", 1)) for _ in range(3)]
    assert [turn.remaining for turn in turns] == [1, 0, 0]
    assert [turn.reset for turn in turns] == pytest.approx([0.5 + MARGIN, 1 + MARGIN, 1 + MARGIN])


async def test_a_refusal_slows_all_owners_down_and_makes_them_pause(budget: Budget) -> None:
    await budget.drain(1)
    await budget.slow_down()
    for owner in "ab":
        turn = await budget.ask(("x", 1), owner=owner)
        assert (turn.session, turn.factor) == (None, 0.5)
        assert 1 <= turn.wait <= 1 + GRACE
    times = await budget.drain(3)
    assert longest_gap(times) == pytest.approx(1, abs=0.03)


async def test_refusals_of_one_moment_count_once_and_those_that_go_on_to_an_eighth(budget: Budget) -> None:
    for _ in range(5):
        await budget.slow_down()
        budget.now += 0.1
    assert (await budget.ask()).factor == pytest.approx(0.505)
    for _ in range(8):
        budget.now += 1.5
        await budget.ask(("x", 1))
        await budget.slow_down()
    assert (await budget.ask()).factor == SLOWEST


async def test_the_rate_comes_back_by_a_tenth_in_ten_seconds(budget: Budget) -> None:
    await budget.slow_down()
    factors: list[float] = []
    for _ in range(7):
        factors.append((await budget.ask(("x", 1))).factor)
        budget.now += 10
    assert factors == pytest.approx([0.5, 0.6, 0.7, 0.8, 0.9, 1, 1])
    assert await budget.drain(3) == [0, 0, 0.5 + MARGIN]


async def test_a_clock_that_was_set_back_holds_nobody_up(budget: Budget) -> None:
    await budget.drain(9)
    await budget.slow_down()
    await budget.ask(("y", 1), owner="b")
    budget.now -= 86_400
    turn = await budget.ask(("x", 1))
    assert turn.others == ()
    assert turn.wait <= 1 + MARGIN + GRACE
    budget.now += turn.wait
    assert (await budget.ask(("x", 1))).session == b"x"
    budget.now += 50
    assert (await budget.ask()).factor == 1


async def test_owners_whose_clocks_differ_a_little_take_nothing_from_each_other(budget: Budget) -> None:
    await budget.drain(2)
    await budget.ask(("x", 1), owner="ahead")
    budget.now -= 0.5
    turn = await budget.ask(("y", 1), owner="behind")
    assert calls_of(turn) == [(b"x", 1)]
    assert turn.wait == pytest.approx(1 + MARGIN + GRACE)


async def test_what_is_swept_when_idle_is_as_if_it_had_never_been(budget: Budget) -> None:
    await budget.drain(2)
    await budget.ask(("x", 1))
    budget.now += 1 + MARGIN - 0.01
    await budget.store.remove_expired(budget.now)
    turn = await budget.ask()
    assert turn.remaining == 1
    assert turn.reset == pytest.approx(0.01, abs=1e-5)
    budget.now += 0.011 + MARGIN
    await budget.store.remove_expired(budget.now)
    turn = await budget.ask()
    assert (turn.remaining, turn.reset) == (2, 0)


async def test_a_slow_budget_is_remembered_until_it_has_recovered(budget: Budget) -> None:
    await budget.slow_down()
    budget.now += 49
    await budget.store.remove_expired(budget.now)
    assert (await budget.ask()).factor == pytest.approx(0.99)
    budget.now += 2
    await budget.store.remove_expired(budget.now)
    assert (await budget.ask()).factor == 1
