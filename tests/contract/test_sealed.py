"""A stolen store is neither a login nor a token: its raw bytes hold nothing that was not sealed or hashed."""

from __future__ import annotations

import base64
import pickle
from dataclasses import replace
from typing import TYPE_CHECKING

from gateway.sessions.keyring import Keyring
from gateway.sessions.memory import MemoryStore
from gateway.sessions.redis import RedisStore
from gateway.sessions.session import Tokens
from gateway.sessions.sqlite import SqliteStore
from gateway.sessions.vault import Vault
from tests.contract import redis_servers
from tests.contract.records import NOW
from tests.contract.stores import opened

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.sessions.session import Grant, Session
    from gateway.sessions.store import SessionStore

SECRET = "a sealing secret of at least 32 bytes"
TOKENS = Tokens(
    access_token="access-token-canary-1",
    refresh_token="refresh-token-canary-1",
    expires_at=NOW + 14399,
    refreshed_at=NOW,
    scope="scope-canary",
)
PERSONAL = ("subject-canary", "connection-canary", "ada@canary.example", "Ada Canary")
DEVICE = ("device-canary", "address-canary", "sid-canary")
SIGN_IN = {
    "issuer": "https://issuer-canary.example",
    "client_id": "client-canary",
    "subject": PERSONAL[0],
    "connection_id": PERSONAL[1],
}


async def _begin(vault: Vault, session_id: str, *, replaces: bytes | None = None) -> tuple[Session, Grant]:
    session, _ = await vault.begin(
        session_id=session_id,
        **SIGN_IN,
        claims={"email": PERSONAL[2], "name": PERSONAL[3]},
        tokens=TOKENS,
        replaces=replaces,
        now=NOW,
        device=DEVICE[0],
        address=DEVICE[1],
        sid=DEVICE[2],
        ceilings=(),
        id_token="id_token-canary",
    )
    grant = await vault.read_grant(session.grant_key)
    assert grant is not None
    return session, grant


async def _live(store: SessionStore) -> list[str]:
    """Let a whole life of sessions pass through the store; return every secret of it."""
    vault = Vault(store, Keyring([SECRET]), idle_seconds=1800, max_seconds=36000)
    session_ids = [vault.new_session_id(**SIGN_IN) for _ in range(3)]
    first, grant = await _begin(vault, session_ids[0])
    newer = replace(TOKENS, access_token="access-token-canary-2", refresh_token="refresh-token-canary-2")
    assert await vault.replace_tokens(grant, newer) is not None
    await vault.keep_alive(first, now=NOW + 600)
    second, _ = await _begin(vault, session_ids[1], replaces=first.key)
    await vault.claim_refresh(grant, owner=b"owner", lease_seconds=30, now=NOW + 601)
    await vault.end(second.key, reason="signed_out", now=NOW + 601)
    third, _ = await _begin(vault, session_ids[2])
    assert await vault.list_for(third, now=NOW + 601) == [third]
    assert await vault.spend_once(b"state", expires_at=NOW + 900, now=NOW + 601)
    tokens = [token for pair in (TOKENS, newer) for token in (pair.access_token, pair.refresh_token or "")]
    return [
        *tokens,
        *session_ids,
        *PERSONAL,
        *DEVICE,
        "id_token-canary",
        "client-canary",
        "issuer-canary",
        "scope-canary",
        SECRET,
    ]


def _hidden(secrets: list[str]) -> list[bytes]:
    """Return each secret as it is, in base64 and in hex, and the bytes that a session id is made of."""
    plain = [secret.encode() for secret in secrets]
    plain += [base64.urlsafe_b64decode(secret + "=") for secret in secrets if len(secret) == 43]
    encoded = [base64.b64encode(secret).rstrip(b"=")[:-1] for secret in plain]
    return plain + encoded + [secret.hex().encode() for secret in plain]


def _raw_files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


async def test_the_sqlite_files_hold_no_secret(tmp_path: Path) -> None:
    async with opened(SqliteStore(tmp_path / "sessions.db")) as store:
        secrets = await _live(store)
        in_use = _raw_files(tmp_path)
    assert set(in_use) == {"sessions.db", "sessions.db-wal", "sessions.db-shm"}
    closed = _raw_files(tmp_path)
    assert set(closed) == {"sessions.db"}
    assert b"signed_out" in closed["sessions.db"]
    for raw in (*in_use.values(), *closed.values()):
        assert [secret for secret in _hidden(secrets) if secret in raw] == []


async def test_the_records_in_memory_hold_no_secret() -> None:
    async with opened(MemoryStore()) as store:
        secrets = await _live(store)
        raw = pickle.dumps(vars(store))
    assert b"signed_out" in raw
    assert [secret for secret in _hidden(secrets) if secret in raw] == []


async def test_neither_keys_nor_values_in_redis_hold_a_secret() -> None:
    async with opened(RedisStore(redis_servers.single_url(), namespace="sealed")) as store:
        secrets = await _live(store)
        raw = await redis_servers.read_everything("sealed")
    kinds = {name[len("sealed:{00}:") :][:1] for name in raw}
    assert kinds >= {b"s", b"g", b"m", b"r", b"u", b"i", b"d", b"e"}
    assert b"signed_out" in b"".join(raw.values())
    for name, value in raw.items():
        assert [secret for secret in _hidden(secrets) if secret in name + value] == []
