"""A gateway with a budget before a scripted API, and calls that wait in it."""

from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.support.browser import Browser
from tests.support.running import RunningClock, running_gateway
from tests.support.wire import Heard, Reply, Wire, reply, running_wire, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from concurrent.futures import Future

    import httpx

    from tests.support.running import Running


@dataclass
class Paced:
    """The gateway, its API, and when what came to that."""

    running: Running
    wire: Wire
    threads: ThreadPoolExecutor
    answers: list[Reply] = field(default_factory=list)
    """What the next calls are answered; then `{}` for ever."""
    times: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.wire.script = self._answer

    def _answer(self, _: Heard) -> Reply:
        self.times.append(time.monotonic())
        return self.answers.pop(0) if self.answers else reply()

    def metric(self, sample: str) -> float:
        """Return the value of one sample of the gateway's metrics."""
        page = self.running.gateway._metrics.render()[0].decode()  # noqa: SLF001 - as /metrics has it, but at once
        found = re.search(rf"^{re.escape(sample)} (\S+)$", page, re.MULTILINE)
        return float(found[1]) if found else 0.0

    def begin(
        self, browser: Browser, path: str, method: str = "GET", *, waits: bool = True, **headers: str
    ) -> Future[httpx.Response]:
        """Send a call without waiting for its answer, but, if it `waits`, until it waits for its turn."""
        before = self.metric("lexgate_budget_waiting") if waits else 0.0
        call = self.threads.submit(browser.fetch, path, method, headers=headers)
        until(lambda: not waits or call.done() or self.metric("lexgate_budget_waiting") > before)
        return call

    def heard(self) -> list[str]:
        """Return the targets that were asked for, in their order."""
        return [heard.target.decode() for heard in self.wire.heard]

    def spend_burst(self, browser: Browser, calls: int = 1) -> None:
        """Leave nothing for the next call."""
        for number in range(calls):
            assert browser.fetch(f"/api/burst/{number}").status_code == 200
        self.wire.heard.clear()


@contextmanager
def paced(rate: float, burst: int = 1, **more: str) -> Iterator[Paced]:
    """Run a gateway with a budget, one for everybody unless the settings say otherwise."""
    settings: Mapping[str, str] = {
        "LEXGATE_BUDGET_RATE": str(rate),
        "LEXGATE_BUDGET_BURST": str(burst),
        "LEXGATE_BUDGET_KEY": "client",
        **more,
    }
    with (
        running_wire() as wire,
        running_gateway(
            "openid", settings={"LEXGATE_API_URL": wire.url, **settings}, clock=RunningClock()
        ) as running,
        ThreadPoolExecutor(64) as threads,
    ):
        yield Paced(running, wire, threads)


@contextmanager
def signed_in(running: Running, user: str = "anna") -> Iterator[Browser]:
    """Sign a person in."""
    with Browser(running.public_url) as browser:
        assert browser.sign_in(user=user).status_code == 200
        yield browser


def queue_milliseconds(answer: httpx.Response) -> float:
    """Return how long a call waited for its turns, as its answer says."""
    found = re.search(r"\bqueue;dur=([\d.]+)", answer.headers["server-timing"])
    assert found is not None, answer.headers["server-timing"]
    return float(found[1])


def most_at_once(times: list[float], *, rate: float) -> float:
    """Return the highest level of a bucket that empties at the rate: what burst these times would need."""
    level, last, most = 0.0, times[0], 0.0
    for moment in times:
        level = max(0.0, level - (moment - last) * rate) + 1
        last, most = moment, max(most, level)
    return most


def fetch_all(threads: ThreadPoolExecutor, calls: Sequence[Callable[[], httpx.Response]]) -> list[Any]:
    """Send all calls at once and return their answers."""
    return [call.result() for call in [threads.submit(call) for call in calls]]
