"""Whoever remembers sessions and grants is told which of them are no longer as they were."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gateway.sessions.records import CHANGES_KEPT
from tests.contract.records import IDLE, NOW, grant_record, key, session_record
from tests.contract.stores import STORES, opened

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.sessions.records import Cursor
    from gateway.sessions.store import SessionStore


async def _cursor(store: SessionStore) -> Cursor:
    return (await store.changes(None)).cursor


async def _begin(store: SessionStore) -> Cursor:
    for name in ("a", "b"):
        await store.add(session_record(name), grant_record(), replaces=None, now=NOW)
    await store.add(session_record("far c", "far"), grant_record("far"), replaces=None, now=NOW)
    return await _cursor(store)


async def _changed(store: SessionStore, since: Cursor) -> set[bytes]:
    keys = (await store.changes(since)).keys
    assert keys is not None
    return set(keys)


async def test_at_first_anything_may_have_changed(store: SessionStore) -> None:
    assert (await store.changes(None)).keys is None


async def test_nothing_done_is_nothing_changed(store: SessionStore) -> None:
    cursor = await _begin(store)
    for _ in range(3):
        answer = await store.changes(cursor)
        assert answer.keys == frozenset()
        cursor = answer.cursor


async def test_activity_looking_and_claims_change_nothing(store: SessionStore) -> None:
    cursor = await _begin(store)
    await store.touch(key("a"), last_seen_at=NOW + 60, idle_at=NOW + 60 + IDLE, sealed=b"anew")
    await store.read_session(key("a"))
    await store.claim_refresh(key("grant"), generation=1, owner=b"one", lease_seconds=30, now=NOW)
    await store.add(session_record("d", "own"), grant_record("own"), replaces=None, now=NOW)
    await store.remove_expired(NOW)
    assert await _changed(store, cursor) == set()


async def test_an_ended_session_is_named(store: SessionStore) -> None:
    cursor = await _begin(store)
    await store.end_session(key("a"), reason="signed_out", now=NOW)
    answer = await store.changes(cursor)
    assert answer.keys == frozenset({key("a")})
    assert (await store.changes(answer.cursor)).keys == frozenset()


async def test_the_last_session_names_its_grant_too(store: SessionStore) -> None:
    cursor = await _begin(store)
    await store.end_session(key("far c"), reason="signed_out", now=NOW)
    assert await _changed(store, cursor) == {key("far c"), key("far")}


async def test_new_tokens_name_the_grant(store: SessionStore) -> None:
    cursor = await _begin(store)
    await store.replace_grant(grant_record(generation=2), expected_generation=1)
    assert await _changed(store, cursor) == {key("grant")}
    assert not await store.replace_grant(grant_record(generation=2), expected_generation=1)
    cursor = await _cursor(store)
    await store.add(session_record("d"), grant_record(generation=3), replaces=None, now=NOW)
    assert await _changed(store, cursor) == {key("grant")}


async def test_all_that_end_together_are_named(store: SessionStore) -> None:
    cursor = await _begin(store)
    await store.end_grant(key("grant"), reason="grant_ended", now=NOW)
    assert await _changed(store, cursor) == {key("a"), key("b"), key("grant")}


async def test_a_replaced_session_is_named(store: SessionStore) -> None:
    cursor = await _begin(store)
    await store.add(session_record("d", "own"), grant_record("own"), replaces=key("far c"), now=NOW)
    assert await _changed(store, cursor) == {key("far c"), key("far")}


async def test_expired_sessions_are_named(store: SessionStore) -> None:
    cursor = await _begin(store)
    await store.remove_expired(NOW + IDLE)
    assert await _changed(store, cursor) == {key(name) for name in ("a", "b", "far c", "grant", "far")}


async def test_a_cursor_may_be_used_again_and_by_several(store: SessionStore) -> None:
    old = await _begin(store)
    await store.end_session(key("a"), reason="signed_out", now=NOW)
    newer = (await store.changes(old)).cursor
    await store.end_session(key("b"), reason="signed_out", now=NOW)
    assert await _changed(store, old) == {key("a"), key("b"), key("grant")}
    # To be told once more does no harm: a cluster's nodes pass each message on to one another, late at times.
    again = await _changed(store, newer)
    assert {key("b"), key("grant")} <= again <= {key("a"), key("b"), key("grant")}


async def test_what_another_process_ended_is_named(peers: tuple[SessionStore, SessionStore]) -> None:
    one, other = peers
    await _begin(one)
    cursor = await _cursor(other)
    assert await _changed(other, cursor) == set()
    for name in ("a", "far c"):
        await one.end_session(key(name), reason="signed_out", now=NOW)
        answer = await other.changes(cursor)
        assert answer.keys is not None
        assert key(name) in answer.keys
        cursor = answer.cursor


async def test_activity_in_another_process_changes_nothing(peers: tuple[SessionStore, SessionStore]) -> None:
    one, other = peers
    await _begin(one)
    cursor = await _cursor(other)
    for after in range(60, 600, 60):
        await one.touch(key("a"), last_seen_at=NOW + after, idle_at=NOW + after + IDLE)
        answer = await other.changes(cursor)
        assert answer.keys == frozenset()
        cursor = answer.cursor


@pytest.mark.parametrize("name", ["memory", "sqlite"])
async def test_who_asks_too_late_is_told_that_anything_may_have_changed(name: str, tmp_path: Path) -> None:
    async with opened(STORES[name](tmp_path)) as store:
        await store.add(session_record("a"), grant_record(), replaces=None, now=NOW)
        cursor = await _cursor(store)
        for generation in range(1, 2 * CHANGES_KEPT + 600):
            await store.replace_grant(grant_record(generation=generation + 1), expected_generation=generation)
        answer = await store.changes(cursor)
        assert answer.keys is None
        assert (await store.changes(answer.cursor)).keys == frozenset()
