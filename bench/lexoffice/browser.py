"""A simulated browser: six connections for all its tabs, a queue before them, and a cache that asks again."""

from __future__ import annotations

import asyncio
import itertools
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.lexoffice.wire import Broken, Connection, WireAnswer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

CONNECTIONS = 6
"""So many has Chromium for one host over HTTP/1.1, over all tabs of an app."""
UNLIMITED = 1000
"""Of a browser that speaks HTTP/2 to a server before the gateway."""
_OK, _NOT_MODIFIED = 200, 304


@dataclass(frozen=True, slots=True)
class Fetched:
    """What the page got: the status that it sees, the JSON's bytes, and how many of them were sent."""

    status: int
    body: bytes
    sent_bytes: int
    sent_at: float
    """When a connection was free for it, by the monotonic clock."""
    answered_at: float


@dataclass(slots=True)
class Browser:
    """One person's browser; its connections go to the ports in turn, as behind a load balancer."""

    ports: Sequence[int]
    fields: Mapping[str, str]
    """What it sends with every call, the cookie above all."""
    connections: int = CONNECTIONS
    first_port: int = 0
    _free: asyncio.Semaphore = field(init=False)
    _idle: list[Connection] = field(default_factory=list)
    _held: list[Connection] = field(default_factory=list)
    _ports: Iterator[int] = field(init=False)
    _stored: dict[str, tuple[str, bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._free = asyncio.Semaphore(self.connections)
        self._ports = itertools.islice(itertools.cycle(self.ports), self.first_port, None)

    async def fetch(self, path: str, fields: Mapping[str, str] | None = None) -> Fetched:
        """Call from a script; waits for one of the connections, first come, first served."""
        etag, stored = self._stored.get(path, ("", b""))
        condition = {"If-None-Match": etag} if etag else {}
        async with self._free:
            sent_at = time.monotonic()
            answer = await self._exchange(path, {**self.fields, **(fields or {}), **condition})
            answered_at = time.monotonic()
        body = bytes(answer.body)
        self._store(path, answer)
        if answer.status == _NOT_MODIFIED and etag:
            return Fetched(200, stored, 0, sent_at, answered_at)
        return Fetched(answer.status, body, len(body), sent_at, answered_at)

    async def hold(self, path: str) -> None:
        """Open a stream of events on one of the connections, and keep it; RuntimeError if there is none."""
        await self._free.acquire()
        connection = await Connection.open(next(self._ports))
        self._held.append(connection)
        status = await connection.listen(path, {**self.fields, "Accept": "text/event-stream"})
        if status != _OK:
            raise RuntimeError(f"{path} answered {status}")

    def close(self) -> None:
        """End all connections."""
        for connection in (*self._idle, *self._held):
            connection.close()

    def _store(self, path: str, answer: WireAnswer) -> None:
        etag = answer.fields.get("etag")
        if answer.status == _OK and etag and "no-store" not in answer.fields.get("cache-control", ""):
            self._stored[path] = (etag, bytes(answer.body))

    async def _exchange(self, path: str, fields: Mapping[str, str]) -> WireAnswer:
        while True:
            connection = self._idle.pop() if self._idle else await Connection.open(next(self._ports))
            was_used = connection.was_used
            try:
                answer = await connection.get(path, fields)
            except Broken as broken:
                if was_used and not broken.begun:  # RFC 9110 §9.2.2: a kept-open one may have been closed
                    continue
                raise
            if connection.is_open:
                self._idle.append(connection)
            return answer
