"""A budget's turns as the bytes that stores keep; what lua/turns.lua reads and writes too (PURE)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from gateway.sessions.turn import Entry, Turns, Waiting

if TYPE_CHECKING:
    from collections.abc import Iterable

_TURNS = struct.Struct(">5d")
_ENTRY = struct.Struct(">2d")
_CALLS = struct.Struct(">dbdbdb")


def pack_turns(turns: Turns) -> bytes:
    """Return the value of a budget."""
    head = _TURNS.pack(turns.at, turns.opening, turns.factor, turns.changed_at, turns.count)
    return head + b"".join(_pack_entry(entry) for entry in turns.entries)


def unpack_turns(value: bytes) -> Turns:
    """Return what is kept of a budget."""
    at, opening, factor, changed_at, count = _TURNS.unpack_from(value)
    entries: list[Entry] = []
    position = _TURNS.size
    while position < len(value):
        owner, position = _label(value, position)
        waiting, position = _waiting(value, position)
        rank, until = _ENTRY.unpack_from(value, position)
        position += _ENTRY.size
        entries.append(Entry(owner, waiting, int(rank), until))
    return Turns(at, opening, factor, changed_at, int(count), tuple(entries))


def pack_waiting(waiting: Iterable[Waiting]) -> bytes:
    """Return sessions that wait, with what is known of their calls."""
    return b"".join(bytes([len(session)]) + session + _CALLS.pack(*calls) for session, *calls in waiting)


def unpack_waiting(value: bytes) -> tuple[Waiting, ...]:
    """Return the sessions that wait."""
    waiting: list[Waiting] = []
    position = 0
    while position < len(value):
        row, position = _waiting(value, position)
        waiting.append(row)
    return tuple(waiting)


def _pack_entry(entry: Entry) -> bytes:
    owner = bytes([len(entry.owner)]) + entry.owner
    return owner + pack_waiting([entry.waiting]) + _ENTRY.pack(entry.rank, entry.until)


def _waiting(value: bytes, position: int) -> tuple[Waiting, int]:
    """Return a session that waits, and where it ends."""
    session, position = _label(value, position)
    calls, *rest = _CALLS.unpack_from(value, position)
    return Waiting(session, int(calls), *rest), position + _CALLS.size


def _label(value: bytes, position: int) -> tuple[bytes, int]:
    """Return a label that follows its length, and where it ends."""
    end = position + 1 + value[position]
    return value[position + 1 : end], end
