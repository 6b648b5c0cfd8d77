"""What supervisor and worker say to each other, on a pair of sockets that nobody else has.

The supervisor sends the settings, pickled, and then messages in JSON; the worker sends messages in JSON:

    to the worker                                     to the supervisor
    {"ask": "readiness", "id": 1}                     {"id": 1, "answer": null or a code}
    {"ask": "metrics", "id": 2, "shared": true}       {"id": 2, "answer": a Snapshot}
    {"ask": "end"}                                    {"is": "ready"}
                                                      {"is": "failed", "why": "a line for the operator"}
                                                      {"is": "ending", "metrics": its last Snapshot}

Each is preceded by its length in four bytes. A worker whose supervisor is gone reads the end of the stream,
and ends as if it were asked to.
"""

from __future__ import annotations

import asyncio
import json
import pickle
import struct
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    import socket

    from gateway.settings import Settings

_LENGTH = struct.Struct("!I")


class Channel:
    """One end; reading returns None once the other process is gone."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, end: socket.socket) -> Self:
        """Take one end of the pair."""
        return cls(*await asyncio.open_unix_connection(sock=end))

    def send_settings(self, settings: Settings) -> None:
        """Hand the settings over."""
        self._send(pickle.dumps(settings))

    async def receive_settings(self) -> Settings | None:
        """Return the settings: the first thing that a worker is told."""
        payload = await self._receive()
        return None if payload is None else pickle.loads(payload)  # noqa: S301 - from the supervisor alone

    def send(self, message: dict[str, Any]) -> None:
        """Send a message; one to a process that is gone is lost."""
        self._send(json.dumps(message).encode())

    async def receive(self) -> dict[str, Any] | None:
        """Return the next message."""
        payload = await self._receive()
        return None if payload is None else json.loads(payload)

    async def close(self) -> None:
        """Send what was written, and close."""
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except OSError:
            return

    def _send(self, payload: bytes) -> None:
        if not self._writer.is_closing():
            self._writer.write(_LENGTH.pack(len(payload)) + payload)

    async def _receive(self) -> bytes | None:
        try:
            (length,) = _LENGTH.unpack(await self._reader.readexactly(_LENGTH.size))
            return await self._reader.readexactly(length)
        except (asyncio.IncompleteReadError, OSError):
            return None
