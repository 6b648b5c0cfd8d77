"""A vault over a store in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gateway.sessions.memory import MemoryStore
from tests.support.opened import CountedStore, build_opened
from tests.support.running import Clock
from tests.unit.sessions.sign_ins import NOW, OLD, build_vault

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gateway.sessions.vault import Vault
    from tests.support.opened import Stage


@pytest.fixture
async def store() -> AsyncIterator[MemoryStore]:
    """Return an empty store."""
    store = MemoryStore()
    await store.open()
    yield store
    await store.close()


@pytest.fixture
def vault(store: MemoryStore) -> Vault:
    """Return a vault that seals with the old secret."""
    return build_vault(store, OLD)


@pytest.fixture
def clock() -> Clock:
    """Return the gateway's clock, which stands still."""
    return Clock(NOW)


@pytest.fixture
def monotonic() -> Clock:
    """Return the clock that nobody sets."""
    return Clock(0)


@pytest.fixture
def counted(store: MemoryStore) -> CountedStore:
    """Return the store as one process sees it."""
    return CountedStore(store)


@pytest.fixture
async def stage(counted: CountedStore, clock: Clock, monotonic: Clock) -> AsyncIterator[Stage]:
    """Return a process that has looked once, and looks only when it is told to."""
    async with build_opened(counted, OLD, clock=clock, monotonic=monotonic) as stage:
        await stage.look()
        yield stage


@pytest.fixture
async def other(store: MemoryStore, clock: Clock, monotonic: Clock) -> AsyncIterator[Stage]:
    """Return another process on the same store."""
    async with build_opened(store, OLD, clock=clock, monotonic=monotonic) as stage:
        yield stage
