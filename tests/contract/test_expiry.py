"""What is past its time goes, and what is spent stays spent, in every store alike."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from gateway.sessions.records import SWEEP_SESSIONS, TOMBSTONE_SECONDS
from tests.contract.records import IDLE, LONGEST, NOW, grant_record, key, session_record, tombstone

if TYPE_CHECKING:
    from gateway.sessions.store import SessionStore


async def test_remove_expired_leaves_the_living(store: SessionStore) -> None:
    await store.add(session_record("a"), grant_record(), replaces=None, now=NOW)
    assert await store.remove_expired(NOW + IDLE - 1) == []
    assert await store.read_session(key("a")) == session_record("a")
    assert await store.read_grant(key("grant")) == grant_record()


async def test_an_idle_session_leaves_the_reason_idle(store: SessionStore) -> None:
    await store.add(session_record("a"), grant_record(), replaces=None, now=NOW)
    assert await store.remove_expired(NOW + IDLE) == [grant_record()]
    assert await store.read_session(key("a")) == tombstone("a", "idle", NOW + IDLE)
    assert await store.read_grant(key("grant")) is None


async def test_a_session_past_its_absolute_end_leaves_the_reason_expired(store: SessionStore) -> None:
    await store.add(session_record("a", longest=60), grant_record(), replaces=None, now=NOW)
    assert await store.remove_expired(NOW + 90) == [grant_record()]
    assert await store.read_session(key("a")) == tombstone("a", "expired", NOW + 60)


async def test_activity_puts_expiry_off(store: SessionStore) -> None:
    await store.add(session_record("a"), grant_record(), replaces=None, now=NOW)
    await store.touch(key("a"), last_seen_at=NOW + 600, idle_at=NOW + 600 + IDLE)
    assert await store.remove_expired(NOW + 600 + IDLE - 1) == []
    assert await store.remove_expired(NOW + 600 + IDLE) == [grant_record()]


async def test_a_grant_goes_with_the_last_session_to_expire(store: SessionStore) -> None:
    await store.add(session_record("a", idle=60), grant_record(), replaces=None, now=NOW)
    await store.add(session_record("b"), grant_record(), replaces=None, now=NOW)
    assert await store.remove_expired(NOW + 60) == []
    assert await store.read_grant(key("grant")) == grant_record()
    assert await store.remove_expired(NOW + IDLE) == [grant_record()]


async def test_each_orphaned_grant_is_handed_out_once(store: SessionStore) -> None:
    for name in "abc":
        await store.add(session_record(name, name), grant_record(name), replaces=None, now=NOW)
    swept = await asyncio.gather(*(store.remove_expired(NOW + IDLE) for _ in range(5)))
    handed_out = sorted(orphan.key for orphans in swept for orphan in orphans)
    assert handed_out == sorted(key(name) for name in "abc")


@pytest.mark.parametrize("ends_first", ["signed_out", "idle"])
async def test_a_tombstone_stands_an_hour(store: SessionStore, ends_first: str) -> None:
    await store.add(session_record("a"), grant_record(), replaces=None, now=NOW)
    if ends_first == "signed_out":
        await store.end_session(key("a"), reason="signed_out", now=NOW + IDLE)
    ended = tombstone("a", ends_first, NOW + IDLE)
    await store.remove_expired(NOW + IDLE + TOMBSTONE_SECONDS - 1)
    assert await store.read_session(key("a")) == ended
    await store.remove_expired(NOW + IDLE + TOMBSTONE_SECONDS)
    assert await store.read_session(key("a")) is None


async def test_a_session_long_past_its_end_vanishes_at_once(store: SessionStore) -> None:
    await store.add(session_record("a"), grant_record(), replaces=None, now=NOW)
    assert await store.remove_expired(NOW + LONGEST + TOMBSTONE_SECONDS) == [grant_record()]
    assert await store.read_session(key("a")) is None


async def test_one_sweep_ends_a_bounded_number_of_sessions(store: SessionStore) -> None:
    for number in range(SWEEP_SESSIONS + 1):
        await store.add(session_record(f"{number}"), grant_record(), replaces=None, now=NOW)
    assert await store.remove_expired(NOW + IDLE) == []
    assert await store.remove_expired(NOW + IDLE) == [grant_record()]


async def test_a_key_is_spent_once(store: SessionStore) -> None:
    spent = await asyncio.gather(
        *(store.spend_once(key("state"), expires_at=NOW + 600, now=NOW) for _ in range(50))
    )
    assert spent.count(True) == 1
    assert not await store.spend_once(key("state"), expires_at=NOW + 9999, now=NOW + 599)
    assert await store.spend_once(key("other"), expires_at=NOW + 600, now=NOW)


async def test_a_spent_key_is_kept_until_it_expires(store: SessionStore) -> None:
    assert await store.spend_once(key("state"), expires_at=NOW + 600, now=NOW)
    await store.remove_expired(NOW + 599)
    assert not await store.spend_once(key("state"), expires_at=NOW + 600, now=NOW + 599)


@pytest.mark.parametrize("swept", [True, False])
async def test_an_expired_key_is_forgotten_whether_swept_or_not(store: SessionStore, *, swept: bool) -> None:
    assert await store.spend_once(key("state"), expires_at=NOW + 600, now=NOW)
    if swept:
        await store.remove_expired(NOW + 600)
    assert await store.spend_once(key("state"), expires_at=NOW + 1200, now=NOW + 600)
    assert not await store.spend_once(key("state"), expires_at=NOW + 1200, now=NOW + 600)


async def test_what_has_expired_cannot_be_spent(store: SessionStore) -> None:
    assert not await store.spend_once(key("state"), expires_at=NOW, now=NOW)


async def test_until_when_a_key_is_spent_is_told_without_spending_it(store: SessionStore) -> None:
    assert await store.spent_until(key("state"), now=NOW) is None
    assert await store.spend_once(key("state"), expires_at=NOW + 600.25, now=NOW)
    assert await store.spent_until(key("state"), now=NOW) == NOW + 600.25
    assert not await store.spend_once(key("state"), expires_at=NOW + 9999, now=NOW + 1)
    assert await store.spent_until(key("state"), now=NOW + 600) == NOW + 600.25
    assert await store.spent_until(key("state"), now=NOW + 600.25) is None
    assert await store.spent_until(key("other"), now=NOW) is None
