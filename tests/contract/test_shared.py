"""What one process writes, every other one sees: two stores on the same sessions."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from tests.contract.records import IDLE, NOW, grant_record, key, session_record, tombstone

if TYPE_CHECKING:
    from gateway.sessions.store import SessionStore

    Peers = tuple[SessionStore, SessionStore]


async def test_a_session_begun_on_one_is_known_to_the_other(peers: Peers) -> None:
    one, other = peers
    await one.add(session_record("a"), grant_record(), replaces=None, now=NOW)
    assert await other.read_session(key("a")) == session_record("a")
    assert await other.read_grant(key("grant")) == grant_record()


async def test_a_session_ended_on_one_is_over_on_the_other(peers: Peers) -> None:
    one, other = peers
    await one.add(session_record("a"), grant_record(), replaces=None, now=NOW)
    assert await other.read_session(key("a")) == session_record("a")
    assert await one.end_session(key("a"), reason="signed_out", now=NOW) == grant_record()
    assert await other.read_session(key("a")) == tombstone("a", "signed_out", NOW)
    assert not await other.touch(key("a"), last_seen_at=NOW + 60, idle_at=NOW + 60 + IDLE)
    assert not await other.replace_grant(grant_record(generation=2), expected_generation=1)


async def test_of_writers_on_both_one_wins(peers: Peers) -> None:
    await peers[0].add(session_record("a"), grant_record(), replaces=None, now=NOW)
    offers = [replace(grant_record(generation=2), sealed=b"%d" % number) for number in range(50)]
    won = await asyncio.gather(
        *(
            peers[number % 2].replace_grant(offer, expected_generation=1)
            for number, offer in enumerate(offers)
        )
    )
    assert won.count(True) == 1
    for peer in peers:
        assert await peer.read_grant(key("grant")) == offers[won.index(True)]


async def test_a_key_is_spent_on_one_of_them_once(peers: Peers) -> None:
    spent = await asyncio.gather(
        *(peers[number % 2].spend_once(key("state"), expires_at=NOW + 600, now=NOW) for number in range(50))
    )
    assert spent.count(True) == 1


async def test_an_expired_grant_is_handed_out_by_one_of_them(peers: Peers) -> None:
    for number in range(50):
        await peers[0].add(
            session_record(f"{number}", f"{number}"), grant_record(f"{number}"), replaces=None, now=NOW
        )
    swept = await asyncio.gather(*(peer.remove_expired(NOW + IDLE) for peer in peers))
    assert len(swept[0]) + len(swept[1]) == 50
    assert {orphan.key for orphans in swept for orphan in orphans} == {key(f"{n}") for n in range(50)}
