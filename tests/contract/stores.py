"""Every store that the contract suite runs against: a new one is a line here."""

from __future__ import annotations

import hashlib
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from gateway.sessions.memory import MemoryStore
from gateway.sessions.redis import RedisStore
from gateway.sessions.sqlite import SqliteStore
from tests.contract import redis_servers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from gateway.sessions.store import SessionStore

STORES: dict[str, Callable[[Path], SessionStore]] = {
    "memory": lambda _: MemoryStore(),
    "sqlite": lambda folder: SqliteStore(folder / "sessions.db"),
    "redis": lambda folder: RedisStore(redis_servers.single_url(), namespace=namespace(folder)),
    "cluster": lambda folder: RedisStore(redis_servers.cluster_url(), namespace=namespace(folder)),
}
SHARED_STORES = ("sqlite", "redis", "cluster")
"""Those that several processes may open at once."""
CALLER_CLOCK_STORES = ("memory", "sqlite")
"""Those that have no clock of their own."""


def namespace(folder: Path) -> str:
    """Return the part of a Redis that stands for a folder."""
    return hashlib.sha256(str(folder).encode()).hexdigest()[:8]


@asynccontextmanager
async def opened(store: SessionStore) -> AsyncIterator[SessionStore]:
    """Hand out the store open, and close it in the end."""
    await store.open()
    try:
        yield store
    finally:
        await store.close()
