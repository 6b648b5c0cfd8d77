"""The sessions of one subject, or of one `sid` of the authorization server, are found and ended together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.sessions.records import EndedSessions, SessionRecord
from tests.contract.records import IDLE, NOW, grant_record, key, session_record, tombstone

if TYPE_CHECKING:
    from gateway.sessions.store import SessionStore


async def _begin(store: SessionStore, *sessions: SessionRecord) -> None:
    for session in sessions:
        grant = "far grant" if session.grant_key == key("far grant") else "grant"
        await store.add(session, grant_record(grant), replaces=None, now=NOW)


async def _listed(store: SessionStore, name: str) -> set[SessionRecord]:
    found = await store.list_sessions(key(name))
    assert len(found) == len(set(found))
    return set(found)


async def test_the_sessions_of_a_subject_are_listed_wherever_they_lie(store: SessionStore) -> None:
    one, other = session_record("a"), session_record("far b", "far grant")
    await _begin(store, one, other, session_record("c", subject="somebody else"))
    assert await _listed(store, "subject") == {one, other}
    assert await _listed(store, "nobody") == set()


async def test_the_sessions_of_a_sid_are_listed(store: SessionStore) -> None:
    one, other = session_record("a", sid="sid"), session_record("far b", "far grant", sid="sid")
    await _begin(store, one, other, session_record("c", sid="another"), session_record("d"))
    assert await _listed(store, "sid") == {one, other}


async def test_a_session_is_listed_as_it_is_now(store: SessionStore) -> None:
    await _begin(store, session_record("a"))
    await store.touch(key("a"), last_seen_at=NOW + 60, idle_at=NOW + 60 + IDLE, sealed=b"anew")
    (listed,) = await store.list_sessions(key("subject"))
    assert (listed.last_seen_at, listed.sealed, listed.subject_key) == (NOW + 60, b"anew", key("subject"))


async def test_a_session_past_its_end_is_listed_until_it_is_removed(store: SessionStore) -> None:
    await _begin(store, session_record("a", idle=5))
    assert await _listed(store, "subject") == {session_record("a", idle=5)}
    await store.remove_expired(NOW + 5)
    assert await _listed(store, "subject") == set()


async def test_an_ended_session_is_listed_no_more(store: SessionStore) -> None:
    await _begin(store, session_record("a", sid="sid"), session_record("b"))
    await store.end_session(key("a"), reason="signed_out", now=NOW)
    assert await _listed(store, "subject") == {session_record("b")}
    assert await _listed(store, "sid") == set()


async def test_all_sessions_of_a_subject_but_one_are_ended(store: SessionStore) -> None:
    kept, foreign = session_record("a"), session_record("c", subject="somebody else")
    await _begin(store, kept, session_record("b"), session_record("far d", "far grant"), foreign)
    ended = await store.end_sessions(
        key("subject"), except_key=key("a"), reason="signed_out_elsewhere", now=NOW + 1
    )
    assert set(ended.keys) == {key("b"), key("far d")}
    assert ended.orphans == (grant_record("far grant"),)
    for name in ("b", "far d"):
        assert await store.read_session(key(name)) == tombstone(name, "signed_out_elsewhere", NOW + 1)
    for session in (kept, foreign):
        assert await store.read_session(session.key) == session
    assert await store.read_grant(key("grant")) == grant_record()


async def test_all_sessions_of_a_sid_are_ended(store: SessionStore) -> None:
    await _begin(store, session_record("a", sid="sid"), session_record("b", sid="another"))
    ended = await store.end_sessions(key("sid"), except_key=None, reason="signed_out_elsewhere", now=NOW)
    assert ended == EndedSessions((key("a"),), ())
    assert await store.count_sessions(NOW) == 1


async def test_a_grant_shared_by_all_that_end_is_handed_out_once(store: SessionStore) -> None:
    await _begin(store, session_record("a"), session_record("b"), session_record("c"))
    ended = await store.end_sessions(key("subject"), except_key=None, reason="signed_out", now=NOW)
    assert len(ended.keys) == 3
    assert ended.orphans == (grant_record(),)


async def test_ending_the_sessions_of_nobody_ends_none(store: SessionStore) -> None:
    await _begin(store, session_record("a"))
    for name in ("nobody", "a", "grant"):
        ended = await store.end_sessions(key(name), except_key=None, reason="signed_out", now=NOW)
        assert ended == EndedSessions()
    assert await store.count_sessions(NOW) == 1
