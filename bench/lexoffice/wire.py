"""One kept-open HTTP/1.1 connection of a simulated browser."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httptools

if TYPE_CHECKING:
    from collections.abc import Mapping

_READ_BYTES = 262_144


class Broken(Exception):
    """The connection ended before an answer was whole; `begun` says whether some of it had come."""

    def __init__(self, *, begun: bool) -> None:
        super().__init__("the connection broke in an answer" if begun else "the connection was closed")
        self.begun = begun


@dataclass(slots=True)
class WireAnswer:
    """An answer, filled by the parser; names of fields in lower case."""

    status: int = 0
    fields: dict[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)
    is_whole: bool = False
    is_last: bool = False
    """Whether the connection ends with it."""

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a field."""
        self.fields[name.decode("latin-1").lower()] = value.decode("latin-1")
        self.is_last = self.is_last or (name.lower(), value.lower()) == (b"connection", b"close")

    def on_body(self, piece: bytes) -> None:
        """Take a piece of the body."""
        self.body += piece

    def on_message_complete(self) -> None:
        """Note the end."""
        self.is_whole = True


@dataclass(slots=True)
class Connection:
    """A connection to one port of this machine."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    was_used: bool = False
    is_open: bool = True

    @classmethod
    async def open(cls, port: int) -> Connection:
        """Open one; OSError if nobody listens."""
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def get(self, path: str, fields: Mapping[str, str]) -> WireAnswer:
        """Send a GET and return its whole answer; Broken if there is none."""
        answer = WireAnswer()
        parser = httptools.HttpResponseParser(answer)
        try:
            self._send(path, fields)
            while not answer.is_whole:
                piece = await self.reader.read(_READ_BYTES)
                if not piece:
                    raise Broken(begun=bool(answer.fields))
                parser.feed_data(piece)
        except OSError as error:
            raise Broken(begun=bool(answer.fields)) from error
        finally:
            self.is_open = answer.is_whole and not answer.is_last
            if not self.is_open:
                self.close()
        self.was_used = True
        answer.status = parser.get_status_code()
        return answer

    async def listen(self, path: str, fields: Mapping[str, str]) -> int:
        """Send a GET and return the status of an answer whose body has no end; Broken if there is none."""
        self._send(path, fields)
        try:
            head = await self.reader.readuntil(b"\r\n\r\n")
        except (OSError, asyncio.IncompleteReadError) as error:
            raise Broken(begun=False) from error
        return int(head.split(maxsplit=2)[1])

    def _send(self, path: str, fields: Mapping[str, str]) -> None:
        lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
        self.writer.write("\r\n".join([*lines, "", ""]).encode("latin-1"))

    def close(self) -> None:
        """End it at once."""
        self.is_open = False
        self.writer.transport.abort()
