"""A grant that lost its last session stays in the queue until its tokens are revoked."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from gateway.sessions.records import HANDED_SECONDS, REVOCATION_SECONDS
from tests.contract.records import IDLE, LONGEST, NOW, grant_record, key, session_record

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from gateway.sessions.records import GrantRecord
    from gateway.sessions.session import EndReason
    from gateway.sessions.store import SessionStore

LATER = NOW + HANDED_SECONDS


async def _begin(store: SessionStore, name: str = "a", grant: str = "grant") -> None:
    await store.add(session_record(name, grant), grant_record(grant), replaces=None, now=NOW)


async def _take(store: SessionStore, now: float, limit: int = 10) -> list[GrantRecord]:
    return await store.take_revocations(now=now, limit=limit, retry_at=now + 300)


def _sign_out(store: SessionStore) -> Coroutine[object, object, object]:
    return store.end_session(key("a"), reason="signed_out", now=NOW)


def _sign_out_everywhere(store: SessionStore) -> Coroutine[object, object, object]:
    return store.end_sessions(key("subject"), except_key=None, reason="signed_out_elsewhere", now=NOW)


def _sign_in_again(store: SessionStore) -> Coroutine[object, object, object]:
    return store.add(session_record("far b", "far"), grant_record("far"), replaces=key("a"), now=NOW)


@pytest.mark.parametrize("leave", [_sign_out, _sign_out_everywhere, _sign_in_again])
async def test_a_grant_that_is_handed_out_is_queued_for_the_case_of_a_crash(
    store: SessionStore, leave: Callable[[SessionStore], Coroutine[object, object, object]]
) -> None:
    await _begin(store)
    await leave(store)
    assert await _take(store, LATER - 1) == []
    assert await _take(store, LATER) == [grant_record()]


@pytest.mark.parametrize("idle", [5, LONGEST])
async def test_a_grant_whose_sessions_expired_is_queued(store: SessionStore, idle: float) -> None:
    await store.add(session_record("a", idle=idle), grant_record(), replaces=None, now=NOW)
    assert await store.remove_expired(NOW + LONGEST) == [grant_record()]
    assert await _take(store, NOW + LONGEST + HANDED_SECONDS - 1) == []
    assert await _take(store, NOW + LONGEST + HANDED_SECONDS) == [grant_record()]


async def test_a_grant_that_is_ended_is_due_at_once(store: SessionStore) -> None:
    await _begin(store)
    await store.end_grant(key("grant"), reason="signed_out_elsewhere", now=NOW)
    assert await _take(store, NOW) == [grant_record()]


@pytest.mark.parametrize("reason", ["grant_ended", "refresh_lost"])
async def test_dead_tokens_are_not_queued(store: SessionStore, reason: EndReason) -> None:
    await _begin(store)
    await store.end_grant(key("grant"), reason=reason, now=NOW)
    assert await _take(store, LATER) == []


async def test_a_grant_with_a_session_left_is_not_queued(store: SessionStore) -> None:
    await _begin(store)
    await _begin(store, "b")
    await _sign_out(store)
    assert await _take(store, LATER) == []


async def test_tokens_that_never_had_a_session_are_queued_on_request(store: SessionStore) -> None:
    await store.queue_revocation(grant_record(), due_at=NOW + 5, now=NOW)
    assert await _take(store, NOW + 4) == []
    assert await _take(store, NOW + 5) == [grant_record()]


async def test_what_was_taken_is_offered_again_unless_settled(store: SessionStore) -> None:
    await _begin(store)
    await _sign_out(store)
    assert await _take(store, LATER) == [grant_record()]
    assert await _take(store, LATER + 299) == []
    assert await _take(store, LATER + 300) == [grant_record()]
    await store.settle_revocation(key("grant"), generation=1, created_at=NOW)
    assert await _take(store, LATER + 900) == []
    await store.settle_revocation(key("grant"), generation=1, created_at=NOW)


async def test_each_due_grant_is_handed_to_one_caller(store: SessionStore) -> None:
    for number in range(20):
        place = "far " if number % 2 else ""
        await store.queue_revocation(grant_record(f"{place}{number}"), due_at=NOW, now=NOW)
    taken = await asyncio.gather(*(_take(store, NOW, limit=5) for _ in range(6)))
    assert max(len(grants) for grants in taken) <= 5
    keys = [grant.key for grants in taken for grant in grants]
    assert len(keys) == len(set(keys))
    keys += [grant.key for grant in await _take(store, NOW, limit=20)]
    assert len(keys) == len(set(keys)) == 20


async def test_settling_one_grant_leaves_another_under_the_same_key(store: SessionStore) -> None:
    first, again, newer = grant_record(), grant_record(at=NOW + 1), grant_record(generation=2)
    for record in (first, again, newer):
        await store.queue_revocation(record, due_at=NOW, now=NOW)
    await store.settle_revocation(key("grant"), generation=1, created_at=NOW)
    taken = await _take(store, NOW)
    assert set(taken) == {again, newer}


async def test_a_new_sign_in_to_the_same_grant_takes_nothing_from_the_queue(store: SessionStore) -> None:
    await _begin(store)
    await _sign_out(store)
    await store.add(session_record("b"), grant_record(at=NOW + 1), replaces=None, now=NOW + 1)
    assert await _take(store, LATER) == [grant_record()]


@pytest.mark.parametrize("swept", [True, False])
async def test_the_queue_forgets_in_the_end(store: SessionStore, *, swept: bool) -> None:
    await _begin(store)
    await _sign_out(store)
    end = NOW + REVOCATION_SECONDS
    assert await _take(store, end - 300) == [grant_record()]
    if swept:
        await store.remove_expired(end)
    assert await _take(store, end) == []
    assert await _take(store, end + IDLE) == []
