"""What is particular to the SQLite file: its mode, its schema, its locks, its damage."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gateway.errors import StoreUnavailable
from gateway.sessions.sqlite import SqliteStore
from gateway.sessions.sqlite_file import SqliteFile
from tests.contract.records import NOW, grant_record, key, session_record
from tests.contract.stores import opened

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "state" / "sessions.db"


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def test_only_the_owner_may_read_what_is_created(database: Path) -> None:
    before = os.umask(0)
    try:
        async with opened(SqliteStore(database)) as store:
            await store.add(session_record("a"), grant_record(), replaces=None, now=NOW)
            assert _mode(database.parent) == 0o700
            modes = {path.name: _mode(path) for path in database.parent.iterdir()}
    finally:
        os.umask(before)
    assert modes == {"sessions.db": 0o600, "sessions.db-wal": 0o600, "sessions.db-shm": 0o600}


async def test_missing_folders_are_created(tmp_path: Path) -> None:
    async with opened(SqliteStore(tmp_path / "a" / "b" / "sessions.db")) as store:
        await store.ping()


async def test_sessions_survive_a_restart(database: Path) -> None:
    async with opened(SqliteStore(database)) as store:
        await store.add(session_record("a"), grant_record(), replaces=None, now=NOW)
    async with opened(SqliteStore(database)) as store:
        assert await store.read_session(key("a")) == session_record("a")
        assert await store.read_grant(key("grant")) == grant_record()


async def test_the_journal_is_written_ahead(database: Path) -> None:
    async with opened(SqliteStore(database)):
        with closing(sqlite3.connect(database)) as connection:
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


async def test_a_migration_is_applied_once_and_in_order(database: Path) -> None:
    first = ["CREATE TABLE words (word TEXT)"]
    second = ["ALTER TABLE words ADD COLUMN length INTEGER", "INSERT INTO words VALUES ('seven', 5)"]
    for migrations in ([first], [first, second], [first, second]):
        file = SqliteFile(database, migrations, busy_seconds=1)
        await file.open()
        await file.close()
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("SELECT * FROM words").fetchall() == [("seven", 5)]
        assert connection.execute("PRAGMA user_version").fetchone() == (2,)


async def test_a_migration_that_fails_changes_nothing(database: Path) -> None:
    file = SqliteFile(database, [["CREATE TABLE words (word TEXT)", "nonsense"]], busy_seconds=1)
    with pytest.raises(StoreUnavailable):
        await file.open()
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("SELECT count(*) FROM sqlite_schema").fetchone() == (0,)
        assert connection.execute("PRAGMA user_version").fetchone() == (0,)


async def test_a_file_of_a_newer_gateway_is_left_alone(database: Path) -> None:
    async with opened(SqliteStore(database)):
        pass
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreUnavailable, match="newer than this gateway"):
        await SqliteStore(database).open()
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (99,)


async def test_a_failed_open_can_be_tried_again(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("in the way")
    store = SqliteStore(tmp_path / "state" / "sessions.db")
    with pytest.raises(StoreUnavailable):
        await store.open()
    (tmp_path / "state").unlink()
    async with opened(store):
        await store.ping()


def _folder(folder: Path) -> Path:
    (folder / "secret-name").mkdir()
    return folder / "secret-name"


def _under_a_file(folder: Path) -> Path:
    (folder / "secret-name").write_text("")
    return folder / "secret-name" / "sessions.db"


def _where_nothing_can_be_made(_: Path) -> Path:
    return Path("/proc/secret-name/sessions.db")


def _another_format(folder: Path) -> Path:
    (folder / "secret-name").write_bytes(b"not a database " * 1000)
    return folder / "secret-name"


@pytest.mark.parametrize("place", [_folder, _under_a_file, _where_nothing_can_be_made, _another_format])
async def test_a_file_that_cannot_be_used_is_unavailable_and_says_no_path(
    tmp_path: Path, place: Callable[[Path], Path]
) -> None:
    with pytest.raises(StoreUnavailable) as caught:
        await SqliteStore(place(tmp_path)).open()
    assert caught.value.__cause__ is not None
    assert caught.value.retry_after is not None
    assert not caught.value.detail
    assert "secret-name" not in str(caught.value)
    assert "secret-name" not in caught.value.log_detail


def _damage(database: Path) -> None:
    """Overwrite all but the first page."""
    raw = database.read_bytes()
    database.write_bytes(raw[:4096] + b"\xff" * (len(raw) - 4096))


async def test_a_damaged_file_is_unavailable(database: Path) -> None:
    async with opened(SqliteStore(database)) as store:
        await store.add(session_record("a"), grant_record(), replaces=None, now=NOW)
    _damage(database)
    async with opened(SqliteStore(database)) as store:
        with pytest.raises(StoreUnavailable):
            await store.read_session(key("a"))
        with pytest.raises(StoreUnavailable):
            await store.add(session_record("b"), grant_record(), replaces=None, now=NOW)


async def test_a_lock_held_too_long_is_unavailable_and_passes(database: Path) -> None:
    async with opened(SqliteStore(database, busy_seconds=0.02)) as store:
        with closing(sqlite3.connect(database, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreUnavailable, match="SQLITE_BUSY"):
                await store.add(session_record("a"), grant_record(), replaces=None, now=NOW)
            with pytest.raises(StoreUnavailable):
                await store.ping()
            other.execute("ROLLBACK")
        assert await store.read_session(key("a")) is None
        await store.add(session_record("a"), grant_record(), replaces=None, now=NOW)


async def test_all_who_wait_for_a_locked_file_give_up_together(database: Path) -> None:
    async with opened(SqliteStore(database, busy_seconds=0.5)) as store:
        with closing(sqlite3.connect(database, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            begun = time.monotonic()
            writes = [
                store.add(session_record(f"{n}"), grant_record(), replaces=None, now=NOW) for n in range(20)
            ]
            results = await asyncio.gather(*writes, return_exceptions=True)
            taken = time.monotonic() - begun
            other.execute("ROLLBACK")
        assert {type(result) for result in results} == {StoreUnavailable}
        assert 0.45 < taken < 1.5, "not twenty times half a second"
        await store.add(session_record("a"), grant_record(), replaces=None, now=NOW)


async def test_a_write_that_waits_holds_up_no_look_up(database: Path) -> None:
    async with opened(SqliteStore(database, busy_seconds=30)) as store:
        await store.add(session_record("a"), grant_record(), replaces=None, now=NOW)
        with closing(sqlite3.connect(database, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            waiting = asyncio.create_task(store.end_session(key("a"), reason="signed_out", now=NOW))
            await asyncio.sleep(0)
            assert await store.read_session(key("a")) == session_record("a")
            assert not waiting.done()
            other.execute("ROLLBACK")
        assert await waiting == grant_record()


async def test_a_cancelled_write_is_finished(database: Path) -> None:
    async with opened(SqliteStore(database, busy_seconds=30)) as store:
        with closing(sqlite3.connect(database, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            adding = asyncio.create_task(
                store.add(session_record("a"), grant_record(), replaces=None, now=NOW)
            )
            await asyncio.sleep(0)
            adding.cancel()
            with pytest.raises(asyncio.CancelledError):
                await adding
            other.execute("ROLLBACK")
        await store.ping()
        assert await store.read_session(key("a")) == session_record("a")
        assert await store.read_grant(key("grant")) == grant_record()


async def test_close_finishes_what_is_under_way(database: Path) -> None:
    store = SqliteStore(database)
    await store.open()
    adding = asyncio.create_task(store.add(session_record("a"), grant_record(), replaces=None, now=NOW))
    await asyncio.sleep(0)
    await store.close()
    assert await adding is None
    async with opened(SqliteStore(database)) as again:
        assert await again.read_session(key("a")) == session_record("a")


async def test_a_call_during_close_is_refused(database: Path) -> None:
    store = SqliteStore(database)
    await store.open()
    closing_down = asyncio.create_task(store.close())
    await asyncio.sleep(0)
    with pytest.raises(StoreUnavailable):
        await store.read_session(key("a"))
    await closing_down


@pytest.mark.parametrize("lock", ["BEGIN EXCLUSIVE", "BEGIN; SELECT * FROM lines"])
async def test_a_new_file_that_is_locked_for_long_is_unavailable(tmp_path: Path, lock: str) -> None:
    with closing(sqlite3.connect(tmp_path / "sessions.db", isolation_level=None)) as other:
        other.execute("CREATE TABLE lines AS SELECT 1 UNION SELECT 2")
        for statement in lock.split(";"):
            other.execute(statement).fetchone()
        with pytest.raises(StoreUnavailable, match="SQLITE_BUSY"):
            await SqliteStore(tmp_path / "sessions.db", busy_seconds=0.02).open()
        other.execute("ROLLBACK")
    async with opened(SqliteStore(tmp_path / "sessions.db")) as store:
        await store.ping()
