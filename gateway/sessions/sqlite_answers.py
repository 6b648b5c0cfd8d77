"""The shared answers of the SQLite store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.sessions.kept_answers import (
    ANSWER_SECONDS,
    ANSWERS_BYTES,
    MARK_SECONDS,
    AnswerClaim,
    Fetching,
    KeptAnswer,
    build_mark,
    decide_answer,
    next_number,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from gateway.sessions.sqlite_file import SqliteFile

_NUMBERS = "SELECT scope, number FROM answer_scopes WHERE place = ?"
_KEPT = "SELECT mark, sealed, expires_at FROM answers WHERE key = ?"
_FETCHING = "SELECT mark, owner, until FROM answer_leases WHERE key = ?"
_FETCH = "INSERT OR REPLACE INTO answer_leases (key, mark, owner, until) VALUES (?, ?, ?, ?)"
_RELEASE = "DELETE FROM answer_leases WHERE key = ? AND owner = ?"
_KEEP = "INSERT OR REPLACE INTO answers (key, mark, sealed, expires_at) VALUES (?, ?, ?, ?)"
_NOTE = "INSERT OR REPLACE INTO answer_scopes (place, scope, number, noted_at) VALUES (?, ?, ?, ?)"
_SURPLUS = """DELETE FROM answers WHERE key IN (SELECT key FROM
    (SELECT key, sum(length(sealed)) OVER (ORDER BY expires_at DESC, key) AS bytes FROM answers)
    WHERE bytes > ?)"""


class SqliteAnswers:
    """The part of SqliteStore that is about shared answers."""

    _file: SqliteFile

    async def claim_answer(
        self,
        place: bytes,
        key: bytes,
        *,
        scopes: Sequence[bytes],
        owner: bytes,
        lease_seconds: float,
        now: float,
    ) -> AnswerClaim:
        """Claim an answer; see SessionStore."""

        def look(connection: sqlite3.Connection) -> AnswerClaim:
            kept, fetching = (connection.execute(query, (key,)).fetchone() for query in (_KEPT, _FETCHING))
            return decide_answer(
                None if kept is None else KeptAnswer(*kept),
                None if fetching is None else Fetching(*fetching),
                mark=_mark(connection, place, scopes),
                owner=owner,
                lease_seconds=lease_seconds,
                now=now,
            )

        def work(connection: sqlite3.Connection) -> AnswerClaim:
            claim = look(connection)
            if claim.outcome == "granted":
                connection.execute(_FETCH, (key, claim.mark, owner, now + lease_seconds))
            return claim

        claim = await self._file.read(look)
        return await self._file.write(work) if claim.outcome == "granted" else claim

    async def keep_answer(
        self,
        place: bytes,
        key: bytes,
        *,
        scopes: Sequence[bytes],
        owner: bytes,
        mark: int,
        sealed: bytes,
        seconds: float,
        now: float,
    ) -> bool:
        """Keep an answer; see SessionStore."""

        def work(connection: sqlite3.Connection) -> bool:
            connection.execute(_RELEASE, (key, owner))
            if _mark(connection, place, scopes) != mark:
                return False
            connection.execute(_KEEP, (key, mark, sealed, now + min(seconds, ANSWER_SECONDS)))
            connection.execute(_SURPLUS, (ANSWERS_BYTES,))
            return True

        return await self._file.write(work)

    async def release_answer(self, place: bytes, key: bytes, *, owner: bytes) -> None:
        """Let go of a claim; see SessionStore."""
        _ = place
        await self._file.write(lambda connection: connection.execute(_RELEASE, (key, owner)).rowcount)

    async def forget_answers(self, place: bytes, scopes: Sequence[bytes], *, now: float) -> None:
        """Forget what depends on any of the scopes; see SessionStore."""

        def work(connection: sqlite3.Connection) -> None:
            numbers: dict[bytes, int] = dict(connection.execute(_NUMBERS, (place,)).fetchall())
            for scope in scopes:
                connection.execute(_NOTE, (place, scope, next_number(numbers.get(scope, 0), now), now))

        await self._file.write(work)


def sweep_answers(connection: sqlite3.Connection, now: float) -> None:
    """Drop what is past its time."""
    connection.execute("DELETE FROM answers WHERE expires_at <= ?", (now,))
    connection.execute("DELETE FROM answer_leases WHERE until <= ?", (now,))
    connection.execute("DELETE FROM answer_scopes WHERE noted_at <= ?", (now - MARK_SECONDS,))


def _mark(connection: sqlite3.Connection, place: bytes, scopes: Sequence[bytes]) -> int:
    return build_mark(scopes, dict(connection.execute(_NUMBERS, (place,)).fetchall()))
