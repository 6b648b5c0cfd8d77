"""Two replicas over one store, and a store that can be held up at any step of what they share there."""

from __future__ import annotations

import asyncio
import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.flows.asking_once.scene import ok
from tests.hostile.stage import sign_in
from tests.support.raw_browser import RawBrowser
from tests.support.raw_upstream import running_raw_upstream
from tests.support.running import running_gateway, running_replica
from tests.support.wire import until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gateway.proxy.asking_once import AskingOnce
    from tests.support.raw_browser import SignedIn
    from tests.support.raw_upstream import Connection, RawUpstream
    from tests.support.rfc9112 import Answer, Request
    from tests.support.running import Clock, Running

SETTINGS = {"LEXGATE_CACHE": json.dumps({"/api/v1/kept": 300}), "LEXGATE_GRANTS": "connection"}


class HeldStore:
    """A store that waits at the steps named in `held`, "before <operation>" or "after <operation>"."""

    def __init__(self, store: Any) -> None:  # noqa: ANN401 - any store
        self._store = store
        self.held: set[str] = set()
        self.waiting: list[str] = []

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - any operation
        work = getattr(self._store, name)

        async def run(*values: Any, **named: Any) -> Any:  # noqa: ANN401 - the same
            await self._pass(f"before {name}")
            result = await work(*values, **named)
            await self._pass(f"after {name}")
            return result

        return run

    async def _pass(self, step: str) -> None:
        self.waiting.append(step)
        while step in self.held:  # noqa: ASYNC110 - another thread's test lets it go on
            await asyncio.sleep(0.005)
        self.waiting.remove(step)


@dataclass
class Replica:
    """One of the two; `store` stands between its second level and the store it is in."""

    running: Running
    store: HeldStore = field(init=False)

    def __post_init__(self) -> None:
        peers: Any = self.asking_once.peers
        self.store = peers._store = HeldStore(peers._store)  # noqa: SLF001 - the one place to stand between

    @property
    def asking_once(self) -> AskingOnce:
        return self.running.gateway._asking_once  # noqa: SLF001 - what it keeps is seen nowhere else

    def heard(self) -> str:
        """Return the last event that it has heard: one that comes later makes its reads outdated."""
        return self.running.gateway._bus.last_id  # noqa: SLF001 - seen nowhere else

    def browser(self) -> RawBrowser:
        return RawBrowser(int(self.running.url.rpartition(":")[2]))

    def forget(self) -> None:
        """Empty its own cache, as if it had just been started."""

        async def forget() -> None:
            cache = self.asking_once.cache
            cache.forget_everything()
            cache._unsettled.clear()  # noqa: SLF001 - of the test before

        self.running.call(forget())

    def readers(self) -> int:
        """Count who waits for calls that are shared."""

        async def count() -> int:
            return sum(len(each.shared.readers) for each in self.asking_once._aloft)  # noqa: SLF001 - the same

        return int(self.running.call(count()))

    def left(self) -> int:
        """Count the calls, reads and claims that go on."""

        async def count() -> int:
            once = self.asking_once
            peers: Any = once.peers
            renewing = [each for each in asyncio.all_tasks() if "Fetch._renew" in repr(each)]
            return len(once._aloft) + len(once.cache._readings) + len(peers._leaving) + len(renewing)  # noqa: SLF001 - the same

        return int(self.running.call(count()))

    @contextmanager
    def holding(self, step: str) -> Iterator[None]:
        """Hold its store up at a step until the block ends."""
        self.store.held.add(step)
        try:
            yield
        finally:
            self.store.held.discard(step)

    def has_come_to(self, step: str) -> None:
        """Wait until somebody is held up there."""
        until(lambda: step in self.store.waiting)


@dataclass
class Peers:
    """Both replicas, the upstream that says how often it was written to, and Anna."""

    one: Replica
    other: Replica
    upstream: RawUpstream
    anna: SignedIn
    written: int = 0

    def reset(self) -> None:
        """Begin a test with nothing kept anywhere."""
        self.upstream.script = self.answer
        before = {self.one.heard(), self.other.heard()}
        self.call(self.one, "PUT")
        until(lambda: self.one.heard() == self.other.heard() not in before)
        for replica in (self.one, self.other):
            replica.forget()
        self.upstream.requests.clear()

    def answer(self, connection: Connection, request: Request) -> None:
        """Count writes, and say how many there were."""
        self.written += request.method != "GET"
        connection.send(ok(b"%d" % self.written))

    def head(self, method: str = "GET", fields: Mapping[str, str] | None = None) -> bytes:
        length = {} if method == "GET" else {"Content-Length": "0"}
        return self.anna.head(method, "/api/v1/kept/thing", length | dict(fields or {}))

    def call(self, replica: Replica, method: str = "GET", fields: Mapping[str, str] | None = None) -> Answer:
        """Make one call through a replica and return its answer."""
        with replica.browser() as browser:
            return browser.ask(self.head(method, fields), method)

    def read(self, replica: Replica, fields: Mapping[str, str] | None = None) -> int:
        """Return how many writes a replica knows of."""
        answer = self.call(replica, fields=fields)
        assert answer.status == 200, answer
        return int(answer.body)


@contextmanager
def running_peers(store: str, clock: Clock) -> Iterator[Peers]:
    """Run both until the block ends."""
    with (
        running_raw_upstream() as upstream,
        running_gateway(
            "openid",
            settings=SETTINGS | {"LEXGATE_API_URL": upstream.url},
            store=store,
            clock=clock,
        ) as first,
        running_replica(first) as second,
    ):
        yield Peers(Replica(first), Replica(second), upstream, sign_in(first.public_url, "anna"))
