"""Takes connections from a listener that several processes share: whoever has fewer goes first."""

from __future__ import annotations

import asyncio
import mmap
import os
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

_PLACES = 256
_FREE = -1
_YIELD_SECONDS = 0.002
_AFTER_YIELDING = 4


class ConnectionCounts:
    """How many connections each process has, in memory that all of them map; a place is written by its owner.

    A number that is out of date for a moment makes a distribution uneven, and nothing else.
    """

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._counts = memoryview(mmap.mmap(descriptor, _PLACES * 4)).cast("i")

    @classmethod
    def create(cls) -> Self:
        """Make room for the counts of all processes."""
        descriptor = os.memfd_create("lexgate-connections")
        os.truncate(descriptor, _PLACES * 4)
        counts = cls(descriptor)
        for place in range(_PLACES):
            counts.release(place)
        return counts

    def claim(self) -> int:
        """Return a free place, no longer free."""
        place = self._counts.tolist().index(_FREE)
        self._counts[place] = 0
        return place

    def release(self, place: int) -> None:
        """Free a place: its process takes no more connections."""
        self._counts[place] = _FREE

    def note(self, place: int, connections: int) -> None:
        """Tell the others how many there are."""
        self._counts[place] = connections

    def has_most(self, place: int) -> bool:
        """Tell whether another process has fewer connections."""
        return any(_FREE < count < self._counts[place] for count in self._counts.tolist())


class Acceptor:
    """Accepts on a shared listener; a process with more connections than another lets it go first.

    A process that has just worked wakes up quicker than its neighbours, and would take most of a burst. The
    kernel's own way, a listener for each process (SO_REUSEPORT), resets the connections that wait at one
    which closes, and leaves those alone whose process died.
    """

    def __init__(
        self,
        listening: socket.socket,
        counts: ConnectionCounts,
        place: int,
        *,
        take: Callable[[socket.socket], int],
    ) -> None:
        """Begin to accept; `take` is given each connection and returns how many there are with it."""
        self._listening = listening
        self._counts = counts
        self._place = place
        self._take = take
        self._loop = asyncio.get_running_loop()
        self._yielding: asyncio.TimerHandle | None = None
        self._loop.add_reader(listening, self._on_readable)

    def stop(self) -> None:
        """Accept no more."""
        if self._yielding is not None:
            self._yielding.cancel()
        else:
            self._loop.remove_reader(self._listening)
        self._counts.release(self._place)

    def _on_readable(self) -> None:
        if self._counts.has_most(self._place):
            self._loop.remove_reader(self._listening)
            self._yielding = self._loop.call_later(_YIELD_SECONDS, self._resume)
        else:
            self._accept()

    def _resume(self) -> None:
        self._yielding = None
        self._loop.add_reader(self._listening, self._on_readable)
        for _ in range(_AFTER_YIELDING):  # nobody wanted them
            self._accept()

    def _accept(self) -> None:
        try:
            connection, _address = self._listening.accept()
        except OSError:
            return  # another process was quicker, or the client is gone
        self._counts.note(self._place, self._take(connection))
