"""The body of a browser's request: kept if it is small, so that it can be sent again, streamed if not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.errors import BodyTooLarge

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.types import Receive

REPLAYABLE_BYTES = 65_536


class BrowserLeftError(Exception):
    """The browser closed the connection before its request was whole; there is nobody to answer."""


class RequestBody:
    """Reads from ASGI `receive`; BodyTooLarge as soon as more than `limit` bytes are seen or stated."""

    def __init__(self, receive: Receive, *, content_length: int | None, limit: int) -> None:
        if content_length is not None and content_length > limit:
            raise BodyTooLarge(f"At most {limit} bytes are accepted.")
        self.content_length = content_length
        """As the browser stated it; None for a chunked body."""
        self.is_stated_small = content_length is not None and content_length <= REPLAYABLE_BYTES
        """Whether it is known before the first byte that it can be sent again."""
        self._receive = receive
        self._limit = limit
        self._seen = 0
        self._kept = bytearray()
        self._is_whole = content_length == 0
        self._streamed = False

    async def read_ahead(self) -> None:
        """Read until the body is whole or too large to keep; call once, before the first sending."""
        while not self._is_whole and len(self._kept) <= REPLAYABLE_BYTES:
            self._kept += await self._read()

    @property
    def is_replayable(self) -> bool:
        """Whether the body can be sent (again)."""
        return self._is_whole and not self._streamed

    def content(self) -> bytes | AsyncIterator[bytes]:
        """Return what to send: bytes for a kept body, else a stream that serves once."""
        return bytes(self._kept) if self.is_replayable else self._stream()

    async def _stream(self) -> AsyncIterator[bytes]:
        self._streamed = True
        head = bytes(self._kept)
        self._kept.clear()
        yield head
        while not self._is_whole:
            chunk = await self._read()
            if chunk:
                yield chunk

    async def _read(self) -> bytes:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            raise BrowserLeftError
        chunk: bytes = message.get("body", b"")
        self._is_whole = not message.get("more_body", False)
        self._seen += len(chunk)
        if self._seen > self._limit:
            raise BodyTooLarge(f"At most {self._limit} bytes are accepted.")
        return chunk
