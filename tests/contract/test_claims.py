"""A refresh token is spent by one owner at a time, and nobody forgets that it may have been.

A lease of no length is one that has ended, whichever clock the store goes by.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from gateway.sessions.records import RefreshClaim
from tests.contract.records import LONGEST, NOW, grant_record, key, session_record

if TYPE_CHECKING:
    from gateway.sessions.store import SessionStore


async def _begin(store: SessionStore) -> None:
    await store.add(session_record("a"), grant_record(), replaces=None, now=NOW)


async def _claim(
    store: SessionStore, owner: str = "one", *, generation: int = 1, lease_seconds: float = 30
) -> RefreshClaim:
    return await store.claim_refresh(
        key("grant"), generation=generation, owner=owner.encode(), lease_seconds=lease_seconds, now=NOW
    )


async def _release(store: SessionStore, owner: str = "one", *, spent_unknown: bool) -> None:
    await store.release_claim(key("grant"), owner=owner.encode(), spent_unknown=spent_unknown, now=NOW)


async def _abandon(store: SessionStore) -> None:
    assert (await _claim(store, "lost", lease_seconds=0)).outcome == "granted"


async def test_a_claim_is_granted_with_the_grant_that_it_is_on(store: SessionStore) -> None:
    await _begin(store)
    claim = await _claim(store)
    assert (claim.outcome, claim.grant) == ("granted", grant_record())
    assert claim.until == pytest.approx(NOW + 30, abs=1)


async def test_a_second_owner_waits_for_the_first(store: SessionStore) -> None:
    await _begin(store)
    await _claim(store)
    claim = await _claim(store, "other", lease_seconds=60)
    assert (claim.outcome, claim.grant) == ("held", grant_record())
    assert claim.until == pytest.approx(NOW + 30, abs=1)


async def test_of_many_owners_one_is_granted(store: SessionStore) -> None:
    await _begin(store)
    claims = await asyncio.gather(*(_claim(store, f"{number}") for number in range(50)))
    assert sorted(claim.outcome for claim in claims) == ["granted"] + ["held"] * 49


async def test_an_owner_who_asks_again_is_granted_the_same(store: SessionStore) -> None:
    await _begin(store)
    await _claim(store)
    claim = await _claim(store, lease_seconds=60)
    assert claim.outcome == "granted"
    assert claim.until == pytest.approx(NOW + 60, abs=1)
    assert (await _claim(store, "other")).outcome == "held"


async def test_a_claim_on_another_generation_is_superseded(store: SessionStore) -> None:
    await _begin(store)
    await store.replace_grant(grant_record(generation=2), expected_generation=1)
    for generation in (1, 3):
        claim = await _claim(store, generation=generation)
        assert claim == RefreshClaim(outcome="superseded", grant=grant_record(generation=2))
    assert (await _claim(store, generation=2)).outcome == "granted"


async def test_a_claim_on_nothing_is_gone(store: SessionStore) -> None:
    assert await _claim(store) == RefreshClaim(outcome="gone")
    await _begin(store)
    await store.end_session(key("a"), reason="signed_out", now=NOW)
    assert await _claim(store) == RefreshClaim(outcome="gone")


async def test_an_abandoned_claim_is_granted_as_such(store: SessionStore) -> None:
    await _begin(store)
    await _abandon(store)
    claim = await _claim(store)
    assert (claim.outcome, claim.grant) == ("granted_abandoned", grant_record())
    assert (await _claim(store)).outcome == "granted_abandoned"
    assert (await _claim(store, "other")).outcome == "held"


async def test_an_owner_whose_lease_ended_may_have_spent_the_token_itself(store: SessionStore) -> None:
    await _begin(store)
    await _abandon(store)
    assert (await _claim(store, "lost")).outcome == "granted_abandoned"


async def test_a_renewed_lease_goes_on(store: SessionStore) -> None:
    await _begin(store)
    await _claim(store, lease_seconds=0)
    assert await store.renew_claim(key("grant"), owner=b"one", lease_seconds=30, now=NOW)
    claim = await _claim(store, "other")
    assert claim.outcome == "held"
    assert claim.until == pytest.approx(NOW + 30, abs=1)


async def test_a_lapsed_claim_is_left_to_its_owner_unless_it_is_to_be_taken(store: SessionStore) -> None:
    await _begin(store)
    await _abandon(store)
    for _ in range(2):
        claim = await store.claim_refresh(
            key("grant"), generation=1, owner=b"other", lease_seconds=30, now=NOW, takes_lapsed=False
        )
        assert (claim.outcome, claim.grant) == ("lapsed", grant_record())
        assert claim.until == pytest.approx(NOW, abs=1)
    assert await store.renew_claim(key("grant"), owner=b"lost", lease_seconds=0, now=NOW)
    assert (await _claim(store, "other")).outcome == "granted_abandoned"


async def test_what_its_owner_let_go_of_in_doubt_is_nobodys_to_wait_for(store: SessionStore) -> None:
    await _begin(store)
    await _claim(store)
    await _release(store, spent_unknown=True)
    claim = await store.claim_refresh(
        key("grant"), generation=1, owner=b"other", lease_seconds=30, now=NOW, takes_lapsed=False
    )
    assert claim.outcome == "granted_abandoned"


async def test_what_is_lost_cannot_be_renewed(store: SessionStore) -> None:
    async def renewed() -> bool:
        return await store.renew_claim(key("grant"), owner=b"lost", lease_seconds=30, now=NOW)

    assert not await renewed()
    await _begin(store)
    assert not await renewed()
    await _abandon(store)
    await _claim(store)
    assert not await renewed()
    await _release(store, spent_unknown=True)
    assert not await renewed()
    await _claim(store, "lost")
    await store.replace_grant(grant_record(generation=2), expected_generation=1)
    assert not await renewed()


async def test_a_claim_released_unspent_never_was(store: SessionStore) -> None:
    await _begin(store)
    await _claim(store)
    await _release(store, spent_unknown=False)
    assert (await _claim(store, "other")).outcome == "granted"


async def test_a_claim_released_in_doubt_is_abandoned_at_once(store: SessionStore) -> None:
    await _begin(store)
    await _claim(store)
    await _release(store, spent_unknown=True)
    assert not await store.renew_claim(key("grant"), owner=b"one", lease_seconds=30, now=NOW)
    assert (await _claim(store, "other")).outcome == "granted_abandoned"


async def test_the_doubt_of_an_earlier_owner_outlives_a_later_ones_certainty(store: SessionStore) -> None:
    await _begin(store)
    await _abandon(store)
    await _claim(store)
    await _release(store, spent_unknown=False)
    assert (await _claim(store, "other")).outcome == "granted_abandoned"


async def test_a_claim_of_somebody_else_cannot_be_released(store: SessionStore) -> None:
    await _release(store, spent_unknown=False)
    await _begin(store)
    await _release(store, spent_unknown=True)
    assert (await _claim(store)).outcome == "granted"
    for spent_unknown in (True, False):
        await _release(store, "other", spent_unknown=spent_unknown)
    assert (await _claim(store, "third")).outcome == "held"


async def test_new_tokens_clear_the_claim_whoever_brings_them(store: SessionStore) -> None:
    await _begin(store)
    await _abandon(store)
    await store.replace_grant(grant_record(generation=2), expected_generation=1)
    assert (await _claim(store, generation=2)).outcome == "granted"
    await store.add(session_record("b"), grant_record(generation=3), replaces=None, now=NOW)
    assert (await _claim(store, "other", generation=3)).outcome == "granted"


async def test_a_write_that_fails_leaves_the_claim(store: SessionStore) -> None:
    await _begin(store)
    await _claim(store)
    assert not await store.replace_grant(grant_record(generation=3), expected_generation=2)
    await store.add(session_record("b"), grant_record(), replaces=None, now=NOW)
    assert (await _claim(store, "other")).outcome == "held"


async def test_a_grant_that_was_left_and_begun_anew_has_no_claim(store: SessionStore) -> None:
    await _begin(store)
    await _abandon(store)
    await store.end_session(key("a"), reason="signed_out", now=NOW)
    await store.add(session_record("b"), grant_record(at=NOW + 1), replaces=None, now=NOW + 1)
    assert (await _claim(store)).outcome == "granted"


async def test_a_late_refusal_does_not_end_a_renewed_grant(store: SessionStore) -> None:
    await _begin(store)
    await store.replace_grant(grant_record(generation=2), expected_generation=1)
    assert await store.end_grant(key("grant"), reason="grant_ended", now=NOW, expected_generation=1) == 0
    assert await store.read_session(key("a")) == session_record("a")
    assert await store.read_grant(key("grant")) == grant_record(generation=2)
    assert await store.end_grant(key("grant"), reason="grant_ended", now=NOW, expected_generation=2) == 1


async def test_a_late_refusal_does_not_end_a_new_sign_in(store: SessionStore) -> None:
    await _begin(store)
    await store.end_session(key("a"), reason="signed_out", now=NOW)
    again = grant_record(at=NOW + 2, ends_at=NOW + LONGEST + 2)
    await store.add(session_record("b", at=NOW + 2), again, replaces=None, now=NOW + 2)

    async def end(created_at: float) -> int:
        return await store.end_grant(
            key("grant"),
            reason="refresh_lost",
            now=NOW + 3,
            expected_generation=1,
            expected_created_at=created_at,
        )

    assert await end(NOW) == 0
    assert await store.read_grant(key("grant")) == again
    assert await end(NOW + 2) == 1
