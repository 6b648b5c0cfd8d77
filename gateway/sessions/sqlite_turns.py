"""Turns in the SQLite store: one transaction each, on the time at which it has the file to itself."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from gateway.sessions.turn import decide_slowdown, decide_turn
from gateway.sessions.turn_records import pack_turns, unpack_turns

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from gateway.sessions.sqlite_file import SqliteFile
    from gateway.sessions.turn import Pace, Turn, Turns, Waiting

_READ = "SELECT state FROM budgets WHERE key = ?"
_WRITE = """INSERT INTO budgets (key, state, forgotten_at) VALUES (?, ?, ?)
    ON CONFLICT (key) DO UPDATE SET state = excluded.state, forgotten_at = excluded.forgotten_at"""


class SqliteTurns:
    """The part of SqliteStore that is about budgets."""

    _file: SqliteFile

    async def take_turn(
        self, key: bytes, *, owner: bytes, waiting: Sequence[Waiting], pace: Pace, now: float
    ) -> Turn:
        """Take a turn; see SessionStore."""
        asked_at = monotonic()

        def work(connection: sqlite3.Connection) -> Turn:
            # A call may have waited for the file: what counts is when it is sent, not when it was asked for.
            then = now + monotonic() - asked_at
            turn, turns = decide_turn(
                _read(connection, key), owner=owner, waiting=waiting, pace=pace, now=then
            )
            _write(connection, key, turns)
            return turn

        return await self._file.write(work)

    async def slow_down(self, key: bytes, *, pace: Pace, now: float) -> None:
        """Slow a budget down; see SessionStore."""
        asked_at = monotonic()

        def work(connection: sqlite3.Connection) -> None:
            then = now + monotonic() - asked_at
            _write(connection, key, decide_slowdown(_read(connection, key), pace=pace, now=then))

        await self._file.write(work)


def _read(connection: sqlite3.Connection, key: bytes) -> Turns | None:
    row = connection.execute(_READ, (key,)).fetchone()
    return None if row is None else unpack_turns(row[0])


def _write(connection: sqlite3.Connection, key: bytes, turns: Turns) -> None:
    connection.execute(_WRITE, (key, pack_turns(turns), turns.idle_at))
