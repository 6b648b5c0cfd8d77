"""Revokes tokens that nobody will use again, until it succeeded or they have expired (RFC 7009)."""

from __future__ import annotations

import asyncio
import logging
import secrets
from typing import TYPE_CHECKING

from gateway.errors import AuthorizationServerError, StoreError
from gateway.sessions.session import Grant

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.authorization_server import AuthorizationServer
    from gateway.sessions.session import Tokens
    from gateway.sessions.vault import Vault

_LOGGER = logging.getLogger(__name__)
_AT_ONCE = 4
"""Revocations under way at a time: the authorization server has a rate limit of its own."""
_RETRY_SECONDS = 60.0
_WAITING = 100
"""Revocations in hand at most before the queue is asked for more: one that hangs takes a minute."""


class Revocation:
    """Runs each revocation in a task of its own, which outlives the request that asked for it.

    The store queues every grant that lost its last session, so what fails here, or is cut off by the end of
    the process, is taken up again by `retry`, on whichever replica calls it next.
    """

    def __init__(
        self, authorization_server: AuthorizationServer, vault: Vault, *, clock: Callable[[], float]
    ) -> None:
        self._authorization_server = authorization_server
        self._vault = vault
        self._clock = clock
        self._tasks: set[asyncio.Task[bool]] = set()
        self._places = asyncio.Semaphore(_AT_ONCE)

    def begin(self, grant: Grant) -> asyncio.Task[bool]:
        """Start revoking a queued grant; the task tells whether that was confirmed, and never raises."""
        task = asyncio.create_task(self._revoke(grant))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def begin_unheld(self, tokens: Tokens) -> asyncio.Task[bool]:
        """Start revoking tokens that never had a session: a sign-in failed after the code was exchanged."""
        now = self._clock()
        grant = Grant(
            key=secrets.token_bytes(32),
            issuer=self._authorization_server.name,
            client_id=self._authorization_server.client_id,
            subject="",
            connection_id=None,
            tokens=tokens,
            generation=1,
            created_at=now,
            ends_at=tokens.expires_at,
        )
        return self.begin(grant)

    async def retry(self) -> int:
        """Take up what is due in the queue; returns how many that were. Raises StoreError."""
        now = self._clock()
        room = _WAITING - len(self._tasks)
        if room <= 0:
            return 0
        due = await self._vault.take_revocations(now=now, limit=room, retry_at=now + _RETRY_SECONDS)
        for grant in due:
            self.begin(grant)
        return len(due)

    async def drain(self) -> None:
        """Wait for the revocations under way."""
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _revoke(self, grant: Grant) -> bool:
        async with self._places:
            try:
                confirmed = await self._ask(grant.tokens)
            except AuthorizationServerError as error:
                _LOGGER.warning("tokens could not be revoked: %s", error.code)
                return await self._put_off(grant)
            try:
                await self._vault.settle_revocation(grant)
            except StoreError as error:
                _LOGGER.warning("a revocation will be repeated: %s", error.code)
            return confirmed

    async def _ask(self, tokens: Tokens) -> bool:
        # RFC 7009 §2.1: the first should end the access token too; not all servers do so.
        answers = [
            await self._authorization_server.revoke(token, token_type_hint=hint)
            for token, hint in (
                (tokens.refresh_token, "refresh_token"),
                (tokens.access_token, "access_token"),
            )
            if token is not None
        ]
        return answers[0]

    async def _put_off(self, grant: Grant) -> bool:
        now = self._clock()
        try:
            await self._vault.queue_revocation(grant, due_at=now + _RETRY_SECONDS, now=now)
        except StoreError as error:
            _LOGGER.warning("tokens that nobody uses live on: %s", error.code)
        return False
