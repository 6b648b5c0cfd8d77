"""Bodies of files in a content coding: made when first asked for, kept while the file stays as it is."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread

from gateway.browser.content_coding import Coding
from gateway.web.compression import compress

if TYPE_CHECKING:
    from collections.abc import Callable

    Prepare = Callable[[str, bytes], bytes]
    Key = tuple[str, Coding]
    Version = tuple[int, int, int]

LARGEST_FILE = 8 * 1_048_576
"""What is larger is sent as it is, unless its build has compressed it."""
MOST_BYTES = 32 * 1_048_576
_ENTRY_BYTES = 512


@dataclass(frozen=True, slots=True)
class Body:
    """The bytes of one representation; strong, for it is the hash of what is sent (RFC 9110 §8.8.3)."""

    data: bytes
    etag: str


class CodedBodies:
    """The bodies that were asked for last, together no more than `most_bytes`.

    `prepare` is given a path and what stands there, and returns what is to be sent instead.
    """

    def __init__(self, *, prepare: Prepare | None = None, most_bytes: int = MOST_BYTES) -> None:
        self._prepare = prepare
        self._most_bytes = most_bytes
        self._kept: OrderedDict[Key, tuple[Version, Body | None]] = OrderedDict()
        self._kept_bytes = 0
        self._making: dict[tuple[Key, Version], asyncio.Task[Body | None]] = {}
        self._turn = anyio.CapacityLimiter(1)  # one core at the most; the calls of the API need the other

    def look(self, path: str, stat: os.stat_result, coding: Coding) -> Body | None:
        """Return what is kept for the file as it is now."""
        kept = self._kept.get((path, coding))
        if kept is None or kept[0] != version_of(stat):
            return None
        self._kept.move_to_end((path, coding))
        return kept[1]

    async def make(self, path: str, stat: os.stat_result, coding: Coding) -> Body | None:
        """Return the body in this coding; None where it is no smaller, too large, or has just changed."""
        key, version = (path, coding), version_of(stat)
        kept = self._kept.get(key)
        if kept is not None and kept[0] == version:
            return self.look(path, stat, coding)
        if stat.st_size > LARGEST_FILE:
            return None
        flight = (key, version)
        task = self._making.get(flight)
        if task is None:
            # Of nobody's request: who asked first may leave, and the others wait for the same.
            task = self._making[flight] = asyncio.create_task(self._make(key, version))
            task.add_done_callback(lambda _: self._making.pop(flight, None))
        return await asyncio.shield(task)

    async def _make(self, key: Key, version: Version) -> Body | None:
        path, coding = key
        # Read in the same turn: else all that wait for it are in memory with their files.
        read, body = await anyio.to_thread.run_sync(self._code, path, version, coding, limiter=self._turn)
        if read:
            self._keep(key, version, body)
        return body

    def _code(self, path: str, version: Version, coding: Coding) -> tuple[bool, Body | None]:
        """Return whether the file was there in this version, and its body unless that is no smaller."""
        source = _read(path, version)
        if source is None:
            return False, None
        if self._prepare is not None:
            source = self._prepare(path, source)
        data = compress(source, coding)
        if coding is not Coding.IDENTITY and len(data) >= len(source):
            return True, None
        return True, _tag(data)

    def _keep(self, key: Key, version: Version, body: Body | None) -> None:
        replaced = self._kept.pop(key, None)
        self._kept_bytes += _weight(body) - (_weight(replaced[1]) if replaced else 0)
        self._kept[key] = version, body
        while self._kept_bytes > self._most_bytes:
            _, (_, oldest) = self._kept.popitem(last=False)
            self._kept_bytes -= _weight(oldest)


def version_of(stat: os.stat_result) -> Version:
    """Return by what a file is told from the one that stood there before.

    A copy may bring its time along (`cp -p`, a reproducible build): the last one is the kernel's alone.
    """
    return stat.st_mtime_ns, stat.st_size, stat.st_ctime_ns


def build_body(source: bytes, coding: Coding) -> Body:
    """Return the bytes in this coding, whatever it comes to."""
    return _tag(compress(source, coding))


def _tag(data: bytes) -> Body:
    return Body(data, f'"{hashlib.sha256(data).hexdigest()[:32]}"')


def _weight(body: Body | None) -> int:
    return _ENTRY_BYTES + (len(body.data) if body else 0)


def _read(path: str, version: Version) -> bytes | None:
    """Read the file, unless it is another by now: its bytes must not be kept under the version before."""
    try:
        with Path(path).open("rb") as file:
            source = file.read()
            return source if version_of(os.fstat(file.fileno())) == version else None
    except OSError:
        return None
