"""A file that a gateway of schema 1 wrote is migrated, and nobody in it is signed out.

schema_1.sql is the dump of such a file: "alone", "shared one" and "shared other" live, "ended" does not.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gateway.sessions.keyring import Keyring
from gateway.sessions.session import Session, build_session_key
from gateway.sessions.sqlite import SqliteStore
from gateway.sessions.sqlite_schema import MIGRATIONS
from gateway.sessions.vault import Ended, Vault
from tests.contract.stores import opened

if TYPE_CHECKING:
    from gateway.sessions.store import SessionStore

BEGAN = 1_800_000_000.0
SECRET = "the old secret, which is thirty-two bytes long"


@pytest.fixture
def database(tmp_path: Path) -> Path:
    database = tmp_path / "sessions.db"
    with closing(sqlite3.connect(database)) as connection:
        connection.executescript((Path(__file__).parent / "schema_1.sql").read_text())
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    return database


def _vault(store: SessionStore) -> Vault:
    return Vault(store, Keyring([SECRET]), idle_seconds=1800, max_seconds=36000)


async def _session(vault: Vault, session_id: str) -> Session:
    found = await vault.read(build_session_key(session_id), now=BEGAN + 90)
    assert isinstance(found, Session)
    return found


async def test_the_sessions_of_schema_1_live_on(database: Path) -> None:
    async with opened(SqliteStore(database)) as store:
        vault = _vault(store)
        for session_id in ("alone", "shared one", "shared other"):
            session = await _session(vault, session_id)
            assert (session.subject, session.device, session.sid) == ("Ada", "", None)
            active = await vault.keep_alive(session, now=BEGAN + 180)
            assert await vault.read(session.key, now=BEGAN + 180) == active
            grant = await vault.read_grant(session.grant_key)
            assert grant is not None
            assert grant.tokens.refresh_token == "refresh first"
        assert await vault.count(BEGAN + 180) == 3
        assert await vault.read(build_session_key("ended"), now=BEGAN + 180) == Ended("signed_out")
        assert not await vault.spend_once(b"state", expires_at=BEGAN + 600, now=BEGAN + 180)


async def test_the_sessions_of_schema_1_are_refreshed_signed_out_and_revoked(database: Path) -> None:
    async with opened(SqliteStore(database)) as store:
        vault = _vault(store)
        session = await _session(vault, "alone")
        grant = await vault.read_grant(session.grant_key)
        assert grant is not None
        claim = await vault.claim_refresh(grant, owner=b"one", lease_seconds=30, now=BEGAN + 90)
        assert (claim.outcome, claim.grant) == ("granted", grant)
        renewed = await vault.replace_tokens(grant, grant.tokens)
        assert renewed is not None
        assert renewed.generation == 2
        assert await vault.end(session.key, reason="signed_out", now=BEGAN + 90) == renewed
        assert await vault.take_revocations(now=BEGAN + 900, limit=5, retry_at=BEGAN + 960) == [renewed]


async def test_the_sessions_of_schema_1_are_in_no_list_but_end_with_all(database: Path) -> None:
    async with opened(SqliteStore(database)) as store:
        vault = _vault(store)
        session = await _session(vault, "alone")
        assert await vault.list_for(session, now=BEGAN + 90) == []
        ended = await vault.end_all(session, now=BEGAN + 90)
        assert ended.keys == (session.key,)
        assert len(ended.grants) == 1


async def test_the_schema_is_the_same_whether_migrated_or_new(database: Path, tmp_path: Path) -> None:
    new = tmp_path / "new.db"
    schemas: list[list[tuple[object, ...]]] = []
    for path in (database, new):
        async with opened(SqliteStore(path)):
            pass
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
            tables = connection.execute("SELECT name FROM sqlite_schema ORDER BY name").fetchall()
            schemas.append(
                [
                    (name, tuple(connection.execute(f"PRAGMA table_info({name})").fetchall()))
                    for (name,) in tables
                ]
            )
    assert schemas[0] == schemas[1]
