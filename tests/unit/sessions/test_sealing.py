"""Secrets change and nobody is signed out; records are tampered with and do not open."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import pytest

from gateway.errors import RecordUnreadable
from gateway.sessions.envelope import open_grant, open_session, seal_session
from gateway.sessions.keyring import Keyring
from gateway.sessions.records import GrantRecord, SessionRecord, Tombstone
from gateway.sessions.vault import Ended
from tests.unit.sessions.sign_ins import NEW, NOW, OLD, begin, build_tokens, build_vault, read_grant

if TYPE_CHECKING:
    from gateway.sessions.memory import MemoryStore
    from gateway.sessions.vault import Vault


async def test_rotated_secrets_sign_nobody_out(store: MemoryStore) -> None:
    session, _ = await begin(build_vault(store, OLD))
    overlap = build_vault(store, NEW, OLD)
    grant = await read_grant(overlap, session)
    assert await overlap.read(session.key, now=NOW) == session
    active = await overlap.keep_alive(session, now=NOW + 60)
    renewed = await overlap.replace_tokens(grant, build_tokens("second"))
    after = build_vault(store, NEW)
    assert await after.read(session.key, now=NOW + 60) == active
    assert await after.read_grant(session.grant_key) == renewed


async def test_a_missing_secret_is_our_own_trouble_and_ends_nothing(store: MemoryStore) -> None:
    session, _ = await begin(build_vault(store, OLD))
    stranger = build_vault(store, NEW)
    with pytest.raises(RecordUnreadable):
        await stranger.read(session.key, now=NOW)
    with pytest.raises(RecordUnreadable):
        await stranger.read_grant(session.grant_key)
    assert await build_vault(store, OLD).read(session.key, now=NOW) == session


async def test_signing_out_works_without_the_secret(store: MemoryStore) -> None:
    session, _ = await begin(build_vault(store, OLD))
    stranger = build_vault(store, NEW)
    assert await stranger.end(session.key, reason="signed_out", now=NOW) is None
    assert await stranger.read(session.key, now=NOW) == Ended("signed_out")


async def test_sweeping_works_without_the_secret(store: MemoryStore) -> None:
    session, _ = await begin(build_vault(store, OLD))
    stranger = build_vault(store, NEW)
    assert await stranger.read(session.key, now=NOW + 1800) == Ended("idle")
    assert await stranger.sweep(NOW + 1800) == []
    assert await stranger.count(NOW) == 0


async def test_a_sign_in_mends_a_shared_grant_that_does_not_open(store: MemoryStore) -> None:
    old, _ = await begin(build_vault(store, OLD), "old", connection_id="x")
    stranger = build_vault(store, NEW)
    new, _ = await begin(stranger, "new", connection_id="x", tokens=build_tokens("second"))
    grant = await read_grant(stranger, new)
    assert (grant.key, grant.tokens, grant.generation) == (old.grant_key, build_tokens("second"), 2)


async def _records(vault: Vault, store: MemoryStore) -> tuple[SessionRecord, GrantRecord]:
    session, _ = await begin(vault)
    record, grant = await store.read_session(session.key), await store.read_grant(session.grant_key)
    assert isinstance(record, SessionRecord)
    assert grant is not None
    return record, grant


async def test_a_session_cannot_be_moved_to_another_grant_or_user(vault: Vault, store: MemoryStore) -> None:
    record, _ = await _records(vault, store)
    for moved in (
        replace(record, grant_key=bytes(32)),
        replace(record, key=bytes(32)),
        replace(record, subject_key=bytes(32)),
        replace(record, subject_key=b""),
        replace(record, sid_key=bytes(32)),
    ):
        with pytest.raises(RecordUnreadable):
            open_session(moved, Keyring([OLD]))


async def test_a_grant_cannot_be_moved_or_take_another_generation(vault: Vault, store: MemoryStore) -> None:
    _, grant = await _records(vault, store)
    for moved in (replace(grant, key=bytes(32)), replace(grant, generation=2)):
        with pytest.raises(RecordUnreadable):
            open_grant(moved, Keyring([OLD]))


async def test_a_session_cannot_be_prolonged_in_the_store(vault: Vault, store: MemoryStore) -> None:
    record, grant = await _records(vault, store)
    await store.end_grant(grant.key, reason="signed_out", now=NOW)
    assert isinstance(await store.read_session(record.key), Tombstone)
    await store.remove_expired(NOW + 99999)
    forged = replace(record, last_seen_at=NOW + 99999, idle_at=NOW + 999999, ends_at=NOW + 999999)
    await store.add(forged, grant, replaces=None, now=NOW)
    assert await vault.read(record.key, now=NOW + 36001) == Ended("expired")


async def test_a_token_member_that_a_newer_gateway_added_is_passed_over(
    vault: Vault, store: MemoryStore
) -> None:
    _, record = await _records(vault, store)
    keyring, place = Keyring([OLD]), b"grant" + record.key + record.generation.to_bytes(8, "big")
    plain = keyring.open(record.sealed, aad=place)
    newer = plain.replace(b'"tokens":{', b'"tokens":{"added_later":1,')
    assert newer != plain
    grant = open_grant(replace(record, sealed=keyring.seal(newer, aad=place)), keyring)
    assert grant.tokens == build_tokens()


async def test_claims_of_any_mapping_are_kept(vault: Vault) -> None:
    session, _ = await begin(vault)
    keyring = Keyring([OLD])
    wrapped = replace(session, claims=MappingProxyType(dict(session.claims)))
    assert open_session(seal_session(wrapped, keyring), keyring) == session
