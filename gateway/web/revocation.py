"""Revokes tokens that nobody will use again, without making anybody wait long for it (RFC 7009)."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from gateway.errors import AuthorizationServerError

if TYPE_CHECKING:
    from gateway.authorization_server import AuthorizationServer

_LOGGER = logging.getLogger(__name__)


class Revocation:
    """Runs each revocation in a task of its own, which outlives the request that asked for it."""

    def __init__(self, authorization_server: AuthorizationServer) -> None:
        self._authorization_server = authorization_server
        self._tasks: set[asyncio.Task[bool]] = set()

    def begin(self, refresh_token: str | None, access_token: str) -> asyncio.Task[bool]:
        """Start revoking; the task tells whether the authorization server confirmed, and never raises."""
        task = asyncio.create_task(self._revoke(refresh_token, access_token))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def drain(self) -> None:
        """Wait for the revocations under way."""
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _revoke(self, refresh_token: str | None, access_token: str) -> bool:
        try:
            # RFC 7009 §2.1: the first should end the access token too; not all servers do so.
            answers = [
                await self._authorization_server.revoke(token, token_type_hint=hint)
                for token, hint in ((refresh_token, "refresh_token"), (access_token, "access_token"))
                if token is not None
            ]
        except AuthorizationServerError as error:
            _LOGGER.warning("tokens could not be revoked: %s", error.code)
            return False
        return answers[0]
