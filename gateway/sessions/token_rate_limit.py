"""The token endpoint's rate limit, which all gateways that share a store heed once one of them met it."""

from __future__ import annotations

import contextlib
import hashlib
import math
from typing import TYPE_CHECKING

from gateway.errors import AuthorizationServerBusy, StoreError
from gateway.sessions.refresh_step import decide_rest
from gateway.sessions.session import framed

if TYPE_CHECKING:
    from gateway.sessions.session import Grant
    from gateway.sessions.vault import Vault


class TokenRateLimit:
    """The block is recorded as a key that is spent until its end; one that grows meanwhile is met again."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    async def heed(self, grant: Grant, *, now: float) -> None:
        """Raise AuthorizationServerBusy while the grant's client is blocked; StoreError as the store does."""
        until = await self._vault.spent_until(_key(grant), now=now)
        if until is not None:
            # RFC 6585 §4: to ask again before its time would prolong the block.
            raise AuthorizationServerBusy(
                log_detail="another gateway was answered 429", retry_after=math.ceil(until - now)
            )

    async def note(self, grant: Grant, error: AuthorizationServerBusy, *, now: float) -> None:
        """Tell the others of a block; where the store cannot, each meets it by itself."""
        with contextlib.suppress(StoreError):
            await self._vault.spend_once(_key(grant), expires_at=now + decide_rest(error), now=now)


def _key(grant: Grant) -> bytes:
    return hashlib.sha256(b"token endpoint's rate limit" + framed(grant.issuer, grant.client_id)).digest()
