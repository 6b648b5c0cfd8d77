"""Keeps grants sealed: their tokens, who refreshes them, and which are to be revoked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gateway.errors import RecordUnreadable
from gateway.sessions.envelope import open_grant, seal_grant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gateway.sessions.keyring import Keyring
    from gateway.sessions.records import ClaimOutcome, GrantRecord
    from gateway.sessions.session import EndReason, Grant, Tokens
    from gateway.sessions.store import SessionStore


@dataclass(frozen=True, slots=True)
class Claim:
    """What came of the wish to refresh: a RefreshClaim with its grant opened."""

    outcome: ClaimOutcome
    until: float | None
    """When the lease ends, yours or another's."""
    grant: Grant | None
    """The grant whose refresh token is yours to spend, or the newer one if superseded."""


class GrantVault:
    """The part of the Vault that is about grants."""

    def __init__(self, store: SessionStore, keyring: Keyring) -> None:
        self._store = store
        self._keyring = keyring
        self._changed: Callable[[Iterable[bytes]], None] = _tell_nobody

    def tell(self, changed: Callable[[Iterable[bytes]], None]) -> None:
        """Have `changed` called with the keys of what an operation here ended or changed, before it returns.

        Of what other processes do, and of an operation whose outcome is not known, the store's changes tell.
        """
        self._changed = changed

    async def read_grant(self, grant_key: bytes) -> Grant | None:
        """Return the grant, or None if it is gone with its last session."""
        record = await self._store.read_grant(grant_key)
        return None if record is None else open_grant(record, self._keyring)

    async def replace_tokens(self, grant: Grant, tokens: Tokens) -> Grant | None:
        """Put new tokens in place of the grant's, and return its next generation; the claim is fulfilled.

        If another writer was first, returns the grant as that one left it, and `tokens` are nowhere; None
        if the grant is gone. After StoreUnavailable it may be called again with the same arguments.
        """
        renewed = grant.with_tokens(tokens)
        record = seal_grant(renewed, self._keyring)
        is_first = await self._store.replace_grant(record, expected_generation=grant.generation)
        self._changed((grant.key,))
        if is_first:
            return renewed
        return await self.read_grant(grant.key)

    async def end_grant(
        self, grant_key: bytes, *, reason: EndReason, now: float, expected: Grant | None = None
    ) -> int:
        """End a grant and all its sessions; returns how many they were.

        With `expected` only if it is still that one, of that generation; else 0 and nothing changed.
        """
        ended = await self._store.end_grant(
            grant_key,
            reason=reason,
            now=now,
            expected_generation=None if expected is None else expected.generation,
            expected_created_at=None if expected is None else expected.created_at,
        )
        self._changed((grant_key,))
        return ended

    async def claim_refresh(
        self, grant: Grant, *, owner: bytes, lease_seconds: float, now: float, takes_lapsed: bool = True
    ) -> Claim:
        """Record that `owner` is about to spend the grant's refresh token, if nobody else is.

        Spend the token of the grant in the answer: it is the one that the claim is on. Whether it is taken
        from an owner who was not heard of in time is for `takes_lapsed` to say.
        """
        claim = await self._store.claim_refresh(
            grant.key,
            generation=grant.generation,
            owner=owner,
            lease_seconds=lease_seconds,
            now=now,
            takes_lapsed=takes_lapsed,
        )
        if claim.grant is None or claim.outcome in {"held", "lapsed"}:
            return Claim(claim.outcome, claim.until, None)
        return Claim(claim.outcome, claim.until, open_grant(claim.grant, self._keyring))

    async def renew_claim(self, grant_key: bytes, *, owner: bytes, lease_seconds: float, now: float) -> bool:
        """Let the lease end `lease_seconds` from now; False if the claim is no longer the owner's."""
        return await self._store.renew_claim(grant_key, owner=owner, lease_seconds=lease_seconds, now=now)

    async def release_claim(self, grant_key: bytes, *, owner: bytes, spent_unknown: bool, now: float) -> None:
        """Let go of a claim whose refresh brought no tokens; say whether the token may have been spent."""
        await self._store.release_claim(grant_key, owner=owner, spent_unknown=spent_unknown, now=now)

    async def queue_revocation(self, grant: Grant, *, now: float, due_at: float | None = None) -> None:
        """Have tokens revoked that never had a session, or whose grant went while they were fetched."""
        due = now if due_at is None else due_at
        await self._store.queue_revocation(seal_grant(grant, self._keyring), due_at=due, now=now)

    async def take_revocations(self, *, now: float, limit: int, retry_at: float) -> list[Grant]:
        """Return grants whose tokens are to be revoked now; each is offered again at `retry_at`.

        Left out for good are those whose tokens have expired, and a shared grant that a new sign-in brought
        back: an authorization server with one grant per connection might end the new tokens with the old.
        Left for later are those that do not open.
        """
        records = await self._store.take_revocations(now=now, limit=limit, retry_at=retry_at)
        grants = [grant for grant in map(self._open_if_readable, records) if grant is not None]
        wanted: list[Grant] = []
        for grant in grants:
            if grant.tokens.are_over(now) or await self._is_back(grant):
                await self.settle_revocation(grant)
            else:
                wanted.append(grant)
        return wanted

    async def settle_revocation(self, grant: Grant) -> None:
        """Take a grant whose tokens were revoked out of the queue."""
        await self._store.settle_revocation(
            grant.key, generation=grant.generation, created_at=grant.created_at
        )

    async def _is_back(self, grant: Grant) -> bool:
        return grant.connection_id is not None and await self._store.read_grant(grant.key) is not None

    async def _settle(self, offered: Grant, before: Grant | None) -> None:
        """Put a sign-in's tokens into a shared grant if another writer came between reading and adding."""
        while (record := await self._store.read_grant(offered.key)) is not None:
            known = self._open_if_readable(record)
            if known is not None and not _supersedes(offered, known, before):
                return
            newer = replace(offered, generation=record.generation + 1, created_at=record.created_at)
            if await self._store.replace_grant(
                seal_grant(newer, self._keyring), expected_generation=record.generation
            ):
                return

    def _open_if_readable(self, record: GrantRecord | None) -> Grant | None:
        try:
            return None if record is None else open_grant(record, self._keyring)
        except RecordUnreadable:
            return None


def _supersedes(offered: Grant, known: Grant, before: Grant | None) -> bool:
    """Say whether a sign-in's tokens belong in the place of those known now; it began with those `before`.

    Those that a refresh has brought meanwhile yield, whatever the clocks say: where a connection has one
    refresh token, the refresh went before the sign-in, or it would have been refused; where it has several,
    the sign-in's are as good. Of two sign-ins at once the later wins.
    """
    mine, theirs = offered.tokens.signed_in_at, known.tokens.signed_in_at
    was_there = before is not None and before.tokens.signed_in_at == theirs
    return mine != theirs and (was_there or theirs < mine)


def _tell_nobody(_: Iterable[bytes]) -> None:
    """Do nothing: nobody remembers anything."""
