"""One answer of the resource server on its way to several browsers, each at its own pace.

The fastest reader sets the pace at which the resource server is read. What a slower one has not read yet is
kept for it, up to BEHIND_BYTES: one that falls further behind is broken off, and holds nobody up. A session
may keep its own browsers waiting for SESSION_BYTES in the sum: else slow ones could fill the memory.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from gateway.proxy.answer_reader import Reader
from gateway.proxy.upstream_answer import HIGH_WATER_BYTES

if TYPE_CHECKING:
    from collections.abc import Sequence

BEHIND_BYTES = 8 * 1024 * 1024
"""What is kept for a reader that is slower than another one."""
SESSION_BYTES = 16 * 1024 * 1024
"""What is kept for all answers that one session has asked for."""
JOINABLE_BYTES = HIGH_WATER_BYTES
"""As long as no more than this has come, the beginning is kept for whoever joins later."""


class Keeping:
    """How many bytes are kept just now for the readers of one session's answers."""

    __slots__ = ("__weakref__", "size")

    def __init__(self) -> None:
        self.size = 0


class SharedAnswer:
    """Fed by who asked, by `begin`, `feed` and `finish` or `fail`; read by whoever joined.

    `keeps` is a number of bytes up to which everything is read at once and kept, whoever reads.
    """

    __slots__ = (
        "_dropped",
        "_keeping",
        "_pieces",
        "_pump",
        "_total",
        "error",
        "headers",
        "is_whole",
        "keeps",
        "length",
        "method",
        "readers",
        "status",
    )

    def __init__(self, method: str = "GET", keeping: Keeping | None = None) -> None:
        self.method = method
        self._keeping = Keeping() if keeping is None else keeping
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.length: int | None = None
        self.is_whole = False
        self.error: Exception | None = None
        self.keeps = 0
        self.readers: set[Reader] = set()
        self._pieces: list[bytes] = []
        self._dropped = 0
        self._total = 0
        self._pump: asyncio.Future[None] | None = None

    @property
    def is_joinable(self) -> bool:
        """Whether nothing is missing for who joins now."""
        return not self._dropped and self.error is None

    @property
    def kept_bytes(self) -> int:
        """How much is kept just now."""
        return sum(map(len, self._pieces))

    def join(self) -> Reader:
        """Return a reader, who must `release` it."""
        reader = Reader(self)
        self.readers.add(reader)
        return reader

    def begin(self, status: int, headers: Sequence[tuple[bytes, bytes]], length: int | None) -> None:
        """Let the head be seen."""
        self.headers, self.length = list(headers), length
        self.status = status

    def feed(self, piece: bytes) -> None:
        """Hand a piece of the body to the readers; those that are too far behind are broken off."""
        self._pieces.append(piece)
        self._total += len(piece)
        self._keeping.size += len(piece)
        self._break_off()
        self._drop_taken()
        self.wake()

    def finish(self) -> None:
        """Say that the body is whole."""
        self.is_whole = True
        self._drop_taken()
        self.wake()

    def fail(self, error: Exception) -> None:
        """Break it off: the readers get what there is, then the error."""
        if not self.is_whole and self.error is None:
            self.error = error
        self._drop_taken()
        self.wake()

    def wake(self) -> None:
        """Let every reader look at what there is."""
        for reader in self.readers:
            reader.wake()

    def read_kept(self) -> bytes:
        """Return the whole body, of which nothing may have been dropped."""
        return b"".join(self._pieces)

    async def wait_for_room(self) -> None:
        """Wait until the fastest reader has almost caught up, or less than `keeps` bytes have come."""
        while not self._has_room():
            self._pump = asyncio.get_running_loop().create_future()
            try:
                await self._pump
            finally:
                self._pump = None

    def piece_at(self, place: int) -> bytes | None:
        """Return a piece by its number, or None if it has not come."""
        place -= self._dropped
        return self._pieces[place] if place < len(self._pieces) else None

    def was_read(self) -> None:
        """Take note of what a reader has read, or of its leaving."""
        self._drop_taken()
        if self._pump is not None and not self._pump.done() and self._has_room():
            self._pump.set_result(None)

    def _has_room(self) -> bool:
        fastest = max((reader.taken for reader in self._following()), default=self._total)
        return self._total <= self.keeps or self._total - fastest <= HIGH_WATER_BYTES

    def _following(self) -> list[Reader]:
        return [reader for reader in self.readers if not reader.is_broken_off]

    def _break_off(self) -> None:
        """Let go of those for whom too much is kept; the fastest, for whom the others wait, never is."""
        is_full = self._keeping.size > SESSION_BYTES and self._total > self.keeps
        allowed = HIGH_WATER_BYTES if is_full else BEHIND_BYTES
        fastest = max((reader.taken for reader in self.readers), default=0)
        for reader in self.readers:
            if reader.taken < fastest and self._total - reader.taken > allowed:
                reader.is_broken_off = True

    def _drop_taken(self) -> None:
        is_over = self.is_whole or self.error is not None
        if self._total <= max(JOINABLE_BYTES, self.keeps) and not (is_over and not self.readers):
            return
        first = min((reader.place for reader in self._following()), default=self._dropped + len(self._pieces))
        if first > self._dropped:
            taken = self._pieces[: first - self._dropped]
            self._keeping.size -= sum(map(len, taken))
            del self._pieces[: len(taken)]
            self._dropped = first
