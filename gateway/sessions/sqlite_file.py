"""One SQLite file: who may read it, its schema's version, and the two threads that speak to it."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from gateway.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

_T = TypeVar("_T")
_RETRY_AFTER = 5
_SWITCH_SECONDS = 0.01


def _unavailable(exc: Exception) -> StoreUnavailable:
    """Translate: SQLite's name for the error is for the log, the path in an OSError's text for nobody."""
    name = getattr(exc, "sqlite_errorname", type(exc).__name__)
    return StoreUnavailable(log_detail=f"the SQLite store failed: {name}", retry_after=_RETRY_AFTER)


class _Connection:
    """A connection and the only thread that uses it, so that no event loop waits for a disk or a lock."""

    def __init__(self) -> None:
        self._thread: ThreadPoolExecutor | None = None
        self._connection: sqlite3.Connection | None = None

    async def open(self, connect: Callable[[], sqlite3.Connection]) -> None:
        def keep() -> None:
            self._connection = connect()

        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sqlite")
        await self._finish(keep)

    async def run(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        def perform() -> _T:
            if self._connection is None:
                raise StoreUnavailable(log_detail="the SQLite store is closed")
            return work(self._connection)

        return await self._finish(perform)

    async def close(self) -> None:
        def let_go() -> None:
            connection, self._connection = self._connection, None
            if connection is not None:
                connection.close()

        if self._thread is not None:
            await self._finish(let_go)
            self._thread.shutdown(wait=False)
            self._thread = None

    async def _finish(self, work: Callable[[], _T]) -> _T:
        """Do `work` on the thread, to its end even if the caller is cancelled meanwhile."""
        if self._thread is None:
            raise StoreUnavailable(log_detail="the SQLite store is closed")
        try:
            return await asyncio.shield(asyncio.get_running_loop().run_in_executor(self._thread, work))
        except (sqlite3.Error, OSError) as exc:
            raise _unavailable(exc) from exc


class SqliteFile:
    """A database in WAL mode that several processes may share.

    Reads have a connection of their own: in WAL mode they wait for no writer, so a write that waits for
    another process's lock (up to `busy_seconds`) holds up no look-up. `migrations` are the schema, each a
    list of statements that is applied once and in order; `PRAGMA user_version` counts them.
    """

    def __init__(self, path: Path, migrations: Sequence[Sequence[str]], *, busy_seconds: float) -> None:
        self._path = path
        self._migrations = migrations
        self._busy_seconds = busy_seconds
        self._writer = _Connection()
        self._reader = _Connection()

    async def open(self) -> None:
        """Create or migrate the file; StoreUnavailable if that fails or a newer gateway wrote it."""
        try:
            await self._writer.open(self._prepare)
            await self._reader.open(self._connect)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Finish what is under way, and close."""
        await self._reader.close()
        await self._writer.close()

    async def read(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        """Return what `work` reads."""
        return await self._reader.run(work)

    async def write(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        """Return what `work` returns, its changes committed; none are made if it raises.

        The time in the queue counts: if the file stays locked, all who wait learn so `busy_seconds` after
        they came, and not one after the other.
        """
        deadline = time.monotonic() + self._busy_seconds

        def transact(connection: sqlite3.Connection) -> _T:
            left = max(0, round(1000 * (deadline - time.monotonic())))
            connection.execute(f"PRAGMA busy_timeout = {left}")
            return _transact(connection, work)

        return await self._writer.run(transact)

    def _prepare(self) -> sqlite3.Connection:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # SQLite gives the files beside it (-wal, -shm) the mode of this one.
        with suppress(FileExistsError):
            os.close(os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        connection = self._connect()
        try:
            self._use_wal(connection)
            _transact(connection, self._migrate)
        except BaseException:
            connection.close()
            raise
        return connection

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=self._busy_seconds, isolation_level=None)
        try:
            connection.execute("PRAGMA synchronous = NORMAL")
        except BaseException:
            connection.close()
            raise
        return connection

    def _use_wal(self, connection: sqlite3.Connection) -> None:
        # This switch alone does not wait for its lock: of two processes that make the file, one would fail.
        deadline = time.monotonic() + self._busy_seconds
        while True:
            try:
                connection.execute("PRAGMA journal_mode = WAL").fetchall()
            except sqlite3.OperationalError as exc:
                if exc.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
                time.sleep(_SWITCH_SECONDS)
            else:
                return

    def _migrate(self, connection: sqlite3.Connection) -> None:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > len(self._migrations):
            raise StoreUnavailable(
                log_detail=f"the SQLite store has schema {version}, newer than this gateway"
            )
        for statements in self._migrations[version:]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(self._migrations)}")


def _transact(connection: sqlite3.Connection, work: Callable[[sqlite3.Connection], _T]) -> _T:
    connection.execute("BEGIN IMMEDIATE")
    try:
        result = work(connection)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return result
