"""The stores as fixtures: a test that asks for one runs once for each."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest

from tests.contract import redis_servers
from tests.contract.stores import SHARED_STORES, STORES, opened

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from gateway.sessions.store import SessionStore


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
