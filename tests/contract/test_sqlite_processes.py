"""Several processes on one SQLite file, processes that die, and files that cannot be used."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gateway.sessions.records import HANDED_SECONDS, GrantRecord, SessionRecord
from gateway.sessions.sqlite import SqliteStore
from tests.contract.records import NOW, grant_record, key, session_record, tombstone
from tests.contract.stores import opened

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "sessions.db"


def _start(path: Path, work: str, argument: str = "") -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.contract.sqlite_process", str(path), work, argument],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _output(process: subprocess.Popen[str]) -> str:
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    return output.strip()


async def test_no_update_of_several_processes_is_lost(database: Path) -> None:
    async with opened(SqliteStore(database)) as store:
        await store.add(session_record("a"), grant_record(), replaces=None, now=NOW)
        processes = [_start(database, "count_up", "100") for _ in range(3)]
        for process in processes:
            assert int(_output(process)) >= 0
        grant = await store.read_grant(key("grant"))
        assert isinstance(grant, GrantRecord)
        assert grant.generation == 301


def test_several_processes_create_one_file_and_spend_each_key_once(database: Path) -> None:
    processes = [_start(database, "spend", "200") for _ in range(4)]
    assert sum(int(_output(process)) for process in processes) == 200


@pytest.mark.parametrize("lines", [1, 2, 40, 77, 150])
async def test_a_killed_process_leaves_whatever_it_promised(database: Path, lines: int) -> None:
    process = _start(database, "write_until_killed", "x")
    assert process.stdout is not None
    promised = [process.stdout.readline().split(maxsplit=1) for _ in range(lines)]
    process.kill()
    promised += [line.split(maxsplit=1) for line in process.stdout.read().splitlines()]
    process.communicate()
    # The line that was being written when the process died may be cut short.
    if promised[-1][0] not in {"began", "refreshed", "ended"} or len(promised[-1]) < 2:
        promised.pop()
    async with opened(SqliteStore(database)) as store:
        for what, session in promised[:-1]:
            name = session.strip()
            found = await store.read_session(key(name))
            grant = await store.read_grant(key(name))
            if what == "ended" or found == tombstone(name, "signed_out", NOW):
                assert (found, grant) == (tombstone(name, "signed_out", NOW), None)
            else:
                assert isinstance(found, SessionRecord)
                assert isinstance(grant, GrantRecord)
                assert grant.generation >= (2 if what == "refreshed" else 1)
        queued = await store.take_revocations(now=NOW + HANDED_SECONDS, limit=1000, retry_at=NOW)
        ended = {key(session.strip()) for what, session in promised[:-1] if what == "ended"}
        assert {grant.key for grant in queued} >= ended
        await store.ping()
    connection = sqlite3.connect(database)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert _strays(connection) == (0, 0)
    connection.close()


def _strays(connection: sqlite3.Connection) -> tuple[int, int]:
    """Return how many grants have no session, and how many sessions no grant."""
    grants = connection.execute(
        "SELECT count(*) FROM grants WHERE key NOT IN (SELECT grant_key FROM sessions)"
    )
    sessions = connection.execute(
        "SELECT count(*) FROM sessions WHERE grant_key NOT IN (SELECT key FROM grants)"
    )
    return grants.fetchone()[0], sessions.fetchone()[0]


async def test_a_full_disk_loses_nothing_and_passes(database: Path) -> None:
    kept = int(_output(_start(database, "fill")))
    assert kept > 5
    async with opened(SqliteStore(database)) as store:
        assert await store.count_sessions(NOW) == kept + 1


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """Return a folder that strangers may look into; pytest's own they may not."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)
        Path(name).chmod(0o700)


def _make_read_only(database: Path) -> None:
    database.chmod(0o444)
    database.parent.chmod(0o555)


async def test_a_read_only_file_is_unavailable_and_says_no_path(public_folder: Path) -> None:
    database = public_folder / "sessions.db"
    async with opened(SqliteStore(database)):
        pass
    _make_read_only(database)
    assert _output(_start(database, "open_as_stranger")) == "store_unavailable ''"


async def test_every_process_hears_the_events_of_all(database: Path) -> None:
    async with opened(SqliteStore(database)) as store:
        place = (await store.read_events(None, wait_seconds=0, limit=1)).last
        processes = [_start(database, "append", "50") for _ in range(2)]
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        heard: list[bytes] = []
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("now\n")
            process.stdin.flush()
        while len(heard) < 100:
            batch = await store.read_events(place, wait_seconds=1, limit=1000)
            assert batch.is_whole
            heard += [row for _, row in batch.rows]
            place = batch.last
        assert sorted(heard) == sorted([b"%d" % number for number in range(50)] * 2)
        assert [_output(process) for process in processes] == ["appended"] * 2
