"""The vault gives back what it was given, and says why a session is over."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from gateway.sessions.session import build_session_key
from gateway.sessions.vault import Ended
from tests.unit.sessions.sign_ins import NOW, begin, build_tokens, read_grant

if TYPE_CHECKING:
    from gateway.sessions.vault import Vault


async def test_what_was_begun_is_read_back(vault: Vault) -> None:
    session, orphan = await begin(vault)
    assert orphan is None
    assert session.key == build_session_key("id")
    assert (session.created_at, session.idle_at, session.ends_at) == (NOW, NOW + 1800, NOW + 36000)
    assert await vault.read(session.key, now=NOW) == session
    grant = await read_grant(vault, session)
    assert (grant.tokens, grant.generation, grant.ends_at) == (build_tokens(), 1, NOW + 36000)
    assert (grant.issuer, grant.client_id, grant.subject) == ("https://as.example", "client", "Ada")
    assert await vault.count(NOW) == 1
    await vault.ping()


async def test_an_unknown_session_ended_for_no_reason(vault: Vault) -> None:
    assert await vault.read(b"unknown", now=NOW) == Ended("none")


@pytest.mark.parametrize("swept", [True, False])
@pytest.mark.parametrize(
    ("after", "reason"), [(1800, "idle"), (1800 + 3599, "idle"), (1800 + 3600, "none"), (99999, "none")]
)
async def test_an_idle_session_says_so_for_an_hour(
    vault: Vault, after: float, reason: str, *, swept: bool
) -> None:
    session, _ = await begin(vault)
    if swept:
        await vault.sweep(NOW + 1800)
    assert (await vault.read(session.key, now=NOW + after)) == Ended(reason)  # type: ignore[arg-type] # any word


async def test_a_session_past_its_absolute_end_is_expired_however_active(vault: Vault) -> None:
    session, _ = await begin(vault)
    for after in range(1000, 36000, 1000):
        session = await vault.keep_alive(session, now=NOW + after)
    assert await vault.read(session.key, now=NOW + 35999) == session
    assert await vault.read(session.key, now=NOW + 36000) == Ended("expired")
    assert [grant.generation for grant in await vault.sweep(NOW + 36000)] == [1]


async def test_signing_out_hands_out_the_grant_and_leaves_the_reason(vault: Vault) -> None:
    session, _ = await begin(vault)
    grant = await read_grant(vault, session)
    assert await vault.end(session.key, reason="signed_out", now=NOW) == grant
    assert await vault.read(session.key, now=NOW) == Ended("signed_out")
    assert await vault.read_grant(session.grant_key) is None
    assert await vault.end(session.key, reason="signed_out", now=NOW) is None


async def test_a_new_sign_in_ends_the_old_session_and_hands_out_its_grant(vault: Vault) -> None:
    old, _ = await begin(vault, "old")
    grant = await read_grant(vault, old)
    new, orphan = await begin(vault, "new", replaces=old.key)
    assert orphan == grant
    assert new.grant_key != old.grant_key
    assert await vault.read(old.key, now=NOW) == Ended("replaced")


async def test_activity_is_kept_at_most_once_a_minute(vault: Vault) -> None:
    session, _ = await begin(vault)
    assert await vault.keep_alive(session, now=NOW + 59) is session
    assert await vault.read(session.key, now=NOW + 59) == session
    active = await vault.keep_alive(session, now=NOW + 60)
    assert active == session.seen(NOW + 60)
    assert await vault.read(session.key, now=NOW + 1859) == active


async def test_activity_does_not_revive_an_ended_session(vault: Vault) -> None:
    session, _ = await begin(vault)
    await vault.end(session.key, reason="signed_out", now=NOW)
    assert await vault.keep_alive(session, now=NOW + 60) == session
    assert await vault.read(session.key, now=NOW + 60) == Ended("signed_out")


async def test_new_tokens_are_kept_as_the_next_generation(vault: Vault) -> None:
    session, _ = await begin(vault)
    grant = await read_grant(vault, session)
    renewed = await vault.replace_tokens(grant, build_tokens("second"))
    assert renewed == replace(grant, tokens=build_tokens("second"), generation=2)
    assert await vault.read_grant(grant.key) == renewed


async def test_the_loser_of_a_refresh_gets_the_winners_grant(vault: Vault) -> None:
    session, _ = await begin(vault)
    grant = await read_grant(vault, session)
    winner = await vault.replace_tokens(grant, build_tokens("winner"))
    assert await vault.replace_tokens(grant, build_tokens("loser")) == winner


async def test_tokens_do_not_revive_an_ended_grant(vault: Vault) -> None:
    session, _ = await begin(vault)
    grant = await read_grant(vault, session)
    assert await vault.end_grant(grant.key, reason="grant_ended", now=NOW) == 1
    assert await vault.replace_tokens(grant, build_tokens("late")) is None
    assert await vault.read(session.key, now=NOW) == Ended("grant_ended")


async def test_a_key_is_spent_once(vault: Vault) -> None:
    assert await vault.spend_once(b"state", expires_at=NOW + 600, now=NOW)
    assert not await vault.spend_once(b"state", expires_at=NOW + 600, now=NOW)
