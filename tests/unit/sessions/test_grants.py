"""Who may refresh a grant, what becomes of its tokens when nobody needs them, and who is told of changes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gateway.sessions.memory import MemoryStore
from gateway.sessions.session import build_session_key
from gateway.sessions.vault import Ended, Vault
from gateway.sessions.vault_grants import Claim
from tests.unit.sessions.sign_ins import NEW, NOW, OLD, begin, build_tokens, build_vault, read_grant

if TYPE_CHECKING:
    from gateway.sessions.session import Grant

LATER = NOW + 600


async def _claim(vault: Vault, grant: Grant, owner: bytes = b"one", *, now: float = NOW) -> Claim:
    return await vault.claim_refresh(grant, owner=owner, lease_seconds=30, now=now)


async def _take(vault: Vault, now: float = LATER) -> list[Grant]:
    return await vault.take_revocations(now=now, limit=10, retry_at=now + 300)


async def test_a_claim_hands_out_the_token_to_spend_to_its_owner_alone(vault: Vault) -> None:
    session, _ = await begin(vault)
    grant = await read_grant(vault, session)
    assert await _claim(vault, grant) == Claim("granted", NOW + 30, grant)
    assert await vault.renew_claim(grant.key, owner=b"one", lease_seconds=30, now=NOW + 10)
    assert await _claim(vault, grant, b"other") == Claim("held", NOW + 40, None)
    await vault.release_claim(grant.key, owner=b"one", spent_unknown=True, now=NOW + 20)
    assert await _claim(vault, grant, b"other", now=NOW + 20) == Claim("granted_abandoned", NOW + 50, grant)


async def test_a_claim_too_late_gets_the_winners_tokens(vault: Vault) -> None:
    session, _ = await begin(vault)
    grant = await read_grant(vault, session)
    renewed = await vault.replace_tokens(grant, build_tokens("second"))
    assert await _claim(vault, grant) == Claim("superseded", None, renewed)
    await vault.end(session.key, reason="signed_out", now=NOW)
    assert await _claim(vault, grant) == Claim("gone", None, None)


async def test_a_refusal_of_old_tokens_does_not_end_the_newer_ones(vault: Vault) -> None:
    session, _ = await begin(vault)
    grant = await read_grant(vault, session)
    renewed = await vault.replace_tokens(grant, build_tokens("second"))
    assert renewed is not None
    assert await vault.end_grant(grant.key, reason="grant_ended", now=NOW, expected=grant) == 0
    assert await vault.read(session.key, now=NOW) == session
    assert await vault.end_grant(grant.key, reason="grant_ended", now=NOW, expected=renewed) == 1
    assert await vault.read(session.key, now=NOW) == Ended("grant_ended")


async def test_tokens_without_a_session_are_offered_until_they_are_revoked(vault: Vault) -> None:
    session, _ = await begin(vault)
    grant = await vault.end(session.key, reason="signed_out", now=NOW)
    assert grant is not None
    assert await _take(vault) == [grant]
    assert await _take(vault) == []
    assert await _take(vault, LATER + 300) == [grant]
    await vault.settle_revocation(grant)
    assert await _take(vault, LATER + 600) == []


async def test_tokens_fetched_for_a_grant_that_is_gone_are_queued(vault: Vault) -> None:
    session, _ = await begin(vault)
    grant = await read_grant(vault, session)
    late = grant.with_tokens(build_tokens("late"))
    await vault.queue_revocation(late, now=NOW)
    assert await _take(vault, NOW) == [late]


async def test_tokens_that_have_expired_need_no_revocation(vault: Vault) -> None:
    tokens = replace(build_tokens(), refresh_expires_at=NOW + 30000)
    session, _ = await begin(vault, tokens=tokens)
    await vault.end(session.key, reason="signed_out", now=NOW)
    assert len(await _take(vault)) == 1
    assert await _take(vault, NOW + 30000) == []
    assert await _take(vault, NOW + 40000) == []


async def test_the_old_tokens_of_a_connection_that_is_back_are_left_alone(vault: Vault) -> None:
    session, _ = await begin(vault, connection_id="x")
    await vault.end(session.key, reason="signed_out", now=NOW)
    again, _ = await begin(vault, "again", connection_id="x", now=NOW + 1)
    assert await _take(vault) == []
    await vault.end(again.key, reason="signed_out", now=LATER)
    assert [grant.created_at for grant in await _take(vault, LATER + 600)] == [NOW + 1]


async def test_tokens_that_do_not_open_wait_for_their_secret(store: MemoryStore) -> None:
    session, _ = await begin(build_vault(store, OLD))
    stranger = build_vault(store, NEW)
    await stranger.end(session.key, reason="signed_out", now=NOW)
    assert await _take(stranger) == []
    assert len(await _take(build_vault(store, NEW, OLD), LATER + 300)) == 1


async def test_who_remembers_sessions_is_told_of_their_end(vault: Vault) -> None:
    session, _ = await begin(vault)
    first = await vault.changes(None)
    assert first.keys is None
    await vault.end(session.key, reason="signed_out", now=NOW)
    assert (await vault.changes(first.cursor)).keys == frozenset({session.key, session.grant_key})


async def test_a_session_begins_with_the_same_byte_as_its_grant() -> None:
    for connection_id in (None, "x", "y", "z"):
        names = {"issuer": "https://as.example", "client_id": "client", "subject": "Ada"}
        session_id = Vault.new_session_id(**names, connection_id=connection_id)
        vault = build_vault(store := MemoryStore(), OLD)
        await store.open()
        session, _ = await begin(vault, session_id, connection_id=connection_id)
        assert session.key == build_session_key(session_id)
        assert session.key[0] == session.grant_key[0]
