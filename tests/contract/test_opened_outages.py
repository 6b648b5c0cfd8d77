"""A Redis in trouble: nothing is served from memory that could be stale, and all is back afterwards."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

import pytest
from redis.asyncio import Redis

from gateway.errors import StoreUnavailable
from gateway.sessions.redis import RedisStore
from tests.contract import redis_servers
from tests.contract.opened_calls import refusal, remember, sign_in
from tests.contract.records import NOW
from tests.contract.stores import opened
from tests.support.opened import Stage, build_opened, until
from tests.support.wire import SOON
from tests.unit.sessions.sign_ins import OLD

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.contract.redis_servers import RedisServer


@pytest.fixture
def server() -> Iterator[RedisServer]:
    """Return a server that loses nothing when it is killed."""
    server = redis_servers.start_server("appendonly yes", "appendfsync always")
    yield server
    server.stop()


@pytest.fixture
async def stage(server: RedisServer) -> AsyncIterator[Stage]:
    async with (
        opened(RedisStore(f"redis://127.0.0.1:{server.port}", seconds=0.5)) as store,
        build_opened(store, OLD, clock=lambda: NOW) as stage,
    ):
        yield stage


async def assert_nothing_is_served(stage: Stage, cookie: bytes) -> None:
    began = time.monotonic()
    await until(lambda: stage.opened.find(cookie) is None)
    assert time.monotonic() - began < SOON
    with pytest.raises(StoreUnavailable):
        await stage.opened.admit([(b"cookie", cookie)], may_meet_401=True)


async def test_a_redis_that_stops_is_an_outage_for_what_is_remembered_too(
    server: RedisServer, stage: Stage
) -> None:
    _, cookie = await sign_in(stage)
    before = await remember(stage, cookie)
    told: list[str] = []
    stage.opened.watch(before.session.key, told.append)
    server.stop()
    await assert_nothing_is_served(stage, cookie)
    server.start()
    await until(lambda: stage.opened._looks.trusted_until > time.monotonic())  # noqa: SLF001 - nothing else tells
    assert (await remember(stage, cookie)).session == before.session
    assert told == []


async def test_a_redis_that_does_not_answer_is_an_outage_for_what_is_remembered_too(
    server: RedisServer, stage: Stage
) -> None:
    _, cookie = await sign_in(stage)
    before = await remember(stage, cookie)
    server.process.send_signal(signal.SIGSTOP)
    try:
        await assert_nothing_is_served(stage, cookie)
    finally:
        server.process.send_signal(signal.SIGCONT)
    await until(lambda: stage.opened._looks.trusted_until > time.monotonic())  # noqa: SLF001 - nothing else tells
    assert (await remember(stage, cookie)).session == before.session


async def test_a_lost_subscription_drops_everything_and_what_it_missed_is_heeded(
    server: RedisServer, stage: Stage
) -> None:
    (ended, cookie), (lasting, other_cookie) = await sign_in(stage), await sign_in(stage)
    before = [await remember(stage, each) for each in (cookie, other_cookie)]
    told: list[str] = []
    stage.opened.watch(ended.key, told.append)
    stage.opened.watch(lasting.key, lambda _: told.append("another's"))
    url = f"redis://127.0.0.1:{server.port}"
    async with opened(RedisStore(url)) as store, Redis.from_url(url) as client:
        await client.execute_command("CLIENT", "KILL", "TYPE", "pubsub")  # type: ignore[no-untyped-call] # redis-py
        await store.end_session(ended.key, reason="signed_out", now=NOW)
        began = time.monotonic()
    await until(lambda: not any(each.is_live for each in before))
    await until(lambda: told == ["signed_out"])
    assert time.monotonic() - began < SOON
    assert await refusal(stage, cookie) == "signed_out"
    assert (await remember(stage, other_cookie)).session.key == lasting.key
    assert told == ["signed_out"]
