"""Prints what a session costs in each store: python -m tests.contract.measure, with the count to try."""

from __future__ import annotations

import asyncio
import gc
import sys
import time
import tracemalloc
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from gateway.sessions.keyring import Keyring
from gateway.sessions.session import Tokens, build_session_key
from gateway.sessions.vault import Vault
from tests.contract import redis_servers
from tests.contract.records import NOW
from tests.contract.stores import STORES, opened

if TYPE_CHECKING:
    from gateway.sessions.store import SessionStore

_AT_ONCE = 32


async def _fill(store: SessionStore, sessions: int, characters: int) -> list[bytes]:
    vault = Vault(
        store, Keyring(["a secret of at least thirty-two bytes"]), idle_seconds=1800, max_seconds=36000
    )
    tokens = Tokens(
        access_token="a" * characters,
        refresh_token="r" * 128,
        expires_at=NOW + 3600,
        refreshed_at=NOW,
        scope="profile.read",
    )
    keys: list[bytes] = []
    for number in range(sessions):
        names = {"issuer": "https://as.example", "client_id": "client", "subject": f"{number}"}
        session_id = vault.new_session_id(**names, connection_id=f"{number}")
        keys.append(build_session_key(session_id))
        await vault.begin(
            session_id=session_id,
            **names,
            connection_id=f"{number}",
            claims={"name": "Ada Lovelace", "email": "ada@example.com", "organization": "Analytical Engines"},
            tokens=tokens,
            replaces=None,
            now=NOW,
            device="Firefox on Linux",
            address="192.0.2.7",
            ceilings=(),
        )
    return keys


async def _look_ups(store: SessionStore, keys: list[bytes], at_once: int) -> float:
    """Return how many sessions a second are read."""

    async def read(some: list[bytes]) -> None:
        for key in some:
            assert await store.read_session(key) is not None

    began = time.perf_counter()
    await asyncio.gather(*(read(keys[start::at_once]) for start in range(at_once)))
    return len(keys) / (time.perf_counter() - began)


def _used(name: str, folder: Path) -> int:
    """Return the bytes that a store takes now."""
    if name == "memory":
        gc.collect()
        return tracemalloc.get_traced_memory()[0]
    if name == "sqlite":
        return sum(path.stat().st_size for path in folder.iterdir())
    url = redis_servers.single_url() if name == "redis" else redis_servers.cluster_url()
    return sum(
        int(
            redis_servers.ask(int(address.rpartition(":")[2]), "info", "memory")
            .split("used_memory:")[1]
            .split()[0]
        )
        for address in url.rpartition("/")[2].split(",")
    )


async def measure(name: str, sessions: int, characters: int) -> str:
    """Return a line of the table."""
    with TemporaryDirectory() as folder:
        if name == "memory":
            tracemalloc.start()
        store = STORES[name](Path(folder))
        async with opened(store):
            before = _used(name, Path(folder))
            keys = await _fill(store, sessions, characters)
            if name == "sqlite":
                await store.close()
                await store.open()
            size = (_used(name, Path(folder)) - before) / sessions
            tracemalloc.stop()
            one, many = [await _look_ups(store, keys, at_once) for at_once in (1, _AT_ONCE)]
    return f"| {name} | {characters} | {size:,.0f} | {one:,.0f} | {many:,.0f} |"


async def main(sessions: int) -> None:
    """Print the table."""
    say = sys.stdout.write
    say(f"| store | token | bytes a session | look-ups/s, one by one | {_AT_ONCE} at once |\n")
    say("|---|---|---|---|---|\n")
    for name in STORES:
        for characters in (1000, 4096):
            say(await measure(name, sessions, characters) + "\n")
    redis_servers.stop_all()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
