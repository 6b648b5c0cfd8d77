"""A Redis that restarts, hangs, is full or takes no writes is an outage, and passes."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

import pytest

from gateway.errors import StoreUnavailable
from gateway.sessions.redis import RedisStore
from gateway.sessions.turn import Pace, Waiting
from tests.contract.records import NOW, grant_record, key, session_record, tombstone
from tests.contract.stores import opened

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from gateway.sessions.store import SessionStore
    from gateway.sessions.turn import Turn
    from tests.contract.redis_servers import RedisServer


async def _begin(store: RedisStore) -> None:
    await store.add(session_record("a", sid="sid"), grant_record(), replaces=None, now=NOW)


async def _take_turn(store: SessionStore) -> Turn:
    waiting = [Waiting(b"x", 1)]
    return await store.take_turn(key("budget"), owner=b"one", waiting=waiting, pace=Pace(2, 2), now=NOW)


async def test_a_lost_subscription_means_that_anything_may_have_changed(
    redis_store: RedisStore, redis_client: Redis
) -> None:
    await _begin(redis_store)
    cursor = (await redis_store.changes(None)).cursor
    assert (await redis_store.changes(cursor)).keys == frozenset()
    await redis_client.execute_command("CLIENT", "KILL", "TYPE", "pubsub")  # type: ignore[no-untyped-call] # redis-py
    await redis_store.end_session(key("a"), reason="signed_out", now=NOW)
    with pytest.raises(StoreUnavailable):
        await redis_store.changes(cursor)
    assert (await redis_store.changes(cursor)).keys is None


async def test_a_restart_is_an_outage_that_passes(redis_server: RedisServer) -> None:
    async with opened(RedisStore(redis_server.url)) as store:
        cursor = (await store.changes(None)).cursor
        redis_server.stop()
        operations = (store.read_session(key("a")), store.changes(cursor), store.ping(), _take_turn(store))
        for operation in operations:
            with pytest.raises(StoreUnavailable) as caught:
                await operation
            assert caught.value.retry_after is not None
            assert not caught.value.detail
            assert str(redis_server.port) not in caught.value.log_detail
        redis_server.start()
        await store.ping()
        await store.add(session_record("a"), grant_record(), replaces=None, now=NOW)
        assert await store.read_session(key("a")) == session_record("a")
        assert (await store.changes(cursor)).keys is None


async def test_a_redis_that_hangs_is_an_outage_that_passes(redis_server: RedisServer) -> None:
    async with opened(RedisStore(redis_server.url, seconds=0.3)) as store:
        await store.add(session_record("a"), grant_record(), replaces=None, now=NOW)
        cursor = (await store.changes(None)).cursor
        redis_server.process.send_signal(signal.SIGSTOP)
        operations = [store.read_session(key("a")) for _ in range(100)]
        answers = await asyncio.gather(
            *operations, store.changes(cursor), _take_turn(store), return_exceptions=True
        )
        assert {type(answer) for answer in answers} == {StoreUnavailable}
        redis_server.process.send_signal(signal.SIGCONT)
        assert await store.read_session(key("a")) == session_record("a")
        assert (await store.changes(cursor)).keys is None


async def test_a_redis_that_takes_no_writes_is_unavailable(
    redis_store: RedisStore, redis_client: Redis
) -> None:
    await _begin(redis_store)
    await redis_client.execute_command("REPLICAOF", "127.0.0.1", "1")  # type: ignore[no-untyped-call] # redis-py
    try:
        with pytest.raises(StoreUnavailable):
            await redis_store.ping()
        with pytest.raises(StoreUnavailable):
            await redis_store.end_session(key("a"), reason="signed_out", now=NOW)
        with pytest.raises(StoreUnavailable):
            await _take_turn(redis_store)
        assert await redis_store.read_session(key("a")) == session_record("a", sid="sid")
    finally:
        await redis_client.execute_command("REPLICAOF", "NO", "ONE")  # type: ignore[no-untyped-call] # redis-py
    await redis_store.end_session(key("a"), reason="signed_out", now=NOW)
    assert await redis_store.read_session(key("a")) == tombstone("a", "signed_out", NOW)


async def test_a_redis_that_is_full_is_unavailable(redis_server: RedisServer) -> None:
    async with opened(RedisStore(redis_server.url)) as store:
        redis_server.ask("config", "set", "maxmemory", "1")
        with pytest.raises(StoreUnavailable):
            await store.add(session_record("a"), grant_record(), replaces=None, now=NOW)
        with pytest.raises(StoreUnavailable):
            await _take_turn(store)
        redis_server.ask("config", "set", "maxmemory", "0")
        await store.add(session_record("a"), grant_record(), replaces=None, now=NOW)


async def test_a_wrong_password_is_unavailable_and_said_to_nobody(redis_server: RedisServer) -> None:
    redis_server.ask("config", "set", "requirepass", "canary")
    with pytest.raises(StoreUnavailable) as caught:
        await RedisStore(f"redis://:wrong-canary@127.0.0.1:{redis_server.port}").open()
    assert "canary" not in f"{caught.value!r} {caught.value.log_detail}"
    async with opened(RedisStore(f"redis://:canary@127.0.0.1:{redis_server.port}/2")) as store:
        await store.ping()
