"""A Redis that restarts, hangs, is full or takes no writes is an outage, and passes."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

import pytest
from redis.asyncio import Redis

from gateway.errors import StoreUnavailable
from gateway.sessions.redis import RedisStore
from tests.contract import redis_servers
from tests.contract.records import NOW, grant_record, key, session_record, tombstone
from tests.contract.stores import opened

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.contract.redis_servers import RedisServer


@pytest.fixture
async def client() -> AsyncIterator[Redis]:
    async with Redis.from_url(redis_servers.single_url()) as client:
        await client.flushall()
        yield client


@pytest.fixture
async def store(client: Redis) -> AsyncIterator[RedisStore]:
    _ = client
    async with opened(RedisStore(redis_servers.single_url())) as store:
        assert isinstance(store, RedisStore)
        yield store


@pytest.fixture
def server() -> Iterator[RedisServer]:
    server = redis_servers.start_server()
    yield server
    server.stop()


def _url(server: RedisServer) -> str:
    return f"redis://127.0.0.1:{server.port}"


async def _begin(store: RedisStore) -> None:
    await store.add(session_record("a", sid="sid"), grant_record(), replaces=None, now=NOW)


async def test_a_lost_subscription_means_that_anything_may_have_changed(
    store: RedisStore, client: Redis
) -> None:
    await _begin(store)
    cursor = (await store.changes(None)).cursor
    assert (await store.changes(cursor)).keys == frozenset()
    await client.execute_command("CLIENT", "KILL", "TYPE", "pubsub")  # type: ignore[no-untyped-call] # redis-py
    await store.end_session(key("a"), reason="signed_out", now=NOW)
    with pytest.raises(StoreUnavailable):
        await store.changes(cursor)
    assert (await store.changes(cursor)).keys is None


async def test_a_restart_is_an_outage_that_passes(server: RedisServer) -> None:
    async with opened(RedisStore(_url(server))) as store:
        cursor = (await store.changes(None)).cursor
        server.stop()
        for operation in (store.read_session(key("a")), store.changes(cursor), store.ping()):
            with pytest.raises(StoreUnavailable) as caught:
                await operation
            assert caught.value.retry_after is not None
            assert not caught.value.detail
            assert str(server.port) not in caught.value.log_detail
        server.start()
        await store.ping()
        await store.add(session_record("a"), grant_record(), replaces=None, now=NOW)
        assert await store.read_session(key("a")) == session_record("a")
        assert (await store.changes(cursor)).keys is None


async def test_a_redis_that_hangs_is_an_outage_that_passes(server: RedisServer) -> None:
    async with opened(RedisStore(_url(server), seconds=0.3)) as store:
        await store.add(session_record("a"), grant_record(), replaces=None, now=NOW)
        cursor = (await store.changes(None)).cursor
        server.process.send_signal(signal.SIGSTOP)
        operations = [store.read_session(key("a")) for _ in range(100)]
        answers = await asyncio.gather(*operations, store.changes(cursor), return_exceptions=True)
        assert {type(answer) for answer in answers} == {StoreUnavailable}
        server.process.send_signal(signal.SIGCONT)
        assert await store.read_session(key("a")) == session_record("a")
        assert (await store.changes(cursor)).keys is None


async def test_a_redis_that_takes_no_writes_is_unavailable(store: RedisStore, client: Redis) -> None:
    await _begin(store)
    await client.execute_command("REPLICAOF", "127.0.0.1", "1")  # type: ignore[no-untyped-call] # redis-py
    try:
        with pytest.raises(StoreUnavailable):
            await store.ping()
        with pytest.raises(StoreUnavailable):
            await store.end_session(key("a"), reason="signed_out", now=NOW)
        assert await store.read_session(key("a")) == session_record("a", sid="sid")
    finally:
        await client.execute_command("REPLICAOF", "NO", "ONE")  # type: ignore[no-untyped-call] # redis-py
    await store.end_session(key("a"), reason="signed_out", now=NOW)
    assert await store.read_session(key("a")) == tombstone("a", "signed_out", NOW)


async def test_a_redis_that_is_full_is_unavailable(server: RedisServer) -> None:
    async with opened(RedisStore(_url(server))) as store:
        server.ask("config", "set", "maxmemory", "1")
        with pytest.raises(StoreUnavailable):
            await store.add(session_record("a"), grant_record(), replaces=None, now=NOW)
        server.ask("config", "set", "maxmemory", "0")
        await store.add(session_record("a"), grant_record(), replaces=None, now=NOW)


async def test_a_wrong_password_is_unavailable_and_said_to_nobody(server: RedisServer) -> None:
    server.ask("config", "set", "requirepass", "canary")
    with pytest.raises(StoreUnavailable) as caught:
        await RedisStore(f"redis://:wrong-canary@127.0.0.1:{server.port}").open()
    assert "canary" not in f"{caught.value!r} {caught.value.log_detail}"
    async with opened(RedisStore(f"redis://:canary@127.0.0.1:{server.port}/2")) as store:
        await store.ping()
