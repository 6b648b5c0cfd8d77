"""Tokens that nobody needs are revoked in the end, whatever is out of order when their session ends."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from gateway.authorization_server import AuthorizationServer
from gateway.errors import AuthorizationServerTimeout, AuthorizationServerUnreachable, GatewayError
from gateway.observability.metrics import Metrics
from gateway.sessions.keyring import Keyring
from gateway.sessions.memory import MemoryStore
from gateway.sessions.session import Grant, Tokens
from gateway.sessions.vault import Vault
from gateway.web.revocation import Revocation
from gateway.web.sweep import Sweep
from tests.support.running import SECRET, Clock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SPENT = [("refresh-ada", "refresh_token"), ("access-ada", "access_token")]


class ScriptedServer(AuthorizationServer):
    """Hears revocations, and says what it is told to."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(
            issuer="https://as.example",
            metadata=None,
            client_id="client",
            client_secret=None,
            client_auth=None,
            redirect_uri="https://app.example/auth/callback",
            profile_url=None,
            clock=clock,
        )
        self.heard: list[tuple[str, str]] = []
        self.trouble: GatewayError | None = None
        self.confirms = True
        self.open = asyncio.Event()
        self.open.set()

    async def revoke(self, token: str, *, token_type_hint: str) -> bool:
        self.heard.append((token, token_type_hint))
        await self.open.wait()
        if self.trouble is not None:
            raise self.trouble
        return self.confirms


class Stage:
    """A vault, an authorization server, and what lies between them."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.store = MemoryStore()
        self.vault = Vault(self.store, Keyring([SECRET]), idle_seconds=600, max_seconds=3600)
        self.server = ScriptedServer(self.clock)
        self.revocation = Revocation(self.server, self.vault, clock=self.clock)
        self.sweep = Sweep(
            vault=self.vault, revocation=self.revocation, metrics=Metrics("0"), clock=self.clock
        )

    def tokens(self, name: str, *, refresh_life: float | None = None) -> Tokens:
        return Tokens(
            access_token=f"access-{name}",
            refresh_token=f"refresh-{name}",
            expires_at=self.clock() + 300,
            refreshed_at=self.clock(),
            scope=None,
            refresh_expires_at=None if refresh_life is None else self.clock() + refresh_life,
        )

    async def signed_out(self, name: str = "ada", *, refresh_life: float | None = None) -> Grant:
        """Sign in and out; returns the grant that is to be revoked."""
        session, _ = await self.vault.begin(
            session_id=name,
            issuer="https://as.example",
            client_id="client",
            subject=name,
            connection_id=None,
            claims={},
            tokens=self.tokens(name, refresh_life=refresh_life),
            replaces=None,
            now=self.clock(),
        )
        grant = await self.vault.end(session.key, reason="signed_out", now=self.clock())
        assert grant is not None
        return grant

    async def swept(self) -> int:
        taken = await self.sweep.sweep()
        await self.revocation.drain()
        return taken


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    stage = Stage()
    await stage.store.open()
    yield stage
    await stage.store.close()


async def test_a_confirmed_revocation_is_settled(stage: Stage) -> None:
    """RFC 7009 §2.1: the refresh token first, then the access token for servers that leave it alive."""
    assert await stage.revocation.begin(await stage.signed_out()) is True
    assert stage.server.heard == SPENT
    stage.clock.advance(3600)
    assert await stage.swept() == 0


@pytest.mark.parametrize("trouble", [AuthorizationServerUnreachable(), AuthorizationServerTimeout()])
async def test_what_failed_at_sign_out_is_made_up_for_by_the_sweep(
    stage: Stage, trouble: GatewayError
) -> None:
    stage.server.trouble = trouble
    assert await stage.revocation.begin(await stage.signed_out()) is False
    assert stage.server.heard == SPENT[:1]
    assert await stage.swept() == 0, "not again at once"
    stage.clock.advance(61)
    assert await stage.swept() == 1, "still down"
    stage.server.trouble = None
    stage.server.heard.clear()
    stage.clock.advance(61)
    assert await stage.swept() == 1
    assert stage.server.heard == SPENT
    stage.clock.advance(61)
    assert await stage.swept() == 0, "settled"


async def test_what_a_dead_process_had_in_hand_is_taken_up_by_another(stage: Stage) -> None:
    await stage.signed_out()
    assert await stage.swept() == 0, "the one who ended the session has a minute for it"
    stage.clock.advance(61)
    assert await stage.swept() == 1
    assert stage.server.heard == SPENT


async def test_a_server_that_revokes_nothing_is_not_asked_for_ever(stage: Stage) -> None:
    stage.server.confirms = False
    assert await stage.revocation.begin(await stage.signed_out()) is False
    stage.clock.advance(61)
    assert await stage.swept() == 0


async def test_tokens_that_expired_meanwhile_are_let_go(stage: Stage) -> None:
    stage.server.trouble = AuthorizationServerUnreachable()
    await stage.revocation.begin(await stage.signed_out(refresh_life=200))
    stage.server.heard.clear()
    stage.clock.advance(301)
    assert await stage.swept() == 0
    assert stage.server.heard == []


async def test_tokens_that_never_had_a_session_are_queued_if_need_be(stage: Stage) -> None:
    stage.server.trouble = AuthorizationServerUnreachable()
    assert await stage.revocation.begin_unheld(stage.tokens("ada")) is False
    stage.server.trouble = None
    stage.clock.advance(61)
    assert await stage.swept() == 1
    assert stage.server.heard[1:] == SPENT
    stage.clock.advance(61)
    assert await stage.swept() == 0


async def test_a_store_that_fails_after_the_revocation_only_repeats_it(stage: Stage) -> None:
    grant = await stage.signed_out()
    await stage.store.close()
    assert await stage.revocation.begin(grant) is True
    stage.server.trouble = AuthorizationServerUnreachable()
    assert await stage.revocation.begin(grant) is False


async def test_a_server_that_hangs_piles_nothing_up(stage: Stage) -> None:
    """A revocation may take a minute and the sweep comes once a minute: it must not begin them again."""
    for number in range(120):
        await stage.signed_out(str(number))
    stage.server.open.clear()
    stage.clock.advance(61)
    taken = await stage.sweep.sweep()
    for _ in range(5):
        stage.clock.advance(61)
        assert await stage.sweep.sweep() == 0
    stage.server.open.set()
    await stage.revocation.drain()
    stage.clock.advance(61)
    assert taken + await stage.swept() == 120
    assert len(stage.server.heard) == len(set(stage.server.heard)) == 240
