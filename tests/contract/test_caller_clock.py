"""Where the store has no clock of its own, leases run on the callers'."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.records import NOW, grant_record, key, session_record
from tests.contract.stores import CALLER_CLOCK_STORES, STORES, opened

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.sessions.store import SessionStore


async def _outcome(store: SessionStore, owner: bytes, now: float) -> tuple[str, float | None]:
    claim = await store.claim_refresh(key("grant"), generation=1, owner=owner, lease_seconds=30, now=now)
    return claim.outcome, claim.until


@pytest.mark.parametrize("name", CALLER_CLOCK_STORES)
async def test_a_lease_ends_when_it_says(name: str, tmp_path: Path) -> None:
    async with opened(STORES[name](tmp_path)) as store:
        await store.add(session_record("a"), grant_record(), replaces=None, now=NOW)
        assert await _outcome(store, b"one", NOW) == ("granted", NOW + 30)
        assert await store.renew_claim(key("grant"), owner=b"one", lease_seconds=30, now=NOW + 20)
        assert await _outcome(store, b"other", NOW + 49.9) == ("held", NOW + 50)
        assert await _outcome(store, b"other", NOW + 50) == ("granted_abandoned", NOW + 80)
        assert not await store.renew_claim(key("grant"), owner=b"one", lease_seconds=30, now=NOW + 51)
