"""Whatever is asked of them, and in whatever order, the stores give the same answers."""

from __future__ import annotations

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contract.records import IDLE, NOW, grant_record, key, session_record
from tests.contract.stores import STORES, opened

if TYPE_CHECKING:
    from gateway.sessions.store import SessionStore

PLACES = {"a": "g", "b": "g", "c": "i", "far d": "far h", "far e": "far h"}
NAMES = st.sampled_from([*PLACES])
GRANTS = st.sampled_from(["g", "i", "far h"])
TIMES = st.sampled_from([NOW, NOW + 60, NOW + IDLE, NOW + IDLE + 60, NOW + 2 * IDLE, NOW + 5 * IDLE])
GENERATIONS = st.integers(1, 4)
OWNERS = st.sampled_from([b"one", b"other"])
LEASES = st.sampled_from([0, 1_000_000])
"""Ended at once or never, so that all clocks agree."""
OPERATIONS = st.one_of(
    st.tuples(st.just("add"), NAMES, st.none() | NAMES, GENERATIONS, TIMES),
    st.tuples(st.just("touch"), NAMES, TIMES, st.none() | st.binary(max_size=3)),
    st.tuples(st.just("replace_grant"), GRANTS, GENERATIONS, GENERATIONS, TIMES),
    st.tuples(st.just("end_session"), NAMES, TIMES),
    st.tuples(st.just("end_sessions"), st.sampled_from(["s", "t", "sid"]), st.none() | NAMES, TIMES),
    st.tuples(st.just("end_grant"), GRANTS, st.sampled_from(["grant_ended", "signed_out"]), TIMES),
    st.tuples(st.just("end_generation"), GRANTS, GENERATIONS, TIMES),
    st.tuples(st.just("claim"), GRANTS, GENERATIONS, OWNERS, LEASES),
    st.tuples(st.just("renew"), GRANTS, OWNERS, LEASES),
    st.tuples(st.just("release"), GRANTS, OWNERS, st.booleans()),
    st.tuples(st.just("take"), TIMES),
    st.tuples(st.just("settle"), GRANTS, GENERATIONS, TIMES),
    st.tuples(st.just("spend_once"), NAMES, TIMES, TIMES),
    st.tuples(st.just("spent_until"), NAMES, TIMES),
    st.tuples(st.just("remove_expired"), TIMES),
)


async def _perform_on_sessions(  # noqa: PLR0911 - one each
    store: SessionStore, operation: tuple[Any, ...]
) -> object:
    match operation:
        case "add", name, replaces, generation, now:
            grant, subject = PLACES[name], "s" if name in "ac" else "t"
            session = session_record(name, grant, at=now, longest=2 * IDLE, subject=subject, sid="sid")
            replaced = None if replaces is None or replaces == name else key(replaces)
            offer = grant_record(grant, generation=generation, at=now, ends_at=now + 2 * IDLE)
            try:
                return await store.add(session, offer, replaces=replaced, now=now)
            except ValueError:
                return "used before"
        case "touch", name, now, sealed:
            return await store.touch(key(name), last_seen_at=now, idle_at=now + IDLE, sealed=sealed)
        case "end_session", name, now:
            return await store.end_session(key(name), reason="signed_out", now=now)
        case "end_sessions", index, spared, now:
            ended = await store.end_sessions(
                key(index), except_key=spared and key(spared), reason="signed_out_elsewhere", now=now
            )
            return set(ended.keys), set(ended.orphans)
        case "spend_once", name, expires_at, now:
            return await store.spend_once(key(name), expires_at=expires_at, now=now)
        case "spent_until", name, now:
            return await store.spent_until(key(name), now=now)
        case "remove_expired", now:
            return set(await store.remove_expired(now))
        case _:
            return await _perform_on_grants(store, operation)


async def _perform_on_grants(  # noqa: PLR0911 - one each
    store: SessionStore, operation: tuple[Any, ...]
) -> object:
    match operation:
        case "replace_grant", name, generation, expected, now:
            offer = grant_record(name, generation=generation, at=now, ends_at=now)
            return await store.replace_grant(offer, expected_generation=expected)
        case "end_grant", name, reason, now:
            return await store.end_grant(key(name), reason=reason, now=now)
        case "end_generation", name, generation, now:
            return await store.end_grant(
                key(name),
                reason="refresh_lost",
                now=now,
                expected_generation=generation,
                expected_created_at=now,
            )
        case "claim", name, generation, owner, lease_seconds:
            claim = await store.claim_refresh(
                key(name), generation=generation, owner=owner, lease_seconds=lease_seconds, now=NOW
            )
            return claim.outcome, claim.until is None, claim.grant
        case "renew", name, owner, lease_seconds:
            return await store.renew_claim(key(name), owner=owner, lease_seconds=lease_seconds, now=NOW)
        case "release", name, owner, unknown:
            await store.release_claim(key(name), owner=owner, spent_unknown=unknown, now=NOW)
            return None
        case "take", now:
            return set(await store.take_revocations(now=now, limit=100, retry_at=now + 60))
        case _, name, generation, created_at:
            await store.settle_revocation(key(name), generation=generation, created_at=created_at)
            return None
    raise AssertionError(operation)


async def _answers(store: SessionStore, operations: list[tuple[Any, ...]]) -> list[object]:
    async with opened(store):
        cursor = (await store.changes(None)).cursor
        answers = [await _perform_on_sessions(store, operation) for operation in operations]
        answers += [(await store.changes(cursor)).keys]
        answers += [await store.read_session(key(name)) for name in PLACES]
        answers += [set(await store.list_sessions(key(index))) for index in ("s", "t", "sid")]
        answers += [await store.read_grant(key(name)) for name in ("g", "i", "far h")]
        answers += [set(await store.take_revocations(now=NOW + 6 * IDLE, limit=100, retry_at=NOW))]
        return [*answers, await store.count_sessions(NOW)]


@settings(max_examples=40, deadline=None, database=None, derandomize=True)
@given(st.lists(OPERATIONS, max_size=30))
def test_all_stores_agree(operations: list[tuple[Any, ...]]) -> None:
    async def ask_all() -> list[list[object]]:
        with TemporaryDirectory() as folder:
            return [await _answers(build(Path(folder)), operations) for build in STORES.values()]

    answers = asyncio.run(ask_all())
    assert answers == [answers[0]] * len(answers)
