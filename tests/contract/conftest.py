"""The stores as fixtures: a test that asks for one runs once for each."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest
from redis.asyncio import Redis

from gateway.sessions.redis import RedisStore
from tests.contract import redis_servers
from tests.contract.stores import SHARED_STORES, STORES, opened

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from gateway.sessions.store import SessionStore
    from tests.contract.redis_servers import RedisServer


@pytest.fixture(scope="session", autouse=True)
def _servers() -> Iterator[None]:
    yield
    redis_servers.stop_all()


@pytest.fixture(params=STORES)
def closed_store(request: pytest.FixtureRequest, tmp_path: Path) -> SessionStore:
    """Return a store that is not open yet."""
    return STORES[request.param](tmp_path)


@pytest.fixture
async def store(closed_store: SessionStore) -> AsyncIterator[SessionStore]:
    """Return an empty store."""
    async with opened(closed_store):
        yield closed_store


@pytest.fixture(params=SHARED_STORES)
async def peers(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[tuple[SessionStore, SessionStore]]:
    """Return two stores, as two processes have them, that keep the same sessions."""
    async with AsyncExitStack() as stack:
        one = await stack.enter_async_context(opened(STORES[request.param](tmp_path)))
        other = await stack.enter_async_context(opened(STORES[request.param](tmp_path)))
        yield one, other


@pytest.fixture
async def redis_client() -> AsyncIterator[Redis]:
    """Return a client of the one Redis that most tests share, emptied."""
    async with Redis.from_url(redis_servers.single_url()) as client:
        await client.flushall()
        yield client


@pytest.fixture
async def redis_store(redis_client: Redis) -> AsyncIterator[RedisStore]:
    """Return an empty store in it."""
    _ = redis_client
    async with opened(RedisStore(redis_servers.single_url())) as store:
        assert isinstance(store, RedisStore)
        yield store


@pytest.fixture
def redis_server() -> Iterator[RedisServer]:
    """Return a Redis of the test's own, which it may stop and fill."""
    server = redis_servers.start_server()
    yield server
    server.stop()
