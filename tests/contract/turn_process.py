"""A process whose calls wait for their turns in a store; the tests start several and kill some."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.sessions.redis import RedisStore
from gateway.sessions.sqlite import SqliteStore
from gateway.sessions.turn import LEASE, Pace, Waiting
from tests.contract.records import key
from tests.contract.stores import namespace, opened

if TYPE_CHECKING:
    from gateway.sessions.store import SessionStore

PACE = Pace(10, 2)


def say(words: str) -> None:
    """Tell the test, at once."""
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


def build_store(url: str, folder: Path) -> SessionStore:
    """Return the store that the test uses too: without a URL, the SQLite file in the folder."""
    if url:
        return RedisStore(url, namespace=namespace(folder))
    return SqliteStore(folder / "sessions.db")


async def main(url: str, folder: str, session: str, calls: str) -> None:
    """Send so many calls of a session once the test says so; say between which moments each had its turn."""
    owner, left = os.urandom(16), int(calls)
    async with opened(build_store(url, Path(folder))) as store:
        say("ready")
        sys.stdin.readline()
        while left:
            asked_at = time.time()
            waiting = [Waiting(session.encode(), left)]
            turn = await store.take_turn(key("budget"), owner=owner, waiting=waiting, pace=PACE, now=asked_at)
            if turn.session is not None:
                left -= 1
                say(f"{session} {asked_at!r} {time.time()!r}")
            if left:
                await asyncio.sleep(min(turn.wait, LEASE / 2))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
