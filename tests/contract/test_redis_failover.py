"""A cluster, and a master that sentinels watch: what is where, what moves, and what happens when one dies."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from redis.asyncio import RedisCluster

from gateway.errors import StoreUnavailable
from gateway.sessions.redis import RedisStore
from gateway.sessions.turn import Pace
from tests.contract import redis_servers
from tests.contract.records import NOW, grant_record, key, session_record
from tests.contract.redis_servers import has_replicated, poll_until, start_cluster, start_server
from tests.contract.stores import opened

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gateway.sessions.store import SessionStore

_PATIENCE = 30.0
_PACE = Pace(2, 2)


async def _eventually(operation: Callable[[], Awaitable[object]]) -> None:
    """Return when an operation succeeds; until then it may only be unavailable."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            await operation()
        except StoreUnavailable:
            assert time.monotonic() < deadline, "the store did not recover"
        else:
            return


async def _fill(store: SessionStore) -> None:
    for name, grant in (("a", "grant"), ("far b", "far")):
        await store.add(session_record(name, grant), grant_record(grant), replaces=None, now=NOW)
    await store.slow_down(key("budget"), pace=_PACE, now=NOW)


async def _check(store: SessionStore) -> None:
    for name, grant in (("a", "grant"), ("far b", "far")):
        assert await store.read_session(key(name)) == session_record(name, grant)
        assert await store.read_grant(key(grant)) == grant_record(grant)
    turn = await store.take_turn(key("budget"), owner=b"one", waiting=[], pace=_PACE, now=NOW)
    assert 0.5 <= turn.factor < 1


async def test_buckets_lie_on_every_node_of_a_cluster() -> None:
    url = redis_servers.cluster_url()
    client = RedisCluster.from_url(url.split(",", maxsplit=1)[0].replace("+cluster", ""))
    slots = [client.keyslot(f"lexgate:{{{bucket:02x}}}:s") for bucket in range(256)]
    thirds = [sum(slot * 3 // 16384 == third for slot in slots) for third in range(3)]
    assert min(thirds) > 70
    await client.aclose()


async def test_one_address_of_a_cluster_is_enough() -> None:
    first = redis_servers.cluster_url().split(",")[0]
    async with opened(RedisStore(first, namespace="one")) as store:
        await _fill(store)
        await _check(store)


async def test_a_slot_that_is_being_moved_is_unavailable_rather_than_half_seen() -> None:
    servers = start_cluster(3)
    async with opened(RedisStore(redis_servers.cluster_address(servers))) as store:
        await _fill(store)
        slot = servers[0].ask("cluster", "keyslot", "lexgate:{00}:")
        ids = [server.ask("cluster", "myid") for server in servers]
        source = next(
            number
            for number, server in enumerate(servers)
            if "MOVED" not in server.ask("get", "lexgate:{00}:")
        )
        target = (source + 1) % 3
        servers[target].ask("cluster", "setslot", slot, "importing", ids[source])
        servers[source].ask("cluster", "setslot", slot, "migrating", ids[target])
        with pytest.raises(StoreUnavailable):
            await store.end_session(key("a"), reason="signed_out", now=NOW)
        servers[source].ask("cluster", "setslot", slot, "stable")
        servers[target].ask("cluster", "setslot", slot, "stable")
        await _eventually(lambda: _check(store))
    for server in servers:
        server.stop()


async def test_a_cluster_whose_master_dies_goes_on_with_the_replica() -> None:
    servers = start_cluster(3, replicas=1, silence_ms=2000)
    async with opened(RedisStore(redis_servers.cluster_address(servers), seconds=2.0)) as store:
        await _fill(store)
        cursor = (await store.changes(None)).cursor
        masters = servers[:3]
        for master in masters:
            poll_until(lambda master=master: has_replicated(master))  # type: ignore[misc] # a default
        victim = next(server for server in masters if "MOVED" not in server.ask("get", "lexgate:{00}:"))
        victim.stop()
        with pytest.raises(StoreUnavailable):
            await store.changes(cursor)
        await _eventually(lambda: store.changes(cursor))
        await _eventually(lambda: _check(store))
        answer = await store.changes(cursor)
        assert answer.keys is None
        await store.end_session(key("a"), reason="signed_out", now=NOW)
        found = (await store.changes(answer.cursor)).keys
        assert found == frozenset({key("a"), key("grant")})
    for server in servers:
        server.stop()


async def test_a_watched_master_that_dies_is_followed_by_the_replica() -> None:
    master = start_server()
    replica = start_server(f"replicaof 127.0.0.1 {master.port}")
    sentinel = start_server(
        f"sentinel monitor sessions 127.0.0.1 {master.port} 1",
        "sentinel down-after-milliseconds sessions 300",
        "sentinel failover-timeout sessions 2000",
        sentinel=True,
    )
    poll_until(lambda: "num-slaves\n1" in sentinel.ask("sentinel", "master", "sessions"))
    url = f"redis+sentinel://127.0.0.1:{sentinel.port}/sessions"
    async with opened(RedisStore(url, seconds=2.0)) as store:
        await _fill(store)
        cursor = (await store.changes(None)).cursor
        poll_until(lambda: has_replicated(master))
        master.stop()
        with pytest.raises(StoreUnavailable):
            await store.read_session(key("a"))
        await _eventually(store.ping)
        await _check(store)
        await _eventually(lambda: store.changes(cursor))
        assert (await store.changes(cursor)).keys is None
    for server in (sentinel, replica):
        server.stop()


async def test_sentinels_that_know_no_such_service_are_unavailable() -> None:
    sentinel = start_server(sentinel=True)
    with pytest.raises(StoreUnavailable):
        await RedisStore(f"redis+sentinel://127.0.0.1:{sentinel.port}/nothing").open()
    sentinel.stop()


@pytest.mark.parametrize(
    "place", ["rediss://{}", "rediss+cluster://{}", "rediss+sentinel://{}/sessions?ca_file=/nowhere"]
)
async def test_what_does_not_speak_tls_is_unavailable(place: str) -> None:
    address = redis_servers.single_url().removeprefix("redis://")
    with pytest.raises(StoreUnavailable):
        await RedisStore(place.format(address)).open()


@pytest.mark.parametrize("scheme", ["redis", "redis+cluster"])
async def test_nobody_at_the_address_is_unavailable(scheme: str) -> None:
    with pytest.raises(StoreUnavailable):
        await RedisStore(f"{scheme}://127.0.0.1:{redis_servers.free_port()}").open()
