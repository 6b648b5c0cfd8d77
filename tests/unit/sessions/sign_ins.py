"""A vault and the sign-ins that fill it, for the tests of this folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.sessions.keyring import Keyring
from gateway.sessions.session import Tokens
from gateway.sessions.vault import Vault

if TYPE_CHECKING:
    from gateway.sessions.memory import MemoryStore
    from gateway.sessions.session import Grant, Session

NOW = 1_800_000_000.0
OLD = "the old secret, which is thirty-two bytes long"
NEW = "the new secret, which is thirty-two bytes long"


def build_vault(store: MemoryStore, *secrets: str) -> Vault:
    """Return a vault with half an hour of idle time and ten hours at most."""
    return Vault(store, Keyring(secrets), idle_seconds=1800, max_seconds=36000)


def build_tokens(
    name: str = "first", *, refreshed_at: float = NOW, signed_in_at: float | None = None
) -> Tokens:
    """Return tokens that can be told apart by `name`: a sign-in's, or what came of an earlier one's."""
    return Tokens(
        access_token=f"access {name}",
        refresh_token=f"refresh {name}",
        expires_at=refreshed_at + 14399,
        refreshed_at=refreshed_at,
        scope="profile.read",
        refresh_expires_at=None,
        signed_in_at=refreshed_at if signed_in_at is None else signed_in_at,
    )


async def begin(
    vault: Vault,
    session_id: str = "id",
    *,
    connection_id: str | None = None,
    tokens: Tokens | None = None,
    replaces: bytes | None = None,
    subject: str = "Ada",
    sid: str | None = None,
    now: float = NOW,
) -> tuple[Session, Grant | None]:
    """Sign Ada in, or another subject."""
    return await vault.begin(
        session_id=session_id,
        issuer="https://as.example",
        client_id="client",
        subject=subject,
        connection_id=connection_id,
        claims={"name": "Ada", "email": "ada@example.com"},
        tokens=tokens or build_tokens(refreshed_at=now),
        replaces=replaces,
        now=now,
        device="Firefox on Linux",
        address="192.0.2.7",
        sid=sid,
    )


async def read_grant(vault: Vault, session: Session) -> Grant:
    """Return the session's grant, which must be there."""
    grant = await vault.read_grant(session.grant_key)
    assert grant is not None
    return grant
