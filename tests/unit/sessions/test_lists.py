"""A user sees and ends the sessions of their own, and so does the authorization server, and nobody else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gateway.sessions.index_keys import IndexKeys
from gateway.sessions.keyring import Keyring
from gateway.sessions.vault import Ended
from gateway.sessions.vault_lists import SessionsEnded
from tests.unit.sessions.sign_ins import NEW, NOW, OLD, begin, build_vault, read_grant

if TYPE_CHECKING:
    from gateway.sessions.memory import MemoryStore
    from gateway.sessions.session import Session
    from gateway.sessions.vault import Vault


async def _begin(vault: Vault, session_id: str, *, now: float = NOW, **sign_in: str) -> Session:
    session, _ = await begin(
        vault, session_id, subject=sign_in.get("subject", "Ada"), sid=sign_in.get("sid"), now=now
    )
    return session


async def test_a_user_sees_their_own_sessions_the_last_active_first(vault: Vault) -> None:
    one = await _begin(vault, "one")
    other = await _begin(vault, "other", now=NOW + 60)
    await _begin(vault, "foreign", subject="Bob")
    assert await vault.list_for(one, now=NOW + 60) == [other, one]
    assert (one.device, one.address) == ("Firefox on Linux", "192.0.2.7")


async def test_a_session_past_its_end_is_not_in_the_list(vault: Vault) -> None:
    one = await _begin(vault, "one", now=NOW + 60)
    await _begin(vault, "other")
    assert await vault.list_for(one, now=NOW + 1800) == [one]


async def test_the_list_goes_on_over_a_change_of_secrets(store: MemoryStore) -> None:
    before, overlap = build_vault(store, OLD), build_vault(store, NEW, OLD)
    old = await _begin(before, "old")
    new = await _begin(overlap, "new", now=NOW + 1)
    assert await overlap.list_for(new, now=NOW + 1) == [new, old]
    assert await overlap.list_for(old, now=NOW + 1) == [new, old]
    shown = before.public_id(old)
    ended = await overlap.end_listed(new, shown, now=NOW + 1)
    assert ended is not None
    assert ended.keys == (old.key,)


async def test_what_does_not_open_is_left_out_of_the_list_but_ends_with_the_rest(store: MemoryStore) -> None:
    vault = build_vault(store, NEW)
    session, other = await _begin(vault, "new"), await _begin(vault, "sealed anew with another secret")
    await build_vault(store, OLD, NEW).keep_alive(other, now=NOW + 60)
    assert await vault.list_for(session, now=NOW) == [session]
    ended = await vault.end_others(session, now=NOW)
    assert ended.keys == (other.key,)


async def test_a_session_is_named_without_its_key(vault: Vault) -> None:
    one, other = await _begin(vault, "one"), await _begin(vault, "other")
    name = vault.public_id(one)
    assert len(name) == 22
    assert name != vault.public_id(other)
    assert name == vault.public_id(one)
    assert name not in (one.key.hex(), Keyring([OLD]).label(one.key))


async def test_a_user_ends_one_of_their_sessions(vault: Vault) -> None:
    own, other = await _begin(vault, "own"), await _begin(vault, "other")
    grant = await read_grant(vault, other)
    assert await vault.end_listed(own, vault.public_id(other), now=NOW) == SessionsEnded(
        (other.key,), (grant,)
    )
    assert await vault.read(other.key, now=NOW) == Ended("signed_out_elsewhere")
    assert await vault.end_listed(own, vault.public_id(other), now=NOW) is None
    await vault.end_listed(own, vault.public_id(own), now=NOW)
    assert await vault.read(own.key, now=NOW) == Ended("signed_out")


@pytest.mark.parametrize("name", ["", "nothing", "ünknown"])
async def test_a_name_of_nothing_ends_nothing(vault: Vault, name: str) -> None:
    session = await _begin(vault, "id")
    assert await vault.end_listed(session, name, now=NOW) is None
    assert await vault.read(session.key, now=NOW) == session


async def test_nobody_ends_a_session_of_somebody_else(vault: Vault) -> None:
    session, foreign = await _begin(vault, "own"), await _begin(vault, "foreign", subject="Bob")
    assert await vault.end_listed(session, vault.public_id(foreign), now=NOW) is None
    assert (await vault.end_others(session, now=NOW)).keys == ()
    assert (await vault.end_all(session, now=NOW)).keys == (session.key,)
    assert await vault.read(foreign.key, now=NOW) == foreign


async def test_all_others_end_and_their_grants_are_handed_out(vault: Vault) -> None:
    kept, other, third = [await _begin(vault, name) for name in ("kept", "other", "third")]
    grants = {(await read_grant(vault, session)).key for session in (other, third)}
    ended = await vault.end_others(kept, now=NOW)
    assert set(ended.keys) == {other.key, third.key}
    assert {grant.key for grant in ended.grants} == grants
    assert await vault.read(other.key, now=NOW) == Ended("signed_out_elsewhere")
    assert await vault.read(kept.key, now=NOW) == kept


async def test_all_sessions_end_and_each_says_why(vault: Vault) -> None:
    own, other = await _begin(vault, "own"), await _begin(vault, "other")
    ended = await vault.end_all(own, now=NOW)
    assert ended.keys == (other.key, own.key)
    assert len(ended.grants) == 2
    assert await vault.read(own.key, now=NOW) == Ended("signed_out")
    assert await vault.read(other.key, now=NOW) == Ended("signed_out_elsewhere")


async def test_a_session_that_ended_lists_what_is_left_of_its_users(vault: Vault) -> None:
    own, other = await _begin(vault, "own"), await _begin(vault, "other")
    await vault.end(own.key, reason="signed_out", now=NOW)
    assert await vault.list_for(own, now=NOW) == [other]


async def test_the_authorization_server_ends_the_sessions_of_a_sid(vault: Vault) -> None:
    """OpenID Connect Back-Channel Logout 1.0 §2.7: a logout token with `sid` means that session."""
    one, other = await _begin(vault, "one", sid="1"), await _begin(vault, "other", sid="2")
    assert (await vault.end_by_sid(issuer="https://foreign.example", sid="1", now=NOW)).keys == ()
    assert (await vault.end_by_sid(issuer="https://as.example", sid="1", now=NOW)).keys == (one.key,)
    assert await vault.read(one.key, now=NOW) == Ended("signed_out_elsewhere")
    assert await vault.read(other.key, now=NOW) == other
    assert (one.sid, other.sid) == ("1", "2")


async def test_the_authorization_server_ends_the_sessions_of_a_subject(vault: Vault) -> None:
    """OpenID Connect Back-Channel Logout 1.0 §2.7: one with `sub` alone means all of the subject's."""
    one, other = await _begin(vault, "one"), await _begin(vault, "other", sid="2")
    foreign = await _begin(vault, "foreign", subject="Bob")

    async def end(issuer: str, client_id: str) -> SessionsEnded:
        return await vault.end_by_subject(issuer=issuer, client_id=client_id, subject="Ada", now=NOW)

    for issuer, client_id in (("https://foreign.example", "client"), ("https://as.example", "another")):
        assert await end(issuer, client_id) == SessionsEnded()
    assert set((await end("https://as.example", "client")).keys) == {one.key, other.key}
    assert await vault.read(foreign.key, now=NOW) == foreign


def test_index_keys_differ_by_every_part_and_by_secret() -> None:
    old, new = IndexKeys(Keyring([OLD])), IndexKeys(Keyring([NEW, OLD]))
    parts = {"issuer": "i", "client_id": "c", "subject": "s"}
    keys = {old.subject_keys(**parts)[0]}
    keys |= {old.subject_keys(**{**parts, name: "other"})[0] for name in parts}
    keys |= {old.sid_keys(issuer="i", sid="s")[0], old.sid_keys(issuer="i", sid="t")[0]}
    keys |= {new.subject_keys(**parts)[0], new.sid_keys(issuer="i", sid="s")[0]}
    assert len(keys) == 8
    assert new.subject_keys(**parts)[1:] == old.subject_keys(**parts)
    assert new.public_ids(b"key")[1:] == old.public_ids(b"key")
