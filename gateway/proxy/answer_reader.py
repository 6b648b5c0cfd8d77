"""One browser's view of an answer that several read: what it has read of it, and what is left."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from gateway.proxy.upstream_answer import broken

if TYPE_CHECKING:
    from gateway.proxy.shared_answer import SharedAnswer


class Reader:
    """One browser's view of a SharedAnswer, with the reading interface of an UpstreamAnswer."""

    __slots__ = ("_shared", "_waiter", "is_broken_off", "place", "taken")

    def __init__(self, shared: SharedAnswer) -> None:
        self._shared = shared
        self._waiter: asyncio.Future[None] | None = None
        self.place = 0
        """The number of the piece to read next."""
        self.taken = 0
        """How many bytes were read."""
        self.is_broken_off = False

    @property
    def method(self) -> str:
        """As it was asked."""
        return self._shared.method

    @property
    def status(self) -> int:
        """0 until the head is there."""
        return self._shared.status

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """With lower-case names."""
        return self._shared.headers

    @property
    def length(self) -> int | None:
        """Of the body, where the head states it."""
        return self._shared.length

    @property
    def is_whole(self) -> bool:
        """Whether all that is left can be read at once."""
        return self._shared.is_whole and not self.is_broken_off

    async def read(self) -> bytes:
        """Return the next piece of the body, b"" at its end; raises what broke it off."""
        shared = self._shared
        while True:
            if self.is_broken_off:
                raise broken("read too slowly for an answer that others read as well")
            piece = shared.piece_at(self.place)
            if piece is not None:
                self._take(1, len(piece))
                return piece
            if shared.error is not None:
                raise shared.error
            if shared.is_whole:
                return b""
            await self.wait()

    def read_whole(self) -> bytes:
        """Return what there is of the body that was not read yet."""
        pieces: list[bytes] = []
        while (piece := self._shared.piece_at(self.place + len(pieces))) is not None:
            pieces.append(piece)
        body = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        self._take(len(pieces), len(body))
        return body

    def release(self) -> None:
        """Read no more; a second call does nothing."""
        if self in self._shared.readers:
            self._shared.readers.discard(self)
            self._shared.was_read()

    async def wait(self) -> None:
        """Wait until there is something to look at."""
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def wake(self) -> None:
        """Let the reader look."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _take(self, pieces: int, size: int) -> None:
        self.place += pieces
        self.taken += size
        self._shared.was_read()
