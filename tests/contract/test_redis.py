"""What is particular to Redis: expiry, buckets, steps that a crash may part, its clock."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from gateway.errors import StoreUnavailable
from gateway.sessions.records import REVOCATION_SECONDS, TOMBSTONE_SECONDS, EndedSessions
from gateway.sessions.redis import RedisStore
from gateway.sessions.turn import Pace, Waiting
from tests.contract import redis_servers
from tests.contract.records import LONGEST, NOW, grant_record, key, session_record
from tests.contract.stores import opened

if TYPE_CHECKING:
    from pathlib import Path

    from redis.asyncio import Redis

    from tests.contract.redis_servers import RedisServer


async def _begin(store: RedisStore, name: str = "a", grant: str = "grant") -> None:
    await store.add(session_record(name, grant, sid="sid"), grant_record(grant), replaces=None, now=NOW)


async def test_every_key_expires_by_itself(redis_store: RedisStore, redis_client: Redis) -> None:
    for name in "abc":
        await _begin(redis_store, name, f"grant {name}")
    await redis_store.touch(key("a"), last_seen_at=NOW + 60, idle_at=NOW + 1860)
    await redis_store.claim_refresh(key("grant a"), generation=1, owner=b"one", lease_seconds=30, now=NOW)
    await redis_store.renew_claim(key("grant a"), owner=b"one", lease_seconds=30, now=NOW)
    await redis_store.replace_grant(grant_record("grant b", generation=2), expected_generation=1)
    await redis_store.claim_refresh(key("grant b"), generation=2, owner=b"one", lease_seconds=30, now=NOW)
    await redis_store.release_claim(key("grant b"), owner=b"one", spent_unknown=True, now=NOW)
    await redis_store.end_session(key("c"), reason="signed_out", now=NOW)
    await redis_store.spend_once(key("state"), expires_at=NOW + 600, now=NOW)
    await redis_store.slow_down(key("budget"), pace=Pace(2, 2), now=NOW)
    names = [name async for name in redis_client.scan_iter()]
    assert len(names) > 12
    latest = (NOW + LONGEST + REVOCATION_SECONDS) * 1000
    for name in names:
        assert 0 < await redis_client.pexpiretime(name) <= latest, name


async def test_a_tombstone_and_a_spent_key_expire_when_they_should(
    redis_store: RedisStore, redis_client: Redis
) -> None:
    await _begin(redis_store)
    await redis_store.end_session(key("a"), reason="signed_out", now=NOW)
    await redis_store.spend_once(key("state"), expires_at=NOW + 600, now=NOW)
    names = [name async for name in redis_client.scan_iter("lexgate:{00}:[su]*")]
    ends = sorted([await redis_client.pexpiretime(name) for name in names])
    assert ends == [(NOW + 600) * 1000, (NOW + TOMBSTONE_SECONDS) * 1000]


async def test_a_budget_expires_when_it_is_idle(redis_store: RedisStore, redis_client: Redis) -> None:
    waiting, name = [Waiting(b"x", 1)], b"lexgate:{00}:b" + key("budget")
    for pace, least, most in ((Pace(2, 2), 700, 1700), (Pace(0.1, 2), 10_000, 11_200)):
        await redis_client.delete(name)
        await redis_store.take_turn(key("budget"), owner=b"one", waiting=waiting, pace=pace, now=NOW)
        assert least < await redis_client.pttl(name) <= most
    await redis_store.slow_down(key("budget"), pace=Pace(2, 2), now=NOW)
    assert 50_000 < await redis_client.pttl(name) <= 51_000


async def test_a_swept_store_is_empty(redis_store: RedisStore, redis_client: Redis) -> None:
    for name in ("a", "far b"):
        await _begin(redis_store, name, "far" if name.startswith("far") else "grant")
    for grant in await redis_store.remove_expired(NOW + LONGEST):
        await redis_store.settle_revocation(grant.key, generation=1, created_at=NOW)
    await redis_store.remove_expired(NOW + LONGEST + TOMBSTONE_SECONDS)
    left = [name async for name in redis_client.scan_iter() if not name.endswith(b"ping")]
    assert left == []


async def test_it_tells_the_time(redis_store: RedisStore) -> None:
    assert await redis_store.time() == pytest.approx(time.time(), abs=5)


async def test_a_lease_ends_by_the_servers_clock(redis_store: RedisStore) -> None:
    await _begin(redis_store)
    for owner in (b"one", b"other"):
        deadline = time.monotonic() + 10
        while True:
            claim = await redis_store.claim_refresh(
                key("grant"), generation=1, owner=owner, lease_seconds=0.05, now=NOW
            )
            if claim.outcome != "held":
                break
            assert claim.until is not None
            assert NOW < claim.until <= NOW + 0.05
            assert time.monotonic() < deadline
        assert claim.outcome == ("granted" if owner == b"one" else "granted_abandoned")


async def test_a_session_and_its_grant_must_lie_together(redis_store: RedisStore) -> None:
    with pytest.raises(ValueError, match="begin differently"):
        await redis_store.add(session_record("far a"), grant_record(), replaces=None, now=NOW)
    assert await redis_store.list_sessions(key("subject")) == []


async def test_a_crash_before_the_session_is_added_leaves_a_line_that_is_passed_over(
    redis_store: RedisStore, redis_client: Redis
) -> None:
    await _begin(redis_store)
    await redis_client.zadd(b"lexgate:{00}:i" + key("subject"), {key("never added"): NOW + 60})
    assert await redis_store.list_sessions(key("subject")) == [session_record("a", sid="sid")]
    ended = await redis_store.end_sessions(key("subject"), except_key=key("a"), reason="signed_out", now=NOW)
    assert ended == EndedSessions()


async def test_a_crash_before_the_old_session_is_replaced_leaves_both(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(RedisStore(redis_server.url)) as store:
        assert isinstance(store, RedisStore)
        await _begin(store, "far old", "far")

        async def crash(*_: object, **__: object) -> None:
            raise StoreUnavailable

        monkeypatch.setattr(store, "_end", crash)
        with pytest.raises(StoreUnavailable):
            await store.add(session_record("new"), grant_record(), replaces=key("far old"), now=NOW)
        for name, grant in (("far old", "far"), ("new", "grant")):
            assert await store.read_session(key(name)) is not None
            assert await store.read_grant(key(grant)) == grant_record(grant)


async def test_a_script_that_redis_forgot_is_sent_again(redis_store: RedisStore, redis_client: Redis) -> None:
    await redis_client.script_flush()
    await _begin(redis_store)
    assert await redis_store.read_session(key("a")) == session_record("a", sid="sid")


async def test_two_namespaces_do_not_meet(redis_store: RedisStore) -> None:
    async with opened(RedisStore(redis_servers.single_url(), namespace="other")) as other:
        cursor = (await other.changes(None)).cursor
        await _begin(redis_store)
        await redis_store.end_session(key("a"), reason="signed_out", now=NOW)
        assert await other.read_session(key("a")) is None
        assert (await other.changes(cursor)).keys == frozenset()


async def test_a_connection_may_be_encrypted(tmp_path: Path) -> None:
    ca_file = redis_servers.write_certificate(tmp_path)
    server = redis_servers.start_server(
        f"tls-cert-file {ca_file}",
        f"tls-key-file {tmp_path / 'key.pem'}",
        f"tls-ca-cert-file {ca_file}",
        "tls-auth-clients no",
        f"tls-port {(tls_port := redis_servers.free_port())}",
    )
    url = f"rediss://127.0.0.1:{tls_port}"
    async with opened(RedisStore(f"{url}?ca_file={ca_file}")) as store:
        assert (await store.changes(None)).keys is None
        await store.ping()
    with pytest.raises(StoreUnavailable):
        await RedisStore(url).open()
    server.stop()


async def test_close_finishes_what_is_under_way(redis_client: Redis) -> None:
    _ = redis_client
    store = RedisStore(redis_servers.single_url())
    await store.open()
    adding = asyncio.create_task(store.add(session_record("a"), grant_record(), replaces=None, now=NOW))
    await asyncio.sleep(0)
    await store.close()
    assert await adding is None
    async with opened(RedisStore(redis_servers.single_url())) as again:
        assert await again.read_session(key("a")) == session_record("a")
