"""A grant changes by compare-and-set alone and ends with all its sessions, in every store alike."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from tests.contract.records import LONGEST, NOW, grant_record, key, session_record, tombstone

if TYPE_CHECKING:
    from gateway.sessions.store import SessionStore


async def test_replace_grant_takes_the_next_generation(store: SessionStore) -> None:
    await store.add(session_record("a"), grant_record(), replaces=None, now=NOW)
    assert await store.replace_grant(grant_record(generation=2), expected_generation=1)
    assert await store.read_grant(key("grant")) == grant_record(generation=2)


async def test_a_late_writer_overwrites_nothing(store: SessionStore) -> None:
    await store.add(session_record("a"), grant_record(), replaces=None, now=NOW)
    winner = replace(grant_record(generation=2), sealed=b"winner")
    assert await store.replace_grant(winner, expected_generation=1)
    assert not await store.replace_grant(grant_record(generation=2), expected_generation=1)
    assert not await store.replace_grant(grant_record(generation=9), expected_generation=8)
    assert await store.read_grant(key("grant")) == winner


async def test_a_generation_never_goes_back(store: SessionStore) -> None:
    await store.add(session_record("a"), grant_record(generation=5), replaces=None, now=NOW)
    for generation in (4, 5):
        assert not await store.replace_grant(grant_record(generation=generation), expected_generation=5)
    assert await store.read_grant(key("grant")) == grant_record(generation=5)


async def test_of_many_writers_one_wins(store: SessionStore) -> None:
    await store.add(session_record("a"), grant_record(), replaces=None, now=NOW)
    offers = [replace(grant_record(generation=2), sealed=b"%d" % number) for number in range(50)]
    won = await asyncio.gather(*(store.replace_grant(offer, expected_generation=1) for offer in offers))
    assert won.count(True) == 1
    assert await store.read_grant(key("grant")) == offers[won.index(True)]


async def test_replace_grant_does_not_revive_an_ended_grant(store: SessionStore) -> None:
    await store.add(session_record("a"), grant_record(), replaces=None, now=NOW)
    await store.end_grant(key("grant"), reason="grant_ended", now=NOW)
    assert not await store.replace_grant(grant_record(generation=2), expected_generation=1)
    assert await store.read_grant(key("grant")) is None


async def test_replace_grant_does_not_revive_a_grant_that_left_with_its_session(store: SessionStore) -> None:
    await store.add(session_record("a"), grant_record(), replaces=None, now=NOW)
    await store.end_session(key("a"), reason="signed_out", now=NOW)
    assert not await store.replace_grant(grant_record(generation=2), expected_generation=1)
    assert await store.read_grant(key("grant")) is None


async def test_a_writer_from_before_the_sign_out_leaves_the_new_sign_in_alone(store: SessionStore) -> None:
    await store.add(session_record("a"), grant_record(), replaces=None, now=NOW)
    await store.end_session(key("a"), reason="signed_out", now=NOW + 1)
    again = grant_record(at=NOW + 2)
    await store.add(session_record("b", at=NOW + 2), again, replaces=None, now=NOW + 2)
    assert not await store.replace_grant(grant_record(generation=2), expected_generation=1)
    assert await store.read_grant(key("grant")) == again


async def test_a_grants_end_only_moves_later(store: SessionStore) -> None:
    late, early = NOW + LONGEST + 500, NOW + 5
    await store.add(session_record("a"), grant_record(ends_at=late), replaces=None, now=NOW)
    assert await store.replace_grant(grant_record(generation=2, ends_at=early), expected_generation=1)
    assert await store.read_grant(key("grant")) == grant_record(generation=2, ends_at=late)
    await store.add(session_record("b"), grant_record(generation=3, ends_at=early), replaces=None, now=NOW)
    assert await store.read_grant(key("grant")) == grant_record(generation=3, ends_at=late)


async def test_a_sign_in_of_a_newer_generation_renews_a_shared_grant(store: SessionStore) -> None:
    await store.add(session_record("a"), grant_record(), replaces=None, now=NOW)
    await store.add(session_record("b"), grant_record(generation=2), replaces=None, now=NOW)
    assert await store.read_grant(key("grant")) == grant_record(generation=2)


async def test_a_sign_in_of_no_newer_generation_only_prolongs_a_shared_grant(store: SessionStore) -> None:
    first = replace(grant_record(generation=3), sealed=b"refreshed meanwhile")
    await store.add(session_record("a"), first, replaces=None, now=NOW)
    later = NOW + LONGEST + 60
    for name, generation in (("b", 2), ("c", 3)):
        offer = grant_record(generation=generation, at=NOW + 60, ends_at=later)
        await store.add(session_record(name, at=NOW + 60), offer, replaces=None, now=NOW + 60)
    assert await store.read_grant(key("grant")) == replace(first, ends_at=later)


async def test_end_grant_ends_all_its_sessions_and_no_others(store: SessionStore) -> None:
    for name in "abc":
        await store.add(session_record(name), grant_record(), replaces=None, now=NOW)
    await store.add(session_record("d", "other"), grant_record("other"), replaces=None, now=NOW)
    await store.end_session(key("c"), reason="signed_out", now=NOW)
    assert await store.end_grant(key("grant"), reason="refresh_lost", now=NOW + 1) == 2
    assert await store.read_grant(key("grant")) is None
    assert await store.read_session(key("a")) == tombstone("a", "refresh_lost", NOW + 1)
    assert await store.read_session(key("b")) == tombstone("b", "refresh_lost", NOW + 1)
    assert await store.read_session(key("c")) == tombstone("c", "signed_out", NOW)
    assert await store.read_session(key("d")) == session_record("d", "other")
    assert await store.end_grant(key("grant"), reason="refresh_lost", now=NOW + 2) == 0


async def test_of_many_sign_outs_one_gets_the_grant(store: SessionStore) -> None:
    names = [f"session {number}" for number in range(20)]
    for name in names:
        await store.add(session_record(name), grant_record(), replaces=None, now=NOW)
    orphans = await asyncio.gather(
        *(store.end_session(key(name), reason="signed_out", now=NOW) for name in names)
    )
    assert [orphan for orphan in orphans if orphan] == [grant_record()]
