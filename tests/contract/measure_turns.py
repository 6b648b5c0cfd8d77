"""Prints what a turn costs in each store: python -m tests.contract.measure_turns, with how many to take."""

from __future__ import annotations

import asyncio
import hashlib
import os
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from gateway.sessions.turn import Pace, Waiting
from tests.contract import redis_servers
from tests.contract.stores import STORES, opened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.sessions.store import SessionStore

_PACE = Pace(2, 2)
_OWNERS = [os.urandom(16) for _ in range(3)]
_CROWD = [Waiting(hashlib.sha256(b"%d" % number).digest(), 5) for number in range(10)]
_AT_ONCE = 16


async def _microseconds(
    store: SessionStore, keys: Sequence[bytes], waiting: Sequence[Waiting], *, at_once: int = 1
) -> float:
    """Return what a turn costs, of which each of `keys` is asked one."""

    async def ask(some: Sequence[bytes]) -> None:
        for number, key in enumerate(some):
            owner = _OWNERS[number % len(_OWNERS)]
            await store.take_turn(key, owner=owner, waiting=waiting, pace=_PACE, now=time.time())

    began = time.perf_counter()
    await asyncio.gather(*(ask(keys[start::at_once]) for start in range(at_once)))
    return 1e6 * (time.perf_counter() - began) / len(keys)


async def measure(name: str, turns: int) -> str:
    """Return a line of the table."""
    with TemporaryDirectory() as folder:
        async with opened(STORES[name](Path(folder))) as store:
            own = [os.urandom(32) for _ in range(turns)]
            alone = await _microseconds(store, own, _CROWD[:1])
            shared = await _microseconds(store, [own[0]] * turns, _CROWD[:1])
            crowded = await _microseconds(store, [own[1]] * turns, _CROWD)
            at_once = await _microseconds(store, own, _CROWD[:1], at_once=_AT_ONCE)
    return f"| {name} | {alone:,.0f} | {shared:,.0f} | {crowded:,.0f} | {at_once:,.0f} |"


async def main(turns: int) -> None:
    """Print the table."""
    say = sys.stdout.write
    say(f"| us a turn | a budget each | one for 3 processes | 10 sessions in each | {_AT_ONCE} at once |\n")
    say("|---|---|---|---|---|\n")
    for name in STORES:
        say(await measure(name, turns) + "\n")
    redis_servers.stop_all()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
