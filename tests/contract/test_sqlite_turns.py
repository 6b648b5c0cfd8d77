"""What is particular to turns in the SQLite file: its time, and a lock that is held too long."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from itertools import count
from typing import TYPE_CHECKING

import pytest

from gateway.errors import StoreUnavailable
from gateway.sessions import sqlite_turns
from gateway.sessions.sqlite import SqliteStore
from gateway.sessions.turn import MARGIN, Pace, Turn, Waiting
from tests.contract.records import NOW, key
from tests.contract.stores import opened

if TYPE_CHECKING:
    from pathlib import Path


async def _ask(store: SqliteStore, now: float = NOW) -> Turn:
    return await store.take_turn(
        key("budget"), owner=b"one", waiting=[Waiting(b"x", 9)], pace=Pace(2, 2), now=now
    )


async def test_a_turn_is_taken_on_the_time_at_which_the_file_was_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = count()
    monkeypatch.setattr(sqlite_turns, "monotonic", lambda: 0.3 * next(ticks))
    async with opened(SqliteStore(tmp_path / "sessions.db")) as store:
        assert isinstance(store, SqliteStore)
        assert (await _ask(store)).reset == pytest.approx(0.5 + MARGIN)
        await _ask(store)
        # Each was had 0.3 s after it was asked for: the third is due 0.6 s after that.
        assert (await _ask(store, NOW + 0.5 + MARGIN - 0.01)).session is None
        assert (await _ask(store, NOW + 0.5 + MARGIN + 0.001)).session == b"x"
        await store.slow_down(key("budget"), pace=Pace(2, 2), now=NOW + 1)
        assert (await _ask(store, NOW + 1)).wait == pytest.approx(1)


async def test_a_lock_held_too_long_is_unavailable_and_passes(tmp_path: Path) -> None:
    database = tmp_path / "sessions.db"
    async with opened(SqliteStore(database, busy_seconds=0.02)) as store:
        assert isinstance(store, SqliteStore)
        with closing(sqlite3.connect(database, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreUnavailable, match="SQLITE_BUSY"):
                await _ask(store)
            with pytest.raises(StoreUnavailable, match="SQLITE_BUSY"):
                await store.slow_down(key("budget"), pace=Pace(2, 2), now=NOW)
            other.execute("ROLLBACK")
        turn = await _ask(store)
        assert (turn.session, turn.remaining, turn.factor) == (b"x", 1, 1)


async def test_turns_outlast_a_restart(tmp_path: Path) -> None:
    for remaining in (1, 0):
        async with opened(SqliteStore(tmp_path / "sessions.db")) as store:
            assert isinstance(store, SqliteStore)
            assert (await _ask(store)).remaining == remaining


async def test_an_idle_budget_leaves_no_row_behind_the_sweep(tmp_path: Path) -> None:
    database = tmp_path / "sessions.db"
    async with opened(SqliteStore(database)) as store:
        assert isinstance(store, SqliteStore)
        await _ask(store)
        with closing(sqlite3.connect(database)) as connection:
            rows = "SELECT count(*) FROM budgets"
            await store.remove_expired(NOW)
            assert connection.execute(rows).fetchone() == (1,)
            await store.remove_expired(NOW + 2)
            assert connection.execute(rows).fetchone() == (0,)
