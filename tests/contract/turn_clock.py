"""The stores by a clock that the test moves: Redis too, whose script otherwise asks its server."""

from __future__ import annotations

import hashlib
import itertools
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gateway.sessions import redis_link, sqlite_turns
from gateway.sessions.memory import MemoryStore
from gateway.sessions.redis import RedisStore
from gateway.sessions.redis_script import SCRIPT
from gateway.sessions.sqlite import SqliteStore
from gateway.sessions.turn import LEASE, Pace, Turn, Waiting
from tests.contract import redis_servers
from tests.contract.records import NOW, key
from tests.contract.stores import namespace

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import pytest

    from gateway.sessions.store import SessionStore

_ASKS = b"local time = call('TIME')"
_IS_TOLD = b"local time = {call('GET', bucket .. 'clock'), 0}"


class _ToldRedis(RedisStore):
    """A Redis store whose clock is the caller's."""

    async def take_turn(
        self, key: bytes, *, owner: bytes, waiting: Sequence[Waiting], pace: Pace, now: float
    ) -> Turn:
        await self._tell(key, now)
        return await super().take_turn(key, owner=owner, waiting=waiting, pace=pace, now=now)

    async def slow_down(self, key: bytes, *, pace: Pace, now: float) -> None:
        await self._tell(key, now)
        await super().slow_down(key, pace=pace, now=now)

    async def _tell(self, key: bytes, now: float) -> None:
        await self._link.run("SET", f"{self._link.prefix(key[0])}clock", repr(now))


CLOCKED_STORES: dict[str, Callable[[Path], SessionStore]] = {
    "memory": lambda _: MemoryStore(),
    "sqlite": lambda folder: SqliteStore(folder / "sessions.db"),
    "redis": lambda folder: _ToldRedis(redis_servers.single_url(), namespace=namespace(folder)),
    "cluster": lambda folder: _ToldRedis(redis_servers.cluster_url(), namespace=namespace(folder)),
}


def stop_clocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no time pass in a store but what it is told."""
    script = SCRIPT.replace(_ASKS, _IS_TOLD)
    assert script != SCRIPT
    monkeypatch.setattr(redis_link, "SCRIPT", script)
    monkeypatch.setattr(redis_link, "DIGEST", hashlib.sha1(script, usedforsecurity=False).hexdigest())
    monkeypatch.setattr(sqlite_turns, "monotonic", lambda: 0.0)


@dataclass
class Budget:
    """One budget of a store, its callers' clock, and when calls were sent."""

    store: SessionStore
    pace: Pace = field(default_factory=lambda: Pace(2, 2))
    name: str = "budget"
    now: float = NOW
    sent: list[float] = field(default_factory=list)

    async def ask(self, *waiting: tuple[str, int], owner: str = "a") -> Turn:
        """Ask for an owner with so many calls of sessions."""
        rows = [Waiting(session.encode(), calls) for session, calls in waiting]
        return await self.ask_for(*rows, owner=owner)

    async def ask_for(self, *waiting: Waiting, owner: str) -> Turn:
        """Ask for an owner whose calls are more or less urgent and old."""
        turn = await self.store.take_turn(
            key(self.name),
            owner=owner.encode(),
            waiting=waiting,
            pace=self.pace,
            now=self.now,
        )
        if turn.session:
            self.sent.append(self.now)
        return turn

    async def slow_down(self) -> None:
        """Tell of a refusal."""
        await self.store.slow_down(key(self.name), pace=self.pace, now=self.now)

    async def drain(self, calls: int) -> list[float]:
        """Send so many calls of one session as soon as may be; return when, from the first on."""
        times: list[float] = []
        while len(times) < calls:
            turn = await self.ask(("x", calls - len(times)))
            if turn.session:
                times.append(self.now)
            if len(times) < calls:
                self.now += turn.wait
        return [round(moment - times[0], 3) for moment in times]

    async def run(self, waiting: dict[str, dict[str, int]], *, dead: frozenset[str] = frozenset()) -> str:
        """Let owners ask when they are told to until nothing waits; return the sessions in their order.

        The dead ask once, as the others do, and are never heard of again.
        """
        line = deque((self.now, owner) for owner in waiting)
        served: list[str] = []
        while line:
            line = deque(sorted(line))
            moment, owner = line.popleft()
            self.now = max(self.now, moment)
            mine = waiting[owner]
            turn = await self.ask(*mine.items(), owner=owner)
            if turn.session is not None:
                session = turn.session.decode()
                served.append(session)
                mine[session] -= 1
                waiting[owner] = mine = {name: calls for name, calls in mine.items() if calls}
            if mine and owner not in dead:
                line.append((self.now + min(turn.wait, LEASE / 2), owner))
        return "".join(served)


def calls_of(turn: Turn) -> list[tuple[bytes, int]]:
    """Return how many calls wait in other processes, by session."""
    return sorted((row.session, row.calls) for row in turn.others)


def longest_gap(times: Sequence[float]) -> float:
    """Return the longest time between one moment and the next."""
    return max(after - before for before, after in itertools.pairwise(times))


def excess(times: Sequence[float], pace: Pace) -> float:
    """Return by how many calls a bucket of this pace would overflow: above 0 is too much."""
    level, last, most = 0.0, times[0] if times else 0.0, 0.0
    for moment in times:
        level = max(0.0, level - (moment - last) * pace.rate) + 1
        last = moment
        most = max(most, level)
    return most - pace.burst
