"""Who joins a refresh that was begun for older tokens is not content with whatever that brings."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, cast

import pytest

from gateway.errors import AuthorizationServerUnreachable, SessionRequired
from gateway.sessions.refresh import Refresher
from tests.unit.sessions.sign_ins import NOW, begin, build_tokens, read_grant

if TYPE_CHECKING:
    from gateway.sessions.refresh_flight import RefreshFlight
    from gateway.sessions.session import Grant
    from gateway.sessions.vault import Vault

LATER = NOW + 60


@dataclass
class _Flights:
    """Refreshes that bring what they are told to, when they are told."""

    begun: list[tuple[Grant, asyncio.Future[Grant]]] = field(
        default_factory=list[tuple["Grant", "asyncio.Future[Grant]"]]
    )

    async def run(self, seen: Grant, *, in_hand: asyncio.Event) -> Grant:
        assert not in_hand.is_set()
        landing: asyncio.Future[Grant] = asyncio.get_running_loop().create_future()
        self.begun.append((seen, landing))
        return await landing


@pytest.fixture
def flights() -> _Flights:
    return _Flights()


@pytest.fixture
def refresher(vault: Vault, flights: _Flights) -> Refresher:
    return Refresher(vault=vault, flight=cast("RefreshFlight", flights), clock=lambda: LATER)


async def _settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def _joined(
    vault: Vault, refresher: Refresher, flights: _Flights, *, others: int = 1
) -> tuple[Grant, list[asyncio.Task[Grant]]]:
    """Have calls whose second-generation token was refused wait for a refresh of the first generation."""
    session, _ = await begin(vault)
    first = await read_grant(vault, session)
    begun = [asyncio.create_task(refresher.replaced_grant(first))]
    await _settle()
    second = await vault.replace_tokens(first, build_tokens("second"))
    assert second is not None
    calls = [asyncio.create_task(refresher.replaced_grant(second)) for _ in range(others)]
    await _settle()
    assert [seen for seen, _ in flights.begun] == [first]
    return second, begun + calls


async def test_a_call_does_not_take_the_token_that_was_refused_from_an_older_refresh(
    vault: Vault, refresher: Refresher, flights: _Flights
) -> None:
    second, (old, call) = await _joined(vault, refresher, flights)
    flights.begun[0][1].set_result(second)
    await _settle()
    assert old.result() == second
    assert not call.done()
    third = second.with_tokens(build_tokens("third"))
    assert [seen.generation for seen, _ in flights.begun] == [1, 2]
    flights.begun[1][1].set_result(third)
    assert await call == third


async def test_calls_that_wait_for_an_older_refresh_share_the_next(
    vault: Vault, refresher: Refresher, flights: _Flights
) -> None:
    second, (_, *calls) = await _joined(vault, refresher, flights, others=20)
    flights.begun[0][1].set_result(second)
    await _settle()
    third = second.with_tokens(build_tokens("third"))
    assert len(flights.begun) == 2
    flights.begun[1][1].set_result(third)
    assert await asyncio.gather(*calls) == [third] * 20


async def test_a_call_takes_newer_tokens_from_an_older_refresh(
    vault: Vault, refresher: Refresher, flights: _Flights
) -> None:
    second, (_, call) = await _joined(vault, refresher, flights)
    third = second.with_tokens(build_tokens("third"))
    flights.begun[0][1].set_result(third)
    assert await call == third
    assert len(flights.begun) == 1


async def test_a_call_does_not_take_tokens_that_are_over_from_an_older_refresh(
    vault: Vault, refresher: Refresher, flights: _Flights
) -> None:
    second, (_, call) = await _joined(vault, refresher, flights)
    flights.begun[0][1].set_result(second.with_tokens(replace(build_tokens("third"), expires_at=LATER)))
    await _settle()
    fourth = second.with_tokens(build_tokens("fourth"))
    flights.begun[1][1].set_result(fourth)
    assert await call == fourth


async def test_the_end_of_older_tokens_is_not_that_of_newer_ones(
    vault: Vault, refresher: Refresher, flights: _Flights
) -> None:
    second, (old, call) = await _joined(vault, refresher, flights)
    flights.begun[0][1].set_exception(SessionRequired("grant_ended"))
    await _settle()
    assert isinstance(old.exception(), SessionRequired)
    third = second.with_tokens(build_tokens("third"))
    flights.begun[1][1].set_result(third)
    assert await call == third


async def test_after_a_failure_the_token_endpoint_is_left_in_peace_by_who_joined_an_older_refresh_too(
    vault: Vault, refresher: Refresher, flights: _Flights
) -> None:
    _, calls = await _joined(vault, refresher, flights)
    flights.begun[0][1].set_exception(AuthorizationServerUnreachable(retry_after=7))
    for error in await asyncio.gather(*calls, return_exceptions=True):
        assert isinstance(error, AuthorizationServerUnreachable)
        assert error.retry_after == 7
    assert len(flights.begun) == 1


async def test_nobody_waits_beyond_their_patience_for_refreshes_of_older_tokens(
    vault: Vault, refresher: Refresher, flights: _Flights, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.sessions.refresh.PATIENCE_SECONDS", 0.05)
    _, calls = await _joined(vault, refresher, flights)
    for error in await asyncio.gather(*calls, return_exceptions=True):
        assert isinstance(error, AuthorizationServerUnreachable)
    flights.begun[0][1].cancel()
