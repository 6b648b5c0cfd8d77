"""Several processes share one budget, in real time: never too much, in turns, and the dead hold nobody up."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from gateway.sessions.turn import GRACE, MARGIN, Pace, Waiting
from tests.contract import redis_servers
from tests.contract.records import NOW, key
from tests.contract.stores import SHARED_STORES
from tests.contract.turn_clock import longest_gap
from tests.contract.turn_process import PACE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gateway.sessions.store import SessionStore

ROOT = Path(__file__).parents[2]
URLS: dict[str, Callable[[], str]] = {
    "sqlite": lambda: "",
    "redis": redis_servers.single_url,
    "cluster": redis_servers.cluster_url,
}
LATE = 2.0
"""Seconds that a busy machine may take over what is due."""


class Sent(NamedTuple):
    """A call that was sent: whose, and between which moments it had its turn."""

    session: str
    asked_at: float
    told_at: float


class Processes:
    """Processes on one store, each with a session of its own that is called as the process is."""

    def __init__(self, url: str, folder: Path, stack: ExitStack) -> None:
        self._arguments = [sys.executable, "-m", "tests.contract.turn_process", url, str(folder)]
        self._stack = stack
        self._started: dict[str, subprocess.Popen[str]] = {}

    def start(self, calls: dict[str, int]) -> None:
        """Start processes, and let all of them go once each is ready."""
        for name, count in calls.items():
            process = subprocess.Popen(
                [*self._arguments, name, str(count)],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            self._started[name] = self._stack.enter_context(process)
            self._stack.callback(process.kill)
        for name in calls:
            assert self._line(name) == "ready"
        for name in calls:
            stdin = self._started[name].stdin
            assert stdin is not None
            stdin.write("go\n")
            stdin.flush()

    def next_sent(self, name: str) -> Sent:
        """Return the next call that a process sends."""
        return _sent(self._line(name))

    def kill(self, name: str) -> list[Sent]:
        """Kill a process; return what it has sent that was not read."""
        self._started[name].kill()
        return self.rest(name)

    def rest(self, name: str) -> list[Sent]:
        """Return what a process sends until it ends."""
        output, _ = self._started[name].communicate(timeout=60)
        # The line that was being written when it was killed may be cut short.
        return [_sent(line) for line in output.splitlines(keepends=True) if line.endswith("\n")]

    def _line(self, name: str) -> str:
        stdout = self._started[name].stdout
        assert stdout is not None
        return stdout.readline().strip()


def _sent(line: str) -> Sent:
    session, asked_at, told_at = line.split()
    return Sent(session, float(asked_at), float(told_at))


def _excess(sent: list[Sent], pace: Pace) -> float:
    """Return by how many calls a span of time certainly had too many: above 0 is too much."""
    return max(
        sum(first.asked_at <= call.asked_at and call.told_at <= last.told_at for call in sent)
        - (last.told_at - first.asked_at) * pace.rate
        - pace.burst
        for first in sent
        for last in sent
        if first.told_at <= last.told_at
    )


@pytest.fixture(params=SHARED_STORES)
def processes(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Processes]:
    with ExitStack() as stack:
        yield Processes(URLS[request.param](), tmp_path, stack)


def test_processes_share_a_budget_exactly_and_in_turns(processes: Processes) -> None:
    processes.start({"x": 8, "y": 8, "z": 8})
    sent = sorted((call for name in "xyz" for call in processes.rest(name)), key=lambda call: call.told_at)
    assert Counter(call.session for call in sent) == {"x": 8, "y": 8, "z": 8}
    assert _excess(sent, PACE) <= 0
    arithmetic = (len(sent) - PACE.burst) / PACE.rate + MARGIN
    assert sent[-1].told_at - sent[0].asked_at < arithmetic + LATE
    # Who has not asked yet, for want of a processor, is not passed over.
    all_ask = max(min(call.asked_at for call in sent if call.session == name) for name in "xyz")
    counts: Counter[str] = Counter()
    for call in (call for call in sent if call.told_at >= all_ask):
        counts[call.session] += 1
        assert max(counts.values()) - min(counts[name] for name in "xyz") <= 3


def test_a_killed_process_takes_nothing_with_it_and_holds_nobody_up(processes: Processes) -> None:
    processes.start({"x": 8, "y": 8, "killed": 1000})
    sent = [processes.next_sent("killed") for _ in range(2)] + processes.kill("killed")
    killed_at = time.time()
    others = [call for name in "xy" for call in processes.rest(name)]
    assert Counter(call.session for call in others) == {"x": 8, "y": 8}
    assert _excess(sent + others, PACE) <= 0
    times = sorted(call.told_at for call in sent + others)
    assert longest_gap(times) < 1 / PACE.rate + GRACE + LATE
    left = [at for at in times if at > killed_at]
    assert left[-1] - killed_at < (len(left) + 2) / PACE.rate + 12 * GRACE + LATE


async def test_of_owners_who_ask_at_once_as_many_are_served_as_may_be(
    peers: tuple[SessionStore, SessionStore],
) -> None:
    async def ask(number: int) -> bytes | None:
        """Ask until there is a turn, or none for long."""
        while True:
            turn = await peers[number % 2].take_turn(
                key("budget"),
                owner=b"%016d" % number,
                waiting=[Waiting(b"x%d" % number, 1)],
                pace=Pace(0.01, 5),
                now=time.time(),
            )
            if turn.session is not None or turn.wait > 1:
                return turn.session

    served = [session for session in await asyncio.gather(*map(ask, range(40))) if session is not None]
    assert len(served) == len(set(served)) == 5


async def test_what_one_slows_down_is_slow_for_the_other(peers: tuple[SessionStore, SessionStore]) -> None:
    await peers[0].slow_down(key("budget"), pace=Pace(2, 2), now=NOW)
    turn = await peers[1].take_turn(
        key("budget"), owner=b"other", waiting=[Waiting(b"x", 1)], pace=Pace(2, 2), now=NOW
    )
    assert turn.session is None
    assert turn.factor == pytest.approx(0.5, abs=0.01)
    assert turn.wait == pytest.approx(1, abs=0.5)
