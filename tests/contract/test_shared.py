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


async def test_of_owners_on_both_one_may_refresh(peers: Peers) -> None:
    await peers[0].add(session_record("a"), grant_record(), replaces=None, now=NOW)
    claims = await asyncio.gather(
        *(
            peers[number % 2].claim_refresh(
                key("grant"), generation=1, owner=b"%d" % number, lease_seconds=30, now=NOW
            )
            for number in range(50)
        )
    )
    assert [claim.outcome for claim in claims].count("granted") == 1
    winner = b"%d" % [claim.outcome for claim in claims].index("granted")
    for peer in peers:
        assert await peer.renew_claim(key("grant"), owner=winner, lease_seconds=30, now=NOW)
    assert await peers[1].replace_grant(grant_record(generation=2), expected_generation=1)
    claim = await peers[0].claim_refresh(key("grant"), generation=1, owner=b"late", lease_seconds=30, now=NOW)
    assert (claim.outcome, claim.grant) == ("superseded", grant_record(generation=2))


async def test_a_revocation_is_handed_to_one_of_them(peers: Peers) -> None:
    names = [f"far {number}" if number % 2 else f"{number}" for number in range(50)]
    for name in names:
        await peers[0].queue_revocation(grant_record(name), due_at=NOW, now=NOW)
    taken = await asyncio.gather(
        *(peers[number % 2].take_revocations(now=NOW, limit=20, retry_at=NOW + 60) for number in range(6))
    )
    handed_out = [grant.key for grants in taken for grant in grants]
    assert len(handed_out) == len(set(handed_out))
    for peer in peers:
        handed_out += [
            grant.key for grant in await peer.take_revocations(now=NOW, limit=50, retry_at=NOW + 60)
        ]
    assert sorted(handed_out) == sorted(key(name) for name in names)


async def test_all_sessions_of_a_subject_end_on_both(peers: Peers) -> None:
    one, other = peers
    for name, grant in (("a", "grant"), ("far b", "far")):
        await one.add(session_record(name, grant), grant_record(grant), replaces=None, now=NOW)
    assert len(await other.list_sessions(key("subject"))) == 2
    ended = await other.end_sessions(key("subject"), except_key=None, reason="signed_out", now=NOW)
    assert len(ended.keys) == len(ended.orphans) == 2
    assert await one.list_sessions(key("subject")) == []
    assert await one.read_session(key("far b")) == tombstone("far b", "signed_out", NOW)


async def test_what_one_of_them_spent_the_others_see_spent(peers: Peers) -> None:
    assert await peers[0].spend_once(key("state"), expires_at=NOW + 600, now=NOW)
    assert await peers[1].spent_until(key("state"), now=NOW) == NOW + 600
