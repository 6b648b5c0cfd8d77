"""What an authorization server publishes of itself: its metadata and its keys, kept while they are good."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from gateway.errors import AuthorizationServerError, AuthorizationServerUnreachable, MetadataInvalid
from gateway.oauth.metadata import build_metadata_url, parse_metadata

if TYPE_CHECKING:
    from collections.abc import Callable

    from joserfc.jwk import KeySet

    from gateway.authorization_server.connection import Connection
    from gateway.oauth.metadata import ServerMetadata

_LOGGER = logging.getLogger(__name__)

_METADATA_SECONDS = 3600.0
_KEYS_SECONDS = 60.0
"""An unknown `kid` fetches the key set at most this often: no stranger can make it a hammer."""
_HTTP_OK = 200


class Published:
    """Fixed metadata, or those of an issuer's discovery; one fetch at a time."""

    def __init__(
        self,
        *,
        issuer: str | None,
        metadata: ServerMetadata | None,
        connection: Connection,
        clock: Callable[[], float],
    ) -> None:
        self._issuer = issuer or ""
        self._metadata = metadata
        self._metadata_until = float("inf") if metadata else 0.0
        self._connection = connection
        self._clock = clock
        self._keys: KeySet | None = None
        self._keys_fetched_at = float("-inf")
        self._fetching = asyncio.Lock()
        self._discovery: asyncio.Task[ServerMetadata] | None = None

    async def metadata(self) -> ServerMetadata:
        """Return the metadata, fetched at most once an hour; known ones serve on while the fetch fails."""
        if self._metadata is not None and self._clock() < self._metadata_until:
            return self._metadata
        # One fetch for all who wait: where discovery hangs, they do not wait one after the other.
        if self._discovery is None:
            self._discovery = asyncio.create_task(self._discover())
            self._discovery.add_done_callback(self._discovered)
        return await asyncio.shield(self._discovery)

    async def keys(self, *, refetch: bool = False) -> KeySet:
        """Return the key set; with `refetch` a new one, unless it was fetched within the last minute."""
        from gateway.oauth.id_token import parse_key_set  # noqa: PLC0415 - joserfc is slow to import

        metadata = await self.metadata()
        async with self._fetching:
            due = self._clock() - self._keys_fetched_at >= _KEYS_SECONDS
            if self._keys is not None and not (refetch and due):
                return self._keys
            if metadata.jwks_uri is None:
                raise MetadataInvalid(log_detail="the metadata name no jwks_uri")
            self._keys = parse_key_set(await self._fetch(metadata.jwks_uri, "jwks_uri"))
            self._keys_fetched_at = self._clock()
            return self._keys

    async def _discover(self) -> ServerMetadata:
        try:
            body = await self._fetch(build_metadata_url(self._issuer), "discovery")
            self._metadata = parse_metadata(body, self._issuer)
        except AuthorizationServerError as error:
            if self._metadata is None:
                raise
            _LOGGER.warning("known metadata serve on: %s", error)
            self._metadata_until = self._clock() + _KEYS_SECONDS
        else:
            self._metadata_until = self._clock() + _METADATA_SECONDS
        return self._metadata

    def _discovered(self, task: asyncio.Task[ServerMetadata]) -> None:
        self._discovery = None
        if not task.cancelled():
            task.exception()  # told to whoever still waits; nobody may

    async def _fetch(self, url: str, what: str) -> bytes:
        answer = await self._connection.get(url)
        if answer.status != _HTTP_OK:
            raise AuthorizationServerUnreachable(log_detail=f"{what} answered {answer.status}", retry_after=5)
        return answer.body
