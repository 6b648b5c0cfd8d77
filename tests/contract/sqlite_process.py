"""A process that works on a SQLite store, told what to do by its arguments; the tests start and kill it."""

from __future__ import annotations

import asyncio
import os
import resource
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.errors import StoreUnavailable
from gateway.sessions.records import GrantRecord
from gateway.sessions.sqlite import SqliteStore
from tests.contract.records import NOW, grant_record, key, session_record

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

ROOM_BYTES = 400_000


def say(words: str) -> None:
    """Tell the test, at once."""
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


async def count_up(store: SqliteStore, times: str) -> None:
    """Raise the shared grant's generation so many times; say how often another one was first."""
    lost = 0
    for _ in range(int(times)):
        while True:
            grant = await store.read_grant(key("grant"))
            assert isinstance(grant, GrantRecord)
            if await store.replace_grant(
                replace(grant, generation=grant.generation + 1), expected_generation=grant.generation
            ):
                break
            lost += 1
    say(f"{lost}")


async def spend(store: SqliteStore, keys: str) -> None:
    """Try to spend so many keys; say how many were had."""
    won = [await store.spend_once(key(f"{n}"), expires_at=NOW + 600, now=NOW) for n in range(int(keys))]
    say(f"{won.count(True)}")


async def write_until_killed(store: SqliteStore, name: str) -> None:
    """Begin, refresh and end sessions; say each thing once it is promised to last."""
    number = 0
    while True:
        session, number = f"{name} {number}", number + 1
        await store.add(session_record(session, session), grant_record(session), replaces=None, now=NOW)
        say(f"began {session}")
        await store.replace_grant(grant_record(session, generation=2), expected_generation=1)
        say(f"refreshed {session}")
        if number % 2:
            await store.end_session(key(session), reason="signed_out", now=NOW)
            say(f"ended {session}")


async def fill(store: SqliteStore, _: str) -> None:
    """Write until there is no room, then again once there is; say how many sessions were kept."""
    number = 0
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM_BYTES, resource.RLIM_INFINITY))
    try:
        while True:
            session = replace(session_record(f"{number}"), sealed=bytes(2000))
            await store.add(session, grant_record(), replaces=None, now=NOW)
            number += 1
    except StoreUnavailable:
        pass
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    await store.add(session_record("after"), grant_record(), replaces=None, now=NOW)
    say(f"{number}")


async def end(store: SqliteStore, session_key: str) -> None:
    """End a session, at once when the test says so; say when that was done."""
    say("ready")
    sys.stdin.readline()
    await store.end_session(bytes.fromhex(session_key), reason="signed_out", now=NOW)
    say("ended")


async def append(store: SqliteStore, events: str) -> None:
    """Add so many events to the log, once the test says so."""
    say("ready")
    sys.stdin.readline()
    for number in range(int(events)):
        await store.append_event(b"%d" % number, now=NOW)
    say("appended")


WORK: dict[str, Callable[[SqliteStore, str], Awaitable[None]]] = {
    "count_up": count_up,
    "spend": spend,
    "write_until_killed": write_until_killed,
    "fill": fill,
    "end": end,
    "append": append,
}


async def main(path: str, work: str, argument: str) -> None:
    """Open the store, do the work, close it; as a stranger, only try to open it."""
    store = SqliteStore(Path(path), busy_seconds=30)
    if work == "open_as_stranger":
        if os.geteuid() == 0:
            os.seteuid(65534)
        try:
            await store.open()
        except StoreUnavailable as exc:
            say(f"{exc.code} {exc.detail!r}")
        return
    await store.open()
    await WORK[work](store, argument)
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
