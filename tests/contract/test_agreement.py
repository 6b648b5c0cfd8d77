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

NAMES = st.sampled_from(["a", "b", "c", "d"])
GRANTS = st.sampled_from(["g", "h"])
TIMES = st.sampled_from([NOW, NOW + 60, NOW + IDLE, NOW + IDLE + 60, NOW + 2 * IDLE, NOW + 5 * IDLE])
GENERATIONS = st.integers(1, 4)
OPERATIONS = st.one_of(
    st.tuples(st.just("add"), NAMES, GRANTS, st.none() | NAMES, GENERATIONS, TIMES),
    st.tuples(st.just("touch"), NAMES, TIMES, st.none() | st.binary(max_size=3)),
    st.tuples(st.just("replace_grant"), GRANTS, GENERATIONS, GENERATIONS, TIMES),
    st.tuples(st.just("end_session"), NAMES, TIMES),
    st.tuples(st.just("end_grant"), GRANTS, TIMES),
    st.tuples(st.just("spend_once"), NAMES, TIMES, TIMES),
    st.tuples(st.just("remove_expired"), TIMES),
)


async def _perform(store: SessionStore, operation: tuple[Any, ...]) -> object:  # noqa: PLR0911 - one line each
    match operation:
        case "add", name, grant, replaces, generation, now:
            session = session_record(name, grant, at=now, longest=2 * IDLE)
            replaced = None if replaces is None or replaces == name else key(replaces)
            offer = grant_record(grant, generation=generation, at=now, ends_at=now + 2 * IDLE)
            try:
                return await store.add(session, offer, replaces=replaced, now=now)
            except ValueError:
                return "used before"
        case "touch", name, now, sealed:
            return await store.touch(key(name), last_seen_at=now, idle_at=now + IDLE, sealed=sealed)
        case "replace_grant", name, generation, expected, now:
            offer = grant_record(name, generation=generation, at=now, ends_at=now)
            return await store.replace_grant(offer, expected_generation=expected)
        case "end_session", name, now:
            return await store.end_session(key(name), reason="signed_out", now=now)
        case "end_grant", name, now:
            return await store.end_grant(key(name), reason="grant_ended", now=now)
        case "spend_once", name, expires_at, now:
            return await store.spend_once(key(name), expires_at=expires_at, now=now)
        case _, now:
            return sorted(orphan.key for orphan in await store.remove_expired(now))
    raise AssertionError(operation)


async def _answers(store: SessionStore, operations: list[tuple[Any, ...]]) -> list[object]:
    async with opened(store):
        answers = [await _perform(store, operation) for operation in operations]
        answers += [await store.read_session(key(name)) for name in "abcd"]
        answers += [await store.read_grant(key(name)) for name in "gh"]
        return [*answers, await store.count_sessions(NOW)]


@settings(max_examples=60, deadline=None, database=None, derandomize=True)
@given(st.lists(OPERATIONS, max_size=30))
def test_all_stores_agree(operations: list[tuple[Any, ...]]) -> None:
    async def ask_all() -> list[list[object]]:
        with TemporaryDirectory() as folder:
            return [await _answers(build(Path(folder)), operations) for build in STORES.values()]

    answers = asyncio.run(ask_all())
    assert answers == [answers[0]] * len(answers)
