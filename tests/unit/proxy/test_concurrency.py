"""Calls of one session take turns: in the order in which they came, and no place is ever lost."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import SessionBusy
from gateway.proxy.concurrency import WAITING_PER_PLACE, SessionConcurrency

ANNA, BEN = b"anna", b"ben"


def is_forgotten(concurrency: SessionConcurrency) -> bool:
    return not concurrency._taken and not concurrency._waiting  # noqa: SLF001 - nothing may be kept


async def settled() -> None:
    """Let every task run until it waits."""
    for _ in range(5):
        await asyncio.sleep(0)


def test_a_session_takes_as_many_places_as_there_are_and_no_more() -> None:
    concurrency = SessionConcurrency(2)
    assert [concurrency.try_acquire(ANNA) for _ in range(3)] == [True, True, False]
    assert concurrency.try_acquire(BEN)
    for key in (ANNA, ANNA, BEN):
        concurrency.release(key)
    assert is_forgotten(concurrency)


async def test_calls_that_wait_are_served_in_their_order() -> None:
    concurrency, order = SessionConcurrency(1), []

    async def call(number: int) -> None:
        await concurrency.acquire(ANNA, patience=10)
        order.append(number)

    await concurrency.acquire(ANNA, patience=0)
    waiting = [asyncio.create_task(call(number)) for number in range(3)]
    await settled()
    assert not concurrency.try_acquire(ANNA)
    for _ in waiting:
        concurrency.release(ANNA)
        assert not concurrency.try_acquire(ANNA)  # nobody slips in between
        await settled()
    assert order == [0, 1, 2]
    concurrency.release(ANNA)
    assert is_forgotten(concurrency)


async def test_a_call_that_waited_long_enough_is_told_that_the_session_is_busy() -> None:
    """RFC 6585 §4: 429, with a time to try again."""
    concurrency = SessionConcurrency(1)
    assert concurrency.try_acquire(ANNA)
    for patience in (0.01, 0):
        with pytest.raises(SessionBusy) as refusal:
            await concurrency.acquire(ANNA, patience=patience)
        assert (refusal.value.status, refusal.value.code) == (429, "session_busy")
        assert refusal.value.retry_after == 1
    concurrency.release(ANNA)
    assert is_forgotten(concurrency)


async def test_no_more_calls_wait_than_could_be_served() -> None:
    concurrency = SessionConcurrency(1)
    assert concurrency.try_acquire(ANNA)
    waiting = [asyncio.create_task(concurrency.acquire(ANNA, patience=10)) for _ in range(WAITING_PER_PLACE)]
    await settled()
    with pytest.raises(SessionBusy):
        await concurrency.acquire(ANNA, patience=10)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    concurrency.release(ANNA)
    assert is_forgotten(concurrency)


async def test_a_place_given_to_a_call_that_just_left_goes_to_the_next() -> None:
    concurrency = SessionConcurrency(1)
    assert concurrency.try_acquire(ANNA)
    leaving, staying = (asyncio.create_task(concurrency.acquire(ANNA, patience=10)) for _ in range(2))
    await settled()
    concurrency.release(ANNA)
    leaving.cancel()
    await asyncio.wait_for(staying, 5)
    assert leaving.cancelled()
    concurrency.release(ANNA)
    assert is_forgotten(concurrency)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(["come", "leave", "end"]), max_size=40), st.integers(1, 3))
def test_no_place_is_lost_or_taken_twice(events: list[str], limit: int) -> None:
    async def play() -> None:
        concurrency = SessionConcurrency(limit)
        tasks: list[asyncio.Task[None]] = []
        holding = 0
        for event in events:
            served = [task for task in tasks if task.done() and not task.cancelled() and not task.exception()]
            if event == "come":
                tasks.append(asyncio.create_task(concurrency.acquire(ANNA, patience=10)))
            elif event == "leave":
                for task in [task for task in tasks if not task.done()][:1]:
                    task.cancel()
            elif served:
                tasks.remove(served[0])
                concurrency.release(ANNA)
            await settled()
            holding = sum(task.done() and not task.cancelled() and not task.exception() for task in tasks)
            assert holding <= limit
            assert holding == limit or all(task.done() for task in tasks)
        for task in tasks:
            task.cancel()
        await settled()
        for _ in range(holding):
            concurrency.release(ANNA)
        assert is_forgotten(concurrency)

    asyncio.run(play())
