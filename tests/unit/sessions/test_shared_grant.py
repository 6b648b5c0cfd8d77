"""Sessions of one connection share a grant, and with it whichever tokens are newest."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from gateway.sessions.envelope import open_grant, seal_grant
from gateway.sessions.keyring import Keyring
from gateway.sessions.memory import MemoryStore
from gateway.sessions.vault import Ended
from tests.unit.sessions.sign_ins import NOW, OLD, begin, build_tokens, build_vault, read_grant

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gateway.sessions.records import GrantRecord, SessionRecord
    from gateway.sessions.session import Session
    from gateway.sessions.vault import Vault


async def test_sessions_of_one_connection_share_the_newest_tokens(vault: Vault) -> None:
    one, _ = await begin(vault, "one", connection_id="x")
    other, _ = await begin(vault, "other", connection_id="x", tokens=build_tokens("second"), now=NOW + 60)
    foreign, _ = await begin(vault, "foreign", connection_id="y")
    assert one.grant_key == other.grant_key != foreign.grant_key
    grant = await read_grant(vault, one)
    assert (grant.tokens, grant.generation) == (build_tokens("second"), 2)
    assert (grant.created_at, grant.ends_at) == (NOW, NOW + 60 + 36000)
    assert await vault.end(one.key, reason="signed_out", now=NOW) is None
    assert await vault.end(other.key, reason="signed_out", now=NOW) == grant


class _Interrupted(MemoryStore):
    """A store where something comes between each look at a grant and what is done upon it."""

    def __init__(self) -> None:
        super().__init__()
        self.interruptions: list[Callable[[GrantRecord], Awaitable[object]]] = []
        self.come_after_adding = False

    async def read_grant(self, key: bytes) -> GrantRecord | None:
        found = await super().read_grant(key)
        if found is not None and self.interruptions and not self.come_after_adding:
            await self.interruptions.pop(0)(found)
        return found

    async def add(
        self, session: SessionRecord, grant: GrantRecord, *, replaces: bytes | None, now: float
    ) -> GrantRecord | None:
        orphan = await super().add(session, grant, replaces=replaces, now=now)
        if self.interruptions and self.come_after_adding:
            await self.interruptions.pop(0)(grant)
        return orphan

    def refresh_at(self, refreshed_at: float) -> None:
        """Let a refresh that was answered then come in between next."""

        async def refresh(found: GrantRecord) -> None:
            grant = open_grant(found, Keyring([OLD]))
            tokens = build_tokens(
                "refreshed", refreshed_at=refreshed_at, signed_in_at=grant.tokens.signed_in_at
            )
            record = seal_grant(grant.with_tokens(tokens), Keyring([OLD]))
            assert await self.replace_grant(record, expected_generation=found.generation)

        self.interruptions.append(refresh)


@pytest.fixture
async def interrupted() -> _Interrupted:
    store = _Interrupted()
    await store.open()
    return store


async def _sign_in(vault: Vault, session_id: str, refreshed_at: float) -> Session:
    tokens = build_tokens("signed in", refreshed_at=refreshed_at)
    session, _ = await begin(vault, session_id, connection_id="x", tokens=tokens, now=refreshed_at)
    return session


@pytest.mark.parametrize(("refreshes", "generation"), [([30], 3), ([90], 3), ([30, 45], 4), ([30, 90], 4)])
async def test_a_refresh_during_a_sign_in_yields_to_its_tokens_whatever_the_clocks_say(
    interrupted: _Interrupted, refreshes: list[float], generation: int
) -> None:
    vault = build_vault(interrupted, OLD)
    session = await _sign_in(vault, "one", NOW)
    for after in refreshes:
        interrupted.refresh_at(NOW + after)
    await _sign_in(vault, "other", NOW + 60)
    grant = await read_grant(vault, session)
    assert (grant.tokens.access_token, grant.generation) == ("access signed in", generation)
    assert grant.tokens.refreshed_at == NOW + 60


async def test_a_refresh_yields_to_a_sign_in_whose_clock_is_slow(interrupted: _Interrupted) -> None:
    vault = build_vault(interrupted, OLD)
    session = await _sign_in(vault, "one", NOW)
    interrupted.refresh_at(NOW + 1)
    await _sign_in(vault, "other", NOW - 30)
    assert (await read_grant(vault, session)).tokens.refreshed_at == NOW - 30


async def test_a_sign_in_does_not_bring_back_its_own_tokens_once_they_are_refreshed(
    interrupted: _Interrupted,
) -> None:
    vault = build_vault(interrupted, OLD)
    session = await _sign_in(vault, "one", NOW)
    interrupted.come_after_adding = True
    interrupted.refresh_at(NOW + 30)
    await _sign_in(vault, "other", NOW + 60)
    settled = await interrupted.read_grant(session.grant_key)
    assert settled is not None
    grant = open_grant(settled, Keyring([OLD]))
    assert (grant.tokens.access_token, grant.tokens.signed_in_at) == ("access refreshed", NOW + 60)


async def test_a_sign_out_during_a_sign_in_ends_it(interrupted: _Interrupted) -> None:
    async def sign_out(found: GrantRecord) -> None:
        await interrupted.end_grant(found.key, reason="grant_ended", now=NOW)

    vault = build_vault(interrupted, OLD)
    await _sign_in(vault, "one", NOW)
    interrupted.refresh_at(NOW + 30)
    interrupted.interruptions.append(sign_out)
    session = await _sign_in(vault, "other", NOW + 60)
    assert await vault.read(session.key, now=NOW + 60) == Ended("grant_ended")
    assert await vault.read_grant(session.grant_key) is None


async def test_concurrent_sign_ins_of_one_connection_keep_the_newest_tokens(vault: Vault) -> None:
    begun = await asyncio.gather(
        *(
            begin(
                vault,
                f"{number}",
                connection_id="x",
                tokens=build_tokens(f"{number}", refreshed_at=NOW + number),
            )
            for number in range(20)
        )
    )
    grant = await read_grant(vault, begun[0][0])
    assert grant.tokens == build_tokens("19", refreshed_at=NOW + 19)
