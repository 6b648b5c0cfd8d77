"""The histories find a store or a refresher that is wrong: what could not fail would prove nothing."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, NotRequired, TypedDict, Unpack

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from gateway.sessions.memory import MemoryStore
from gateway.sessions.refresh import Refresher
from gateway.sessions.refresh_flight import RefreshFlight
from gateway.sessions.refresh_lease import RefreshLeases
from gateway.sessions.vault import Vault
from tests.unit.sessions.simulation.histories import Histories, history_settings
from tests.unit.sessions.simulation.replica import RefreshParts
from tests.unit.sessions.simulation.world import SKEWS

if TYPE_CHECKING:
    from gateway.sessions.records import GrantRecord, RefreshClaim
    from gateway.sessions.session import EndReason, Grant, Tokens
    from gateway.sessions.store import SessionStore
    from gateway.sessions.vault_grants import Claim

HISTORIES = 1000
"""More than any of these defects has been seen to need."""


class ClaimArguments(TypedDict):
    """What `claim_refresh` takes beside the grant's key."""

    generation: int
    owner: bytes
    lease_seconds: float
    now: float
    takes_lapsed: NotRequired[bool]


class EndArguments(TypedDict):
    """What `end_grant` takes beside the grant's key."""

    reason: EndReason
    now: float
    expected_generation: NotRequired[int | None]
    expected_created_at: NotRequired[float | None]


class Unfenced(MemoryStore):
    """Writes new tokens whatever generation is there."""

    async def replace_grant(self, record: GrantRecord, *, expected_generation: int) -> bool:
        tables = self._opened()
        if record.key not in tables.grants:
            return await super().replace_grant(record, expected_generation=expected_generation)
        tables.grants[record.key] = record
        tables.leases.pop(record.key, None)
        return True


class Unclaimed(MemoryStore):
    """Lets everybody refresh at once."""

    async def claim_refresh(self, grant_key: bytes, **claim: Unpack[ClaimArguments]) -> RefreshClaim:
        answer = await super().claim_refresh(grant_key, **claim)
        return replace(answer, outcome="granted") if answer.outcome == "held" else answer


class Forgetful(MemoryStore):
    """Does not say that an earlier holder may have spent the token."""

    async def claim_refresh(self, grant_key: bytes, **claim: Unpack[ClaimArguments]) -> RefreshClaim:
        answer = await super().claim_refresh(grant_key, **claim)
        return replace(answer, outcome="granted") if answer.outcome == "granted_abandoned" else answer


class Unrenewed(MemoryStore):
    """Says that it has renewed a lease, and has not."""

    async def renew_claim(self, grant_key: bytes, *, owner: bytes, lease_seconds: float, now: float) -> bool:
        return (grant_key, owner, lease_seconds, now) is not None


class Certain(MemoryStore):
    """Forgets, when a claim is let go of, that the token may have been spent."""

    async def release_claim(self, grant_key: bytes, *, owner: bytes, spent_unknown: bool, now: float) -> None:
        await super().release_claim(grant_key, owner=owner, spent_unknown=spent_unknown and not now, now=now)


class Rash(MemoryStore):
    """Ends a grant on bad news of tokens that it has no more."""

    async def end_grant(self, key: bytes, **end: Unpack[EndArguments]) -> int:
        end["expected_generation"] = None
        return await super().end_grant(key, **end)


class Tied(Refresher):
    """Ends a refresh with the browser that began it."""

    async def _refreshed(self, grant: Grant) -> Grant:
        return await self._flight.run(grant, in_hand=asyncio.Event())


class Doubtless(RefreshFlight):
    """Takes a broken connection for a token that was not spent."""

    async def _release(self, grant: Grant, owner: bytes, *, spent_unknown: bool) -> None:
        await super()._release(grant, owner, spent_unknown=spent_unknown and not owner)


class Impatient(RefreshFlight):
    """Gives new tokens up when the store does not take them at once."""

    async def _write(self, grant: Grant, tokens: Tokens, in_hand: asyncio.Event) -> Grant | None:
        _ = in_hand
        return await self._vault.replace_tokens(grant, tokens)


class HastyLeases(RefreshLeases):
    """Takes a lease over as soon as it has lapsed."""

    async def claim(self, seen: Grant, owner: bytes) -> Claim:
        while True:
            claim = await self._vault.claim_refresh(seen, owner=owner, lease_seconds=10, now=self._clock())
            if claim.outcome != "held":
                return claim
            await asyncio.sleep(0.25)


class Hasty(RefreshFlight):
    """Does not wait for a holder whose lease has lapsed."""

    async def run(self, seen: Grant, *, in_hand: asyncio.Event) -> Grant:
        self._leases = HastyLeases(self._vault, self._clock)
        return await super().run(seen, in_hand=in_hand)


class Abrupt(RefreshFlight):
    """Does not wait for a sign-in that may have made the refused token useless."""

    async def _signed_in(self, grant: Grant) -> Grant | None:
        return None if grant.connection_id else grant


class Clockwise(Vault):
    """Takes the tokens that came last, by the clocks, for a connection's newest."""

    async def _settle(self, offered: Grant, before: Grant | None) -> None:
        known = await self.read_grant(offered.key)
        if known is None or known.tokens.refreshed_at < offered.tokens.refreshed_at:
            await super()._settle(offered, before)


class Undead(RefreshFlight):
    """Does not have tokens revoked that came after the sign-out."""

    async def _give_up(self, grant: Grant) -> None:
        _ = grant


@pytest.mark.parametrize(
    "store", [Unfenced, Unclaimed, Forgetful, Unrenewed, Certain, Rash], ids=lambda store: store.__name__
)
def test_a_wrong_store_is_found(store: type[SessionStore]) -> None:
    class Wrong(Histories):
        def open_stores(self) -> list[SessionStore]:
            return [store()] * len(SKEWS)

    _assert_found(Wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        RefreshParts(refresher=Tied),
        RefreshParts(flight=Doubtless),
        RefreshParts(flight=Impatient),
        RefreshParts(flight=Undead),
        RefreshParts(flight=Hasty),
        RefreshParts(flight=Abrupt),
        RefreshParts(vault=Clockwise),
    ],
    ids=["Tied", "Doubtless", "Impatient", "Undead", "Hasty", "Abrupt", "Clockwise"],
)
def test_a_wrong_refresher_is_found(wrong: RefreshParts) -> None:
    class Wrong(Histories):
        parts = wrong

    _assert_found(Wrong)


def _assert_found(histories: type[Histories]) -> None:
    quick = settings(history_settings(HISTORIES), phases=[Phase.generate], derandomize=True, database=None)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(histories, settings=quick)
