"""A session begins, is active and ends, in every store alike."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.contract.records import IDLE, LONGEST, NOW, grant_record, key, session_record, tombstone

if TYPE_CHECKING:
    from gateway.sessions.records import SessionRecord
    from gateway.sessions.store import SessionStore


async def test_unknown_keys_are_nothing(store: SessionStore) -> None:
    assert await store.read_session(key("a")) is None
    assert await store.read_grant(key("grant")) is None
    assert await store.end_session(key("a"), reason="signed_out", now=NOW) is None
    assert await store.end_grant(key("grant"), reason="grant_ended", now=NOW) == 0
    assert not await store.touch(key("a"), last_seen_at=NOW, idle_at=NOW + IDLE)
    assert await store.read_session(key("a")) is None


async def test_what_is_added_is_read_back(store: SessionStore) -> None:
    assert await store.add(session_record("a"), grant_record(), replaces=None, now=NOW) is None
    assert await store.read_session(key("a")) == session_record("a")
    assert await store.read_grant(key("grant")) == grant_record()
    await store.ping()


async def test_sessions_are_counted_while_they_live(store: SessionStore) -> None:
    await store.add(session_record("a"), grant_record(), replaces=None, now=NOW)
    await store.add(session_record("b", idle=60), grant_record(), replaces=None, now=NOW)
    assert await store.count_sessions(NOW + 59) == 2
    assert await store.count_sessions(NOW + 60) == 1
    await store.end_session(key("a"), reason="signed_out", now=NOW)
    assert await store.count_sessions(NOW) == 1


async def test_a_key_is_never_used_twice(store: SessionStore) -> None:
    await store.add(session_record("a"), grant_record(), replaces=None, now=NOW)
    with pytest.raises(ValueError, match="used before"):
        await store.add(session_record("a"), grant_record(generation=7), replaces=None, now=NOW)
    assert await store.read_grant(key("grant")) == grant_record()
    await store.end_session(key("a"), reason="signed_out", now=NOW)
    with pytest.raises(ValueError, match="used before"):
        await store.add(session_record("a"), grant_record(), replaces=None, now=NOW)
    assert await store.read_grant(key("grant")) is None


async def test_an_ended_session_leaves_its_reason(store: SessionStore) -> None:
    await store.add(session_record("a"), grant_record(), replaces=None, now=NOW)
    await store.end_session(key("a"), reason="signed_out", now=NOW + 5)
    assert await store.read_session(key("a")) == tombstone("a", "signed_out", NOW + 5)


async def test_the_first_reason_stands(store: SessionStore) -> None:
    await store.add(session_record("a"), grant_record(), replaces=None, now=NOW)
    await store.end_session(key("a"), reason="signed_out", now=NOW)
    assert await store.end_session(key("a"), reason="signed_out_elsewhere", now=NOW + 1) is None
    assert await store.read_session(key("a")) == tombstone("a", "signed_out", NOW)


async def test_the_last_session_takes_its_grant_along(store: SessionStore) -> None:
    await store.add(session_record("a"), grant_record(), replaces=None, now=NOW)
    await store.add(session_record("b"), grant_record(), replaces=None, now=NOW)
    assert await store.end_session(key("a"), reason="signed_out", now=NOW) is None
    assert await store.read_grant(key("grant")) == grant_record()
    assert await store.end_session(key("b"), reason="signed_out", now=NOW) == grant_record()
    assert await store.read_grant(key("grant")) is None


async def test_a_replaced_session_ends_and_its_grant_is_handed_out(store: SessionStore) -> None:
    await store.add(session_record("old", "first"), grant_record("first"), replaces=None, now=NOW)
    orphan = await store.add(
        session_record("new", "second"), grant_record("second"), replaces=key("old"), now=NOW + 9
    )
    assert orphan == grant_record("first")
    assert await store.read_session(key("old")) == tombstone("old", "replaced", NOW + 9)
    assert await store.read_grant(key("first")) is None
    assert await store.read_session(key("new")) == session_record("new", "second")


async def test_a_replaced_session_of_the_same_grant_leaves_the_grant(store: SessionStore) -> None:
    await store.add(session_record("old"), grant_record(), replaces=None, now=NOW)
    assert await store.add(session_record("new"), grant_record(), replaces=key("old"), now=NOW) is None
    assert await store.read_grant(key("grant")) == grant_record()
    assert await store.count_sessions(NOW) == 1


async def test_replacing_an_unknown_session_is_no_obstacle(store: SessionStore) -> None:
    assert await store.add(session_record("new"), grant_record(), replaces=key("gone"), now=NOW) is None
    assert await store.read_session(key("new")) == session_record("new")
    assert await store.read_session(key("gone")) is None


async def test_touch_moves_activity_forward(store: SessionStore) -> None:
    await store.add(session_record("a"), grant_record(), replaces=None, now=NOW)
    assert await store.touch(key("a"), last_seen_at=NOW + 60, idle_at=NOW + 60 + IDLE)
    assert await store.read_session(key("a")) == _active(NOW + 60)


async def test_touch_never_goes_back_in_time(store: SessionStore) -> None:
    await store.add(session_record("a"), grant_record(), replaces=None, now=NOW)
    await store.touch(key("a"), last_seen_at=NOW + 60, idle_at=NOW + 60 + IDLE)
    assert await store.touch(key("a"), last_seen_at=NOW + 30, idle_at=NOW + 30 + IDLE)
    assert await store.read_session(key("a")) == _active(NOW + 60)


async def test_touch_never_passes_the_absolute_end(store: SessionStore) -> None:
    await store.add(session_record("a", longest=IDLE + 10), grant_record(), replaces=None, now=NOW)
    assert await store.touch(key("a"), last_seen_at=NOW + 60, idle_at=NOW + 60 + IDLE)
    record = await store.read_session(key("a"))
    assert record is not None
    assert getattr(record, "idle_at", None) == NOW + IDLE + 10


@pytest.mark.parametrize("late", [IDLE, IDLE + 1, LONGEST + 1])
async def test_touch_does_not_revive_a_session_past_its_end(store: SessionStore, late: float) -> None:
    await store.add(session_record("a"), grant_record(), replaces=None, now=NOW)
    assert not await store.touch(key("a"), last_seen_at=NOW + late, idle_at=NOW + late + IDLE)
    assert await store.read_session(key("a")) == session_record("a")


async def test_touch_does_not_revive_an_ended_session(store: SessionStore) -> None:
    await store.add(session_record("a"), grant_record(), replaces=None, now=NOW)
    await store.end_session(key("a"), reason="signed_out", now=NOW)
    assert not await store.touch(key("a"), last_seen_at=NOW + 1, idle_at=NOW + 1 + IDLE, sealed=b"new")
    assert await store.read_session(key("a")) == tombstone("a", "signed_out", NOW)
    assert await store.count_sessions(NOW) == 0


async def test_touch_keeps_or_replaces_what_is_sealed(store: SessionStore) -> None:
    await store.add(session_record("a"), grant_record(), replaces=None, now=NOW)
    await store.touch(key("a"), last_seen_at=NOW + 60, idle_at=NOW + 60 + IDLE, sealed=b"sealed anew")
    await store.touch(key("a"), last_seen_at=NOW + 120, idle_at=NOW + 120 + IDLE)
    assert await store.read_session(key("a")) == _active(NOW + 120, sealed=b"sealed anew")


def _active(at: float, sealed: bytes = b"sealed a") -> SessionRecord:
    return replace(session_record("a"), last_seen_at=at, idle_at=at + IDLE, sealed=sealed)
