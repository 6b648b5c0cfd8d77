"""The queue of a budget: turns in their order, nobody forgotten, nothing left behind."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from gateway.errors import BudgetExhausted, SessionBusy, StoreUnavailable
from gateway.observability.metrics import Metrics
from gateway.proxy.budget import Budget
from gateway.proxy.waiting_line import BudgetCall, BudgetPlace
from gateway.sessions.memory import MemoryStore
from gateway.sessions.turn import Pace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.sessions.turn import Turn, Waiting

KEY = b"k" * 32
PACE = Pace(50, 2)
SLOW = Pace(0.01, 2)
"""No turn comes in a test's time."""


class WatchedStore(MemoryStore):
    """Counts what it is asked, and can be away."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[list[Waiting]] = []
        self.trouble: Exception | None = None
        self.gate: asyncio.Event | None = None

    async def take_turn(
        self, key: bytes, *, owner: bytes, waiting: Sequence[Waiting], pace: Pace, now: float
    ) -> Turn:
        self.asked.append(list(waiting))
        if self.gate is not None:
            await self.gate.wait()
        if self.trouble is not None:
            raise self.trouble
        return await super().take_turn(key, owner=owner, waiting=waiting, pace=pace, now=now)


@pytest.fixture
async def store() -> WatchedStore:
    store = WatchedStore()
    await store.open()
    return store


@pytest.fixture
def metrics() -> Metrics:
    return Metrics("0")


@pytest.fixture
def budget(store: WatchedStore, metrics: Metrics) -> Budget:
    return Budget(store, PACE, client_key=None, per_session=8, clock=time.time, metrics=metrics)


def call(session: str = "x", *, urgency: int = 3, patience: float = 10.0) -> BudgetCall:
    return BudgetCall(BudgetPlace(KEY, session.encode()), urgency, patience)


def value_of(metrics: Metrics, sample: str) -> float:
    (line,) = [line for line in metrics.render()[0].decode().splitlines() if line.startswith(f"{sample} ")]
    return float(line.split()[-1])


def new_budget(store: WatchedStore, pace: Pace, metrics: Metrics | None = None) -> Budget:
    counted = metrics or Metrics("0")
    return Budget(store, pace, client_key=None, per_session=99, clock=time.time, metrics=counted)


async def cancelled(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def settled() -> None:
    for _ in range(8):
        await asyncio.sleep(0)


async def spend_burst(budget: Budget) -> None:
    for _ in range(2):
        await budget.turn(call("earlier"))


async def test_a_call_that_nobody_is_before_is_one_question_and_no_task(
    budget: Budget, store: WatchedStore
) -> None:
    tasks = asyncio.all_tasks()
    one = call()
    await budget.turn(one)
    assert len(store.asked) == 1
    assert asyncio.all_tasks() == tasks
    assert not budget._lines  # noqa: SLF001 - nothing may be kept


async def test_turns_go_round_the_sessions_and_in_each_to_the_urgent_first(budget: Budget) -> None:
    await spend_burst(budget)
    order: list[str] = []

    async def wait(name: str, one: BudgetCall) -> None:
        await budget.turn(one)
        order.append(name)

    wanted = [("a5", 5), ("a3", 3), ("a1", 1), ("b3", 3), ("b0", 0), ("c3", 3)]
    await asyncio.gather(*(wait(name, call(name[0], urgency=urgency)) for name, urgency in wanted))
    assert order == ["a1", "b0", "c3", "a3", "b3", "a5"]
    assert not budget._lines  # noqa: SLF001 - nothing may be kept


async def test_turns_come_at_the_pace(budget: Budget, store: WatchedStore) -> None:
    started = time.monotonic()
    await asyncio.gather(*(budget.turn(call(str(number % 3))) for number in range(12)))
    assert time.monotonic() - started >= 0.3  # two at once, a margin of 0.1, ten at 50 a second
    assert len(store.asked) <= 24  # and nobody asks much oftener than there are turns


async def test_a_call_without_patience_is_refused_at_once(budget: Budget, store: WatchedStore) -> None:
    await spend_burst(budget)
    with pytest.raises(BudgetExhausted) as refusal:
        await budget.turn(call(patience=0))
    error = refusal.value
    assert (error.status, error.code, error.retry_after) == (429, "budget_exhausted", 1)
    assert (error.policy, error.limit) == ('"default";q=50;w=1', '"default";r=0;t=1')
    await settled()
    assert store.asked[-1] == []  # it was withdrawn
    assert not budget._lines  # noqa: SLF001 - nothing may be kept


async def test_a_call_that_could_not_be_served_in_time_is_refused_before_it_waits(
    store: WatchedStore, metrics: Metrics
) -> None:
    budget = new_budget(store, SLOW, metrics)
    await spend_burst(budget)
    waiting = [asyncio.create_task(budget.turn(call(patience=1000))) for _ in range(8)]
    await settled()
    asked = len(store.asked)
    with pytest.raises(BudgetExhausted):
        await budget.turn(call("y", patience=10))
    assert len(store.asked) == asked
    assert value_of(metrics, 'lexgate_rate_limited_total{cause="refused_at_once"}') == 1
    await cancelled(*waiting)
    await budget.close()


async def test_a_refusal_says_when_a_call_as_patient_would_be_served(store: WatchedStore) -> None:
    budget = Budget(
        store, Pace(0.5, 2), client_key=None, per_session=99, clock=time.time, metrics=Metrics("0")
    )
    await spend_burst(budget)
    waiting = [asyncio.create_task(budget.turn(call(patience=25))) for _ in range(7)]
    await settled()
    with pytest.raises(BudgetExhausted) as refusal:
        await budget.turn(call())  # the eighth: after 2.1 + 7 x 2 seconds
    assert refusal.value.retry_after == 7
    assert (refusal.value.policy, refusal.value.limit) == ('"default";q=1;w=2', '"default";r=0;t=7')
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    await budget.close()


async def test_a_call_whose_patience_ends_is_refused_then(budget: Budget, metrics: Metrics) -> None:
    await spend_burst(budget)
    patient = call("x", urgency=7, patience=0.3)

    async def overtake() -> None:
        for _ in range(40):
            await budget.turn(call("x", urgency=0))

    overtaking = [asyncio.create_task(overtake()) for _ in range(4)]
    with pytest.raises(BudgetExhausted):
        await budget.turn(patient)
    assert patient.waited > 0.1
    assert value_of(metrics, "lexgate_budget_waiting") >= 1
    for task in overtaking:
        task.cancel()
    await asyncio.gather(*overtaking, return_exceptions=True)
    assert value_of(metrics, "lexgate_budget_waiting") == 0


async def test_a_caller_that_leaves_frees_its_place(budget: Budget, store: WatchedStore) -> None:
    await spend_burst(budget)
    leaving = [asyncio.create_task(budget.turn(call("x"))) for _ in range(5)]
    staying = asyncio.create_task(budget.turn(call("y")))
    await settled()
    for task in leaving:
        task.cancel()
    asked = len(store.asked)
    await staying
    assert {row.session for rows in store.asked[asked:] for row in rows} == {b"y"}
    assert not budget._lines  # noqa: SLF001 - nothing may be kept
    assert all(task.cancelled() or task.done() for task in leaving)
    assert len(store.asked) < 20


async def test_the_last_one_to_leave_withdraws_from_the_store(budget: Budget, store: WatchedStore) -> None:
    await spend_burst(budget)
    leaving = asyncio.create_task(budget.turn(call("x")))
    await settled()
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)
    await settled()
    assert store.asked[-1] == []
    assert not budget._lines  # noqa: SLF001 - nothing may be kept


async def test_a_first_caller_that_leaves_while_the_store_is_asked_leaves_the_others_a_driver(
    budget: Budget, store: WatchedStore
) -> None:
    store.gate = asyncio.Event()
    first = asyncio.create_task(budget.turn(call("x")))
    await settled()
    second = asyncio.create_task(budget.turn(call("y")))
    await settled()
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    store.gate.set()
    await asyncio.wait_for(second, 1)
    assert not budget._lines  # noqa: SLF001 - nothing may be kept


async def test_a_turn_that_comes_in_the_moment_of_leaving_is_the_next_ones(
    budget: Budget, store: WatchedStore
) -> None:
    await spend_burst(budget)
    first, second = asyncio.create_task(budget.turn(call("x"))), asyncio.create_task(budget.turn(call("y")))
    await settled()
    line = budget._lines[KEY]  # noqa: SLF001 - the moment can be had in no other way
    asked = len(store.asked)
    line.let_go(b"x")
    first.cancel()
    await asyncio.wait_for(second, 1)
    assert first.cancelled()
    assert len(store.asked) <= asked + 1


async def test_a_store_that_is_away_fails_all_who_wait_and_forgets_them(
    budget: Budget, store: WatchedStore
) -> None:
    await spend_burst(budget)
    waiting = [asyncio.create_task(budget.turn(call(name))) for name in "xyz"]
    await settled()
    store.trouble = StoreUnavailable(log_detail="away")
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {StoreUnavailable}
    assert len({id(outcome) for outcome in outcomes}) == 3
    with pytest.raises(StoreUnavailable):
        await budget.turn(call())
    store.trouble = None
    await budget.turn(call())
    assert not budget._lines  # noqa: SLF001 - nothing may be kept


async def test_a_defect_leaves_nobody_waiting(
    budget: Budget, store: WatchedStore, caplog: pytest.LogCaptureFixture
) -> None:
    await spend_burst(budget)
    waiting = [asyncio.create_task(budget.turn(call(name))) for name in "xy"]
    await settled()
    store.trouble = RuntimeError("a defect")
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {StoreUnavailable}
    assert "a queue of calls failed" in caplog.text


async def test_a_session_with_too_many_waiting_calls_is_busy(budget: Budget) -> None:
    await spend_burst(budget)
    waiting = [asyncio.create_task(budget.turn(call())) for _ in range(8)]
    await settled()
    with pytest.raises(SessionBusy):
        await budget.turn(call())
    await budget.turn(call("y"))
    await asyncio.gather(*waiting)


async def test_a_hastened_call_overtakes_its_session(budget: Budget) -> None:
    await spend_burst(budget)
    order: list[str] = []

    async def wait(name: str, one: BudgetCall) -> None:
        await budget.turn(one)
        order.append(name)

    calls = {name: call(urgency=4, patience=1) for name in ("first", "second", "third")}
    waiting = [asyncio.create_task(wait(name, one)) for name, one in calls.items()]
    await settled()
    budget.hasten(calls["third"], urgency=1, patience=20)
    budget.hasten(calls["second"], urgency=6, patience=0)
    await asyncio.gather(*waiting)
    assert order == ["third", "first", "second"]
    assert calls["third"].patience == pytest.approx(20, abs=0.1)
    assert calls["second"].patience == 1


async def test_a_call_can_be_hastened_before_it_waits(budget: Budget) -> None:
    one = call(urgency=4, patience=1)
    one.waited = 0.5
    budget.hasten(one, urgency=2, patience=5)
    assert (one.urgency, one.patience) == (2, 5.5)


async def test_a_slowdown_makes_everybody_pause(budget: Budget, metrics: Metrics) -> None:
    await budget.turn(call())
    await budget.slow_down(call().place)
    one = call()
    started = time.monotonic()
    await budget.turn(one)
    assert time.monotonic() - started >= 1 / 25 - 0.01
    assert value_of(metrics, 'lexgate_rate_limited_total{cause="resource_server"}') == 1


async def test_waiting_is_measured(budget: Budget, metrics: Metrics) -> None:
    await asyncio.gather(*(budget.turn(call()) for _ in range(4)))
    assert value_of(metrics, "lexgate_budget_queue_seconds_count") == 4
    assert value_of(metrics, "lexgate_budget_queue_seconds_sum") >= 0.2


async def test_closing_ends_all_waiting(budget: Budget) -> None:
    await spend_burst(budget)
    waiting = [asyncio.create_task(budget.turn(call(name))) for name in "xy"]
    await settled()
    await budget.close()
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {StoreUnavailable}


async def test_processes_on_one_store_share_a_budget(store: WatchedStore) -> None:
    """That no turn is lost is shown by a clock that only the test moves: test_waiting_lines.py."""
    budgets = [new_budget(store, PACE) for _ in range(3)]
    times: list[float] = []

    async def wait(budget: Budget, name: str) -> None:
        await budget.turn(call(name))
        times.append(time.monotonic())

    await asyncio.gather(*(wait(budget, f"{n}") for budget in budgets for n in range(2) for _ in range(6)))
    assert len(times) == 36
    assert 2 + (times[-1] - times[0]) * 50 + 1 >= 36


async def test_the_store_is_told_of_a_more_urgent_call_at_once(store: WatchedStore) -> None:
    budget = new_budget(store, SLOW)
    await spend_burst(budget)
    calls = [call(urgency=urgency, patience=1000) for urgency in (5, 6, 1)]
    waiting = list[asyncio.Task[None]]()
    for one, first in zip(calls, (5, 5, 1), strict=True):
        waiting.append(asyncio.create_task(budget.turn(one)))
        await settled()
        assert store.asked[-1][0].urgency == first
    asked = len(store.asked)
    budget.hasten(calls[1], urgency=2, patience=0)
    await settled()
    assert len(store.asked) == asked  # the first one is the same
    budget.hasten(calls[1], urgency=0, patience=0)
    await settled()
    assert store.asked[-1][0].urgency == 0
    await cancelled(*waiting)
    await budget.close()


async def test_a_call_that_two_sessions_want_goes_in_the_turn_of_whichever_comes_first(
    budget: Budget,
) -> None:
    await spend_burst(budget)
    order: list[str] = []

    async def wait(name: str, one: BudgetCall) -> None:
        await budget.turn(one)
        order.append(name)

    wanted = call("x", urgency=5)
    waiting = [
        asyncio.create_task(wait("x1", call("x", urgency=1))),
        asyncio.create_task(wait("x2", call("x", urgency=1))),
        asyncio.create_task(wait("wanted", wanted)),
    ]
    await settled()
    budget.hasten(wanted, urgency=5, patience=0, place=call("y").place)
    waiting.append(asyncio.create_task(wait("y6", call("y", urgency=6))))
    await asyncio.gather(*waiting)
    assert order == ["x1", "wanted", "x2", "y6"]
    assert not budget._lines  # noqa: SLF001 - nothing may be kept


async def test_the_store_hears_no_more_of_a_session_that_wants_nothing_any_longer(
    store: WatchedStore,
) -> None:
    budget = new_budget(store, SLOW)
    await spend_burst(budget)
    wanted = call("x", patience=1000)
    waiting = asyncio.create_task(budget.turn(wanted))
    await settled()
    other = call("y").place
    budget.hasten(wanted, urgency=3, patience=0, place=other)
    await settled()
    assert [row.session for row in store.asked[-1]] == [b"x", b"y"]
    budget.part(wanted, wanted.place)
    budget.hasten(wanted, urgency=3, patience=0, place=call("z").place)
    await settled()
    assert [row.session for row in store.asked[-1]] == [b"y", b"z"]
    await cancelled(waiting)
    await settled()
    assert store.asked[-1] == []
    budget.part(wanted, other)  # it waits no more: nothing happens
    assert not budget._lines  # noqa: SLF001 - nothing may be kept


async def test_who_leaves_while_the_store_is_asked_is_not_left_in_its_line(
    budget: Budget, store: WatchedStore
) -> None:
    """Others would let that one go first, as long as the store believes that it waits."""
    await spend_burst(budget)
    store.gate = asyncio.Event()
    leaving = asyncio.create_task(budget.turn(call()))
    await settled()
    leaving.cancel()
    await asyncio.wait([leaving])
    store.gate.set()
    await settled()
    assert store.asked[-1] == []
