"""The lease under which a refresh token is spent: waits for it, doubts its holder's death, and keeps it."""

from __future__ import annotations

import asyncio
import contextlib
from itertools import chain, repeat
from typing import TYPE_CHECKING

from gateway.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from gateway.sessions.session import Grant
    from gateway.sessions.vault import Vault
    from gateway.sessions.vault_grants import Claim

LEASE_SECONDS = 10.0
"""Renewed three times in its length while the call runs: a dead holder is noticed within it."""
RETRY_SECONDS = 0.5
"""How soon after it failed a holder asks the store again: to renew its lease, or to take new tokens."""
DOUBT_LOOKS = 22
"""So often the store shows a lapsed lease before another takes it over: 5 s in which the store answers.

They outlast the RETRY_SECONDS of a living holder and one attempt of its that hangs (in Redis up to 4 s).
"""
_POLL_SECONDS = (0.02, 0.05, 0.1, 0.25)


class RefreshLeases:
    """Claims refreshes in the store, and renews the claims."""

    def __init__(self, vault: Vault, clock: Callable[[], float]) -> None:
        self._vault = vault
        self._clock = clock

    async def claim(self, seen: Grant, owner: bytes) -> Claim:
        """Claim the refresh, waiting while another replica is at it, or may come back to it.

        A lease may have lapsed for no other reason than that the store was away. Then its holder lives, and
        is about to write or to renew: the lease is taken over only when the store has answered for long
        enough, counted in its answers, since a time in which it did not answer says nothing of the holder.
        """
        looks = 0
        for pause in chain(_POLL_SECONDS, repeat(_POLL_SECONDS[-1])):
            claim = await self._vault.claim_refresh(
                seen,
                owner=owner,
                lease_seconds=LEASE_SECONDS,
                now=self._clock(),
                takes_lapsed=looks >= DOUBT_LOOKS,
            )
            if claim.outcome not in {"held", "lapsed"}:
                return claim
            looks = looks + 1 if claim.outcome == "lapsed" else 0
            await asyncio.sleep(pause)
        raise AssertionError

    @contextlib.asynccontextmanager
    async def renewed(self, grant: Grant, owner: bytes) -> AsyncGenerator[None]:
        """Renew the lease while the block runs; where that fails, the generation still decides who wins."""

        async def renew() -> None:
            pause = LEASE_SECONDS / 3
            while True:
                await asyncio.sleep(pause)
                try:
                    await self._vault.renew_claim(
                        grant.key, owner=owner, lease_seconds=LEASE_SECONDS, now=self._clock()
                    )
                    pause = LEASE_SECONDS / 3
                except StoreError:
                    pause = min(RETRY_SECONDS, LEASE_SECONDS / 3)

        renewing = asyncio.create_task(renew())
        try:
            yield
        finally:
            renewing.cancel()
            await asyncio.gather(renewing, return_exceptions=True)
