"""The body of a browser's request: kept if it is small, so that it can be sent again, streamed if not."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from gateway.errors import BodyTooLarge

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine

    from starlette.types import Receive

REPLAYABLE_BYTES = 65_536


class BrowserLeftError(Exception):
    """The browser closed the connection before its request was whole; there is nobody to answer."""


class RequestBody:
    """Reads from ASGI `receive`; BodyTooLarge as soon as more than `limit` bytes are seen or stated."""

    def __init__(self, receive: Receive, *, content_length: int | None, limit: int) -> None:
        if content_length is not None and content_length > limit:
            raise BodyTooLarge(f"At most {limit} bytes are accepted.")
        self.is_stated_small = content_length is not None and content_length <= REPLAYABLE_BYTES
        """Whether it is known before the first byte that it can be sent again."""
        self._receive = receive
        self._limit = limit
        self._seen = 0
        self._kept = bytearray()
        self._is_whole = False
        self._whole = asyncio.Event()
        self._streamed = False

    async def read_ahead(self) -> None:
        """Read until the body is whole or too large to keep; call once, before the first sending."""
        while not self._is_whole and len(self._kept) <= REPLAYABLE_BYTES:
            self._kept += await self._read()

    @property
    def is_replayable(self) -> bool:
        """Whether the body can be sent (again)."""
        return self._is_whole and not self._streamed

    def content(self) -> bytes | AsyncIterator[bytes] | None:
        """Return what to send: None for no body, bytes for a kept one, else a stream that serves once."""
        if self.is_replayable:
            return bytes(self._kept) or None
        return self._stream()

    async def left(self) -> None:
        """Return once the body is whole and the browser has left."""
        await self._whole.wait()
        while (await self._receive())["type"] != "http.disconnect":
            pass

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
        if self._is_whole:
            self._whole.set()
        self._seen += len(chunk)
        if self._seen > self._limit:
            raise BodyTooLarge(f"At most {self._limit} bytes are accepted.")
        return chunk


async def run_until_left(work: Coroutine[Any, Any, None], body: RequestBody) -> None:
    """Run the call; end it when the browser leaves, for then nobody waits for the answer."""
    call = asyncio.ensure_future(work)
    watch = asyncio.ensure_future(body.left())
    try:
        await asyncio.wait({call, watch}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        ended = [task for task in (call, watch) if not task.done()]
        for task in ended:
            task.cancel()
        await asyncio.gather(*ended, return_exceptions=True)
    if not call.cancelled():
        call.result()
