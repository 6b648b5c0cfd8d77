"""Expired sessions are cleared away, and the tokens that nobody can use any more are revoked."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import pytest

from gateway.authorization_server import AuthorizationServer
from gateway.errors import StoreUnavailable
from gateway.observability.metrics import Metrics
from gateway.parts import build_authorization_server
from gateway.sessions.keyring import Keyring
from gateway.sessions.memory import MemoryStore
from gateway.sessions.session import Tokens
from gateway.sessions.vault import Vault
from gateway.settings import load_settings
from gateway.web.revocation import Revocation
from gateway.web.sweep import Sweep
from tests.flows.cli.process import serve_settings
from tests.support.running import SECRET, Clock
from tests.support.wire import Wire, running_wire

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from gateway.sessions.records import GrantRecord

PEOPLE = 30


class TroubledStore(MemoryStore):
    """Fails in both ways before it works."""

    def __init__(self) -> None:
        super().__init__()
        self.troubles: list[Exception] = []
        self.clock: Clock | None = None
        self.swept = asyncio.Event()

    async def time(self) -> float | None:
        return None if self.clock is None else self.clock()

    async def remove_expired(self, now: float) -> list[GrantRecord]:
        if self.troubles:
            raise self.troubles.pop()
        self.swept.set()
        return await super().remove_expired(now)


class CountingServer(AuthorizationServer):
    """Confirms each revocation, and counts how many are under way at once."""

    revoked = under_way = most_at_once = 0

    async def revoke(self, token: str, *, token_type_hint: str) -> bool:
        del token, token_type_hint
        self.under_way += 1
        self.most_at_once = max(self.most_at_once, self.under_way)
        await asyncio.sleep(0)
        self.under_way -= 1
        self.revoked += 1
        return True


class Stage:
    """A sweep over a store, and an authorization server that hears of it."""

    def __init__(self, wire: Wire, folder: Path) -> None:
        settings = load_settings(serve_settings(api_url=wire.url, authorization_server=wire.url), folder)
        self.clock = Clock()
        self.store = TroubledStore()
        self.metrics = Metrics("0")
        self.vault = Vault(self.store, Keyring([SECRET]), idle_seconds=60, max_seconds=3600)
        self.authorization_server = build_authorization_server(settings, clock=self.clock)
        self.revocation = Revocation(self.authorization_server, self.vault, clock=self.clock)
        self.sweep = Sweep(
            vault=self.vault, revocation=self.revocation, metrics=self.metrics, clock=self.clock
        )

    async def sign_in(self, name: str) -> None:
        await self.vault.begin(
            session_id=name,
            issuer="https://as.example",
            client_id="client",
            subject=name,
            connection_id=None,
            claims={},
            tokens=Tokens(
                access_token=f"access-{name}",
                refresh_token=f"refresh-{name}",
                expires_at=self.clock() + 60,
                refreshed_at=self.clock(),
                scope="",
                refresh_expires_at=None,
            ),
            replaces=None,
            now=self.clock(),
        )


@pytest.fixture
def wire() -> Iterator[Wire]:
    with running_wire() as wire:
        yield wire


@pytest.fixture
async def stage(wire: Wire, tmp_path: Path) -> AsyncIterator[Stage]:
    stage = Stage(wire, tmp_path)
    await stage.store.open()
    yield stage
    await stage.revocation.drain()
    await stage.authorization_server.close()
    await stage.store.close()


async def test_tokens_of_sessions_that_ran_out_are_revoked(stage: Stage, wire: Wire) -> None:
    # RFC 7009 §2.1: the refresh token, and the access token for servers that leave it alive
    await stage.sign_in("ada")
    assert await stage.sweep.sweep() == 0
    stage.clock.advance(61)
    assert await stage.sweep.sweep() == 1
    await stage.revocation.drain()
    assert await stage.vault.count(stage.clock()) == 0
    assert [heard.body.split(b"&")[0] for heard in wire.heard] == [b"token=refresh-ada", b"token=access-ada"]
    assert await stage.sweep.sweep() == 0


async def test_a_machine_whose_clock_is_fast_ends_nobodys_session(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    await stage.sign_in("ada")
    stage.store.clock = Clock()
    stage.clock.advance(3600)
    with caplog.at_level(logging.WARNING, "gateway.web.sweep"):
        stage.sweep.start()
        async with asyncio.timeout(5):
            while not caplog.messages:  # noqa: ASYNC110 - a log sets no event
                await asyncio.sleep(0)
        await stage.sweep.stop()
    assert caplog.messages == [
        "expired sessions could not be cleared away: this machine's clock is +3600 s from the store's"
    ]
    assert not stage.store.swept.is_set()
    assert await stage.vault.count(stage.store.clock()) == 1


async def test_a_wave_of_endings_is_no_wave_of_calls(stage: Stage) -> None:
    counting = CountingServer(
        issuer=None,
        metadata=None,
        client_id="client",
        client_secret=None,
        client_auth=None,
        redirect_uri="https://app.example/auth/callback",
        profile_url=None,
        clock=stage.clock,
    )
    revocation = Revocation(counting, stage.vault, clock=stage.clock)
    sweep = Sweep(vault=stage.vault, revocation=revocation, metrics=stage.metrics, clock=stage.clock)
    for number in range(PEOPLE):
        await stage.sign_in(str(number))
    stage.clock.advance(61)
    assert await sweep.sweep() == PEOPLE
    await revocation.drain()
    assert counting.revoked == 2 * PEOPLE
    assert 1 < counting.most_at_once <= 8


@pytest.mark.parametrize("trouble", [StoreUnavailable(), RuntimeError("a defect")])
async def test_trouble_only_delays_the_sweep(
    stage: Stage, trouble: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("gateway.web.sweep._SWEEP_SECONDS", 0.01)
    stage.store.troubles.append(trouble)
    with caplog.at_level(logging.WARNING):
        stage.sweep.start()
        async with asyncio.timeout(10):
            await stage.store.swept.wait()
        await stage.sweep.stop()
    assert "could not be cleared away" in caplog.text
    errors = stage.metrics.render()[0].count(b"lexgate_store_errors_total 1.0")
    assert errors == isinstance(trouble, StoreUnavailable)


async def test_a_sweep_that_never_began_can_end(stage: Stage) -> None:
    await stage.sweep.stop()
