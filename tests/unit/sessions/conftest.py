"""A vault over a store in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gateway.sessions.memory import MemoryStore
from tests.unit.sessions.sign_ins import OLD, build_vault

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gateway.sessions.vault import Vault


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
