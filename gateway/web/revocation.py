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
        """Start revoking; the task's result says whether the authorization server confirmed. It never raises."""
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
            if refresh_token is None:
                return await self._authorization_server.revoke(access_token, token_type_hint="access_token")
            # RFC 7009 §2.1: the refresh token's revocation should end the access token too; not all servers do so.
            confirmed = await self._authorization_server.revoke(
                refresh_token, token_type_hint="refresh_token"
            )
            await self._authorization_server.revoke(access_token, token_type_hint="access_token")
        except AuthorizationServerError as error:
            _LOGGER.warning("tokens could not be revoked: %s", error.code)
            return False
        return confirmed
