"""A session has one end: the earliest of its own and of those that the authorization server sets."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from gateway.sessions.session import Tokens, fold_ends
from tests.unit.sessions.sign_ins import NOW, begin, build_tokens, read_grant

if TYPE_CHECKING:
    from gateway.sessions.vault import Vault


@pytest.mark.parametrize(
    ("ceilings", "end"),
    [
        ((), 100),
        ((None,), 100),
        ((None, None), 100),
        ((101,), 100),
        ((100,), 100),
        ((99,), 99),
        ((99, None, 98), 98),
        ((None, 200, 99.5), 99.5),
        ((-5,), -5),
    ],
)
def test_the_earliest_end_that_is_known_counts(ceilings: tuple[float | None, ...], end: float) -> None:
    assert fold_ends(100, *ceilings) == end


@pytest.mark.parametrize(
    ("changes", "ceiling"),
    [
        ({}, None),
        ({"refresh_expires_at": NOW + 60}, NOW + 60),
        ({"refresh_expires_at": NOW + 99_999}, NOW + 99_999),
        ({"session_expires_at": NOW + 30}, NOW + 30),
        ({"refresh_expires_at": NOW + 60, "session_expires_at": NOW + 30}, NOW + 30),
        ({"refresh_expires_at": NOW + 20, "session_expires_at": NOW + 30}, NOW + 20),
        ({"refresh_token": None}, NOW + 14399),
        ({"refresh_token": None, "refresh_expires_at": NOW + 60}, NOW + 14399),
        ({"refresh_token": None, "session_expires_at": NOW + 30}, NOW + 30),
    ],
)
def test_tokens_bound_the_session_by_what_they_can_be_renewed_with(
    changes: dict[str, float | None], ceiling: float | None
) -> None:
    tokens: Tokens = replace(build_tokens(), **changes)  # type: ignore[arg-type]
    assert tokens.ceiling == ceiling


async def test_a_refresh_moves_the_ceiling_and_neither_the_beginning_nor_the_absolute_end(
    vault: Vault,
) -> None:
    tokens = replace(build_tokens(), refresh_expires_at=NOW + 1000)
    session, _ = await begin(vault, tokens=tokens)
    assert (session.created_at, session.ends_at) == (NOW, NOW + 36000)
    assert session.within(tokens).ends_at == NOW + 1000
    grant = await read_grant(vault, session)
    for refresh_expires_at, ends_at in ((NOW + 1900, NOW + 1900), (NOW + 99_999, NOW + 36000)):
        renewed = await vault.replace_tokens(grant, replace(tokens, refresh_expires_at=refresh_expires_at))
        assert renewed is not None
        grant = renewed
        read = await vault.read(session.key, now=NOW + 900)
        assert read == session
        assert session.within(grant.tokens).ends_at == ends_at
        assert grant.created_at == NOW


async def test_what_the_authorization_server_sets_at_sign_in_stays(vault: Vault) -> None:
    session, _ = await vault.begin(
        session_id="id",
        issuer="https://as.example",
        client_id="client",
        subject="Ada",
        connection_id=None,
        claims={},
        tokens=build_tokens(),
        replaces=None,
        now=NOW,
        ceilings=(None, NOW + 600, NOW + 700),
    )
    assert (session.ends_at, session.idle_at) == (NOW + 600, NOW + 600)
    kept = await vault.keep_alive(session, now=NOW + 500)
    assert (kept.ends_at, kept.idle_at) == (NOW + 600, NOW + 600)
    assert kept.why_ended(NOW + 600) == "expired"


async def test_sessions_of_one_grant_have_ends_of_their_own_below_its_ceiling(vault: Vault) -> None:
    one, _ = await begin(vault, "one", connection_id="x")
    tokens = replace(build_tokens("second", refreshed_at=NOW + 900), refresh_expires_at=NOW + 36450)
    other, _ = await begin(vault, "other", connection_id="x", tokens=tokens, now=NOW + 900)
    listed = {session.key: session.ends_at for session in await vault.list_for(one, now=NOW + 900)}
    assert listed == {one.key: NOW + 36000, other.key: NOW + 36450}
    shortened = replace(tokens, refresh_expires_at=NOW + 901)
    await vault.replace_tokens(await read_grant(vault, one), shortened)
    assert await vault.list_for(one, now=NOW + 901) == []


async def test_an_end_that_has_come_is_named_as_one(vault: Vault) -> None:
    session, _ = await begin(vault)
    tokens = replace(build_tokens(), refresh_expires_at=NOW + 600)
    assert session.within(tokens).why_ended(NOW + 599) is None
    assert session.within(tokens).why_ended(NOW + 600) == "expired"
    assert session.within(replace(tokens, refresh_expires_at=NOW + 9000)).why_ended(NOW + 1800) == "idle"
