"""One answer of a resource server, as it comes."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Protocol

from gateway.errors import ResourceServerBroken

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.proxy.connection import Connection


class AnsweredHead(Protocol):
    """The head of an answer, `headers` with lower-case names, and how it was asked for."""

    @property
    def method(self) -> str:
        """As it was asked."""
        ...

    @property
    def status(self) -> int:
        """Of 200 and above, once it is there."""
        ...

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """In their order."""
        ...


class ReadableAnswer(AnsweredHead, Protocol):
    """An answer as whoever passes it on reads it; see UpstreamAnswer."""

    @property
    def is_whole(self) -> bool:
        """Whether all that is left can be read at once."""
        ...

    async def read(self) -> bytes:
        """Return the next piece, b"" at the end."""
        ...

    def read_whole(self) -> bytes:
        """Return what there is."""
        ...

    def release(self) -> None:
        """Read no more."""
        ...


HIGH_WATER_BYTES = 256 * 1024
"""What may wait for a slow browser before the resource server is left waiting in its turn."""


class UpstreamAnswer:
    """Filled by a Connection, emptied by whoever asked, who must `release` it in any case.

    `status` is 0 until the head is there; `headers` have lower-case names; `error` is what broke it off;
    `is_sent` says whether the request has left whole: the answer may be faster than a large body.
    """

    __slots__ = (
        "_connection",
        "_held",
        "_pieces",
        "_upload",
        "_waiter",
        "error",
        "headers",
        "is_begun",
        "is_sent",
        "is_whole",
        "length",
        "listener",
        "method",
        "status",
        "when_released",
    )

    def __init__(self, connection: Connection, method: str) -> None:
        self.method = method
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.length: int | None = None
        """Of the body, where the head states it."""
        self.is_begun = False
        self.is_sent = True
        self.is_whole = False
        self.error: Exception | None = None
        self.listener: Callable[[], None] | None = None
        self.when_released: Callable[[], None] | None = None
        """Called once, when nobody needs the answer any more."""
        self._connection: Connection | None = connection
        self._pieces: deque[bytes] = deque()
        self._held = 0
        self._waiter: asyncio.Future[None] | None = None
        self._upload: asyncio.Task[None] | None = None

    async def head(self) -> None:
        """Wait for status and headers; raises what broke the answer off before."""
        while not self.status:
            if self.error is not None:
                raise self.error
            await self._wait()

    async def read(self) -> bytes:
        """Return the next piece of the body as it came, b"" at its end; raises what broke it off."""
        while not self._pieces:
            if self.error is not None:
                raise self.error
            if self.is_whole:
                return b""
            await self._wait()
        piece = self._pieces.popleft()
        self._held -= len(piece)
        if self._held <= HIGH_WATER_BYTES and self._connection is not None:
            self._connection.resume_reading()
        return piece

    def read_whole(self) -> bytes:
        """Return what there is of the body, and all of it if `is_whole`."""
        pieces = self._pieces
        body = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        pieces.clear()
        self._held = 0
        return body

    async def peek_whole(self, *, most: int) -> bytes:
        """Wait for a body of up to `most` bytes, and leave it to be read; b"" for any other."""
        while not self.is_whole and self.error is None and self._held <= most:
            await self._wait()
        return b"".join(self._pieces) if self.is_whole and self._held <= most else b""

    def feed(self, piece: bytes) -> bool:
        """Take a piece of the body; True if that is enough for now."""
        self._pieces.append(piece)
        self._held += len(piece)
        return self._held > HIGH_WATER_BYTES

    def fail(self, error: Exception) -> None:
        """Break the answer off; the first cause counts, and none does once it is whole."""
        if not self.is_whole and self.error is None:
            self.error = error
        self.wake()

    def wake(self) -> None:
        """Tell whoever waits that something came: the `listener` at once, if there is one."""
        if self.listener is not None:
            self.listener()
            return
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def goes_with(self, upload: asyncio.Task[None]) -> None:
        """Let the answer end the upload when it is released."""
        self.is_sent = False
        self._upload = upload

    def release(self) -> None:
        """Give the connection back if it can serve again, else close it; a second call does nothing."""
        connection, self._connection = self._connection, None
        when_released, self.when_released = self.when_released, None
        if when_released is not None:
            when_released()
        if connection is None:
            return
        if self._upload is not None:
            self._upload.cancel()
        connection.leave(self, may_serve_again=self.is_sent)

    async def _wait(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None


def broken(detail: str) -> ResourceServerBroken:
    """Build the error of an answer that came to a bad end; `detail` is for the log, and quotes nothing."""
    return ResourceServerBroken(log_detail=detail)
