"""A store that is closed says so, and a call that is cancelled leaves nothing by half."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from gateway.errors import StoreUnavailable
from gateway.sessions.turn import Pace, Waiting
from tests.contract.records import IDLE, NOW, grant_record, key, session_record

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from gateway.sessions.store import SessionStore
    from gateway.sessions.turn import Turn


def _every_operation(store: SessionStore) -> list[Coroutine[object, object, object]]:
    return [
        store.ping(),
        store.add(session_record("a"), grant_record(), replaces=None, now=NOW),
        store.read_session(key("a")),
        store.read_grant(key("grant")),
        store.touch(key("a"), last_seen_at=NOW, idle_at=NOW + IDLE),
        store.replace_grant(grant_record(generation=2), expected_generation=1),
        store.end_session(key("a"), reason="signed_out", now=NOW),
        store.end_grant(key("grant"), reason="grant_ended", now=NOW),
        store.list_sessions(key("subject")),
        store.end_sessions(key("subject"), except_key=None, reason="signed_out", now=NOW),
        store.claim_refresh(key("grant"), generation=1, owner=b"owner", lease_seconds=30, now=NOW),
        store.renew_claim(key("grant"), owner=b"owner", lease_seconds=30, now=NOW),
        store.release_claim(key("grant"), owner=b"owner", spent_unknown=True, now=NOW),
        store.queue_revocation(grant_record(), due_at=NOW, now=NOW),
        store.take_revocations(now=NOW, limit=5, retry_at=NOW + 60),
        store.settle_revocation(key("grant"), generation=1, created_at=NOW),
        store.take_turn(key("budget"), owner=b"one", waiting=[Waiting(b"x", 1)], pace=Pace(2, 2), now=NOW),
        store.slow_down(key("budget"), pace=Pace(2, 2), now=NOW),
        store.changes(None),
        store.spend_once(key("state"), expires_at=NOW + 600, now=NOW),
        store.spent_until(key("state"), now=NOW),
        store.count_sessions(NOW),
        store.remove_expired(NOW),
    ]


async def test_nothing_works_before_open_or_after_close(closed_store: SessionStore) -> None:
    for operation in _every_operation(closed_store):
        with pytest.raises(StoreUnavailable):
            await operation
    await closed_store.open()
    for operation in _every_operation(closed_store):
        await operation
    await closed_store.close()
    for operation in _every_operation(closed_store):
        with pytest.raises(StoreUnavailable):
            await operation


async def test_close_may_be_called_twice(closed_store: SessionStore) -> None:
    await closed_store.close()
    await closed_store.open()
    await closed_store.close()
    await closed_store.close()


async def _finish(store: SessionStore) -> None:
    """Wait for what the store goes on doing after whoever called has left."""
    await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}), return_exceptions=True)
    await store.ping()


@pytest.mark.parametrize("steps", range(6))
async def test_a_cancelled_sign_in_is_whole_or_nothing(store: SessionStore, steps: int) -> None:
    await store.add(session_record("old", "first"), grant_record("first"), replaces=None, now=NOW)
    adding = asyncio.create_task(
        store.add(session_record("new", "second"), grant_record("second"), replaces=key("old"), now=NOW)
    )
    for _ in range(steps):
        await asyncio.sleep(0)
    adding.cancel()
    await asyncio.gather(adding, return_exceptions=True)
    await _finish(store)
    begun = await store.read_session(key("new")) is not None
    assert (await store.read_grant(key("second")) is not None) == begun
    assert (await store.read_grant(key("first")) is None) == begun
    assert await store.count_sessions(NOW) == 1


@pytest.mark.parametrize("steps", range(6))
async def test_a_cancelled_refresh_still_keeps_one_whole_generation(store: SessionStore, steps: int) -> None:
    await store.add(session_record("a"), grant_record(), replaces=None, now=NOW)
    replacing = asyncio.create_task(store.replace_grant(grant_record(generation=2), expected_generation=1))
    for _ in range(steps):
        await asyncio.sleep(0)
    replacing.cancel()
    await asyncio.gather(replacing, return_exceptions=True)
    await _finish(store)
    assert await store.read_grant(key("grant")) in (grant_record(), grant_record(generation=2))


@pytest.mark.parametrize("steps", range(6))
async def test_a_cancelled_turn_was_taken_or_was_not(store: SessionStore, steps: int) -> None:
    async def ask() -> Turn:
        """Ask until there is a turn, or none for long: the bucket is to a moment as full as it was."""
        while True:
            turn = await store.take_turn(
                key("budget"), owner=b"one", waiting=[Waiting(b"x", 9)], pace=Pace(0.01, 3), now=time.time()
            )
            if turn.session is not None or turn.wait > 1:
                return turn

    taking = asyncio.create_task(ask())
    for _ in range(steps):
        await asyncio.sleep(0)
    taking.cancel()
    await asyncio.gather(taking, return_exceptions=True)
    await _finish(store)
    turns = [await ask() for _ in range(4)]
    assert sum(turn.session is not None for turn in turns) in {2, 3}


async def test_many_cancelled_calls_leave_the_store_working(store: SessionStore) -> None:
    tasks = [
        asyncio.create_task(store.add(session_record(f"{number}"), grant_record(), replaces=None, now=NOW))
        for number in range(100)
    ]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await _finish(store)
    for number in range(1, 100, 2):
        assert await store.read_session(key(f"{number}")) == session_record(f"{number}")
