"""Replicas share answers: one of them fetches, all find it, and what was forgotten is never found again."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from gateway.errors import StoreUnavailable
from gateway.sessions.kept_answers import ANSWERS_BYTES, MARK_SECONDS, AnswerClaim
from gateway.sessions.sqlite import SqliteStore
from tests.contract.records import NOW
from tests.contract.stores import opened

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.sessions.store import SessionStore

_PLACE = b"p" * 32
_KEY = b"k" * 32
_SCOPES = (b"all", b"contacts")
_ONE, _OTHER = b"owner-one-------", b"owner-other-----"
_SEALED = b"\x00sealed\r\n\xff"


async def _claim(
    store: SessionStore,
    owner: bytes = _ONE,
    *,
    now: float = NOW,
    lease: float = 30,
    place: bytes = _PLACE,
    key: bytes = _KEY,
) -> AnswerClaim:
    return await store.claim_answer(place, key, scopes=_SCOPES, owner=owner, lease_seconds=lease, now=now)


async def _keep(
    store: SessionStore,
    mark: int,
    owner: bytes = _ONE,
    *,
    seconds: float = 60,
    key: bytes = _KEY,
    sealed: bytes = _SEALED,
) -> bool:
    return await store.keep_answer(
        _PLACE, key, scopes=_SCOPES, owner=owner, mark=mark, sealed=sealed, seconds=seconds, now=NOW
    )


async def _until_granted(store: SessionStore) -> None:
    """Wait until another one's 0.05 s are over, by the store's clock or by `now`."""
    for _ in range(500):
        if (await _claim(store, _OTHER, now=NOW + 0.06)).outcome == "granted":
            return
        await asyncio.sleep(0.01)
    raise AssertionError


async def test_one_fetches_and_all_find_what_it_kept(peers: tuple[SessionStore, SessionStore]) -> None:
    one, other = peers
    claim = await _claim(one)
    assert claim.outcome == "granted"
    held = await _claim(other, _OTHER)
    assert held.outcome == "held"
    assert 0 < held.wait <= 30
    assert await _keep(one, claim.mark)
    for store in peers:
        found = await _claim(store, _OTHER)
        assert (found.outcome, found.sealed) == ("found", _SEALED)


async def test_who_fetches_is_asked_to_go_on(store: SessionStore) -> None:
    assert (await _claim(store)).outcome == "granted"
    assert (await _claim(store)).outcome == "granted"


async def test_a_claim_that_was_let_go_of_is_the_next_ones(store: SessionStore) -> None:
    await _claim(store)
    await store.release_answer(_PLACE, _KEY, owner=_OTHER)
    assert (await _claim(store, _OTHER)).outcome == "held"
    await store.release_answer(_PLACE, _KEY, owner=_ONE)
    assert (await _claim(store, _OTHER)).outcome == "granted"


async def test_a_claim_of_one_that_died_lapses(store: SessionStore) -> None:
    await _claim(store, lease=0.05)
    await _until_granted(store)


async def test_a_clock_that_is_set_back_makes_no_claim_longer(store: SessionStore) -> None:
    """Redis measures by a clock of its own."""
    await _claim(store, now=NOW + 3600, lease=0.05)
    await _until_granted(store)


async def test_a_late_answer_of_one_whose_claim_lapsed_is_kept_and_leaves_the_next_claim(
    store: SessionStore,
) -> None:
    late = await _claim(store, lease=0.05)
    await _until_granted(store)
    assert await _keep(store, late.mark)
    assert (await _claim(store, b"owner-three-----")).outcome == "found"


async def test_an_answer_is_over_in_time(store: SessionStore) -> None:
    claim = await _claim(store)
    assert await _keep(store, claim.mark, seconds=0.05)
    await _until_granted(store)


@pytest.mark.parametrize("scope", _SCOPES)
async def test_what_was_forgotten_is_found_nowhere(
    peers: tuple[SessionStore, SessionStore], scope: bytes
) -> None:
    one, other = peers
    await _keep(one, (await _claim(one)).mark)
    await other.forget_answers(_PLACE, [scope], now=NOW)
    assert (await _claim(one)).outcome == "granted"


async def test_another_scope_and_another_place_are_left_alone(store: SessionStore) -> None:
    await _keep(store, (await _claim(store)).mark)
    await store.forget_answers(_PLACE, [b"articles"], now=NOW)
    await store.forget_answers(b"q" * 32, list(_SCOPES), now=NOW)
    assert (await _claim(store)).outcome == "found"


async def test_an_answer_fetched_before_something_was_forgotten_is_not_kept(store: SessionStore) -> None:
    before = await _claim(store)
    await store.forget_answers(_PLACE, [b"contacts"], now=NOW)
    assert not await _keep(store, before.mark)
    after = await _claim(store, _OTHER)
    assert after.outcome == "granted"
    assert await _keep(store, after.mark, _OTHER)
    assert not await _keep(store, before.mark, sealed=b"old")
    assert (await _claim(store)).sealed == _SEALED


async def test_nobody_waits_for_a_fetch_that_began_before_something_was_forgotten(
    store: SessionStore,
) -> None:
    await _claim(store)
    await store.forget_answers(_PLACE, [b"all"], now=NOW)
    assert (await _claim(store, _OTHER)).outcome == "granted"


async def test_forgetting_twice_in_one_moment_is_seen_twice(store: SessionStore) -> None:
    marks = [(await _claim(store)).mark]
    for _ in range(2):
        await store.forget_answers(_PLACE, [b"all"], now=NOW)
        marks.append((await _claim(store)).mark)
    assert len(set(marks)) == 3


async def test_answers_of_other_keys_are_others(store: SessionStore) -> None:
    await _keep(store, (await _claim(store)).mark)
    assert (await _claim(store, key=b"j" * 32)).outcome == "granted"


async def test_of_many_claims_at_once_one_is_granted(peers: tuple[SessionStore, SessionStore]) -> None:
    claims = await asyncio.gather(*(_claim(peers[n % 2], b"owner-%010d" % n) for n in range(40)))
    assert sorted(claim.outcome for claim in claims) == ["granted"] + ["held"] * 39


async def test_a_closed_store_tells_that_it_is_unavailable(closed_store: SessionStore) -> None:
    for work in (
        _claim(closed_store),
        _keep(closed_store, 0),
        closed_store.release_answer(_PLACE, _KEY, owner=_ONE),
        closed_store.forget_answers(_PLACE, [b"all"], now=NOW),
    ):
        with pytest.raises(StoreUnavailable):
            await work


async def test_the_sweep_takes_what_is_over_and_nothing_else(tmp_path: Path) -> None:
    async with opened(SqliteStore(tmp_path / "sessions.db")) as store:
        await _keep(store, (await _claim(store)).mark, seconds=60)
        await store.remove_expired(NOW + 59)
        assert (await _claim(store, now=NOW + 59)).outcome == "found"
        await store.forget_answers(_PLACE, [b"all"], now=NOW)
        mark = (await _claim(store)).mark
        await store.remove_expired(NOW + MARK_SECONDS - 1)
        assert (await _claim(store)).mark == mark
        await store.remove_expired(NOW + MARK_SECONDS)
        assert (await _claim(store)).mark == 0


async def test_sqlite_keeps_a_bounded_number_of_bytes(tmp_path: Path) -> None:
    piece = b"x" * (ANSWERS_BYTES // 4)
    async with opened(SqliteStore(tmp_path / "sessions.db")) as store:
        for number in range(6):
            key = bytes([number]) * 32
            claim = await _claim(store, key=key)
            await _keep(store, claim.mark, key=key, sealed=piece, seconds=60 + number)
        outcomes = [(await _claim(store, _OTHER, key=bytes([number]) * 32)).outcome for number in range(6)]
    assert outcomes == ["granted"] * 2 + ["found"] * 4
