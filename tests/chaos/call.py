"""One HTTP call on a connection of its own, cheap enough for thousands, and able to leave in the middle."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field
from typing import Any

SECONDS = 60.0
"""A call that takes longer hangs, and counts as status -1."""
Gone = asyncio.Event
"""Once set, the browser of a call has left."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Status 0: the connection was refused or broke; -1: no end within SECONDS."""

    status: int
    body: bytes = field(default=b"", repr=False)
    seconds: float = 0.0

    def document(self) -> dict[str, Any]:
        """Return the body's JSON, {} if it is none."""
        try:
            document: dict[str, Any] = json.loads(self.body)
        except ValueError:
            return {}
        return document


async def call(
    port: int,
    path: str,
    cookie: str = "",
    *,
    method: str = "",
    body: bytes = b"",
    gone: Gone | None = None,
) -> Answer:
    """Send one request to a port of this machine."""
    method = method or ("POST" if body else "GET")
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", "Connection: close"]
    lines += [f"Cookie: {cookie}", "Sec-Fetch-Site: same-origin"] if cookie else []
    lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"] if body else []
    data = "\r\n".join(lines).encode() + b"\r\n\r\n" + body
    started = time.monotonic()
    try:
        async with asyncio.timeout(SECONDS):
            received = await _exchange(port, data, gone)
    except TimeoutError:
        return Answer(-1, seconds=SECONDS)
    except OSError:
        received = b""
    head, _, rest = received.partition(b"\r\n\r\n")
    status = int(head[9:12]) if head.startswith(b"HTTP/1.1 ") else 0
    return Answer(status, rest, time.monotonic() - started)


async def _exchange(port: int, data: bytes, gone: Gone | None) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(data)
        if gone is None:
            return await reader.read(-1)
        await gone.wait()
        return b""
    finally:
        writer.transport.abort()
