"""Every store that the contract suite runs against: a new one is a line here."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from gateway.sessions.memory import MemoryStore
from gateway.sessions.sqlite import SqliteStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from gateway.sessions.store import SessionStore

STORES: dict[str, Callable[[Path], SessionStore]] = {
    "memory": lambda _: MemoryStore(),
    "sqlite": lambda folder: SqliteStore(folder / "sessions.db"),
}
SHARED_STORES = ("sqlite",)
"""Those that several processes may open at once."""
CALLER_CLOCK_STORES = ("memory", "sqlite")
"""Those that have no clock of their own."""


@asynccontextmanager
async def opened(store: SessionStore) -> AsyncIterator[SessionStore]:
    """Hand out the store open, and close it in the end."""
    await store.open()
    try:
        yield store
    finally:
        await store.close()
