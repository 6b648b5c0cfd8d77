"""A gateway between raw sockets: two people signed in, and what must be so after each test."""

from __future__ import annotations

import asyncio
import gc
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gateway.browser.cookie import SESSION_COOKIE
from tests.hostile.counting_lane import CountingLane
from tests.support import raw_browser
from tests.support.browser import Browser
from tests.support.canary import find_leaks
from tests.support.raw_browser import RawBrowser, SignedIn
from tests.support.raw_upstream import OK, running_raw_upstream
from tests.support.running import running_gateway
from tests.support.tcp import CLOSE_WAIT, open_sockets
from tests.support.wire import until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tests.support.raw_upstream import Connection, RawUpstream
    from tests.support.rfc9112 import Answer, Request
    from tests.support.running import Running

MAX_IDLE_CONNECTIONS = 50
"""What the gateway keeps open to one upstream at most."""
_TICK = 0.2
"""Seconds; the servers look up ten times a second, and what is due sooner than this ends by itself."""


@dataclass(repr=False)
class Stage:
    """The gateway, the upstream that answers as it likes, and the sessions of Anna and Jonas."""

    running: Running
    upstream: RawUpstream
    people: list[SignedIn]
    lane: CountingLane
    tasks: int = field(init=False)
    timers: int = field(init=False)

    def __post_init__(self) -> None:
        self._first = set(self.running.sandbox.grants.issued)
        self._old: set[str] = set()
        until(lambda: not self._browser_sockets())
        # What is frozen is not listed, so that only what comes later is looked through after each test.
        self._early = _timer_handles()
        gc.freeze()
        self.tasks, self.timers = map(len, self._pending())

    def _repr_pretty_(self, printer: Any, _: bool) -> None:  # noqa: ANN401, FBT001 - as hypothesis asks for it
        printer.text("stage")

    @property
    def port(self) -> int:
        return int(self.running.url.rpartition(":")[2])

    @property
    def anna(self) -> SignedIn:
        return self.people[0]

    @property
    def jonas(self) -> SignedIn:
        return self.people[1]

    def browser(self) -> RawBrowser:
        """Open a connection to the gateway."""
        return RawBrowser(self.port)

    def call(
        self,
        path: str = "/api/v1/thing",
        method: str = "GET",
        fields: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> Answer:
        """Let Anna call the API on a connection of her own, and return the answer."""
        self.settle()
        own = dict(fields or {}) | ({"Content-Length": str(len(body))} if body else {})
        with self.browser() as browser:
            return browser.ask(self.anna.head(method, path, own) + body, method)

    def warm(self) -> None:
        """Have Anna's session remembered and a connection to the upstream kept: the lane's two conditions."""
        script, self.upstream.script = self.upstream.script, answer_own
        self.lane.reset()
        for _ in range(20):
            assert self.call("/api/v1/warm").status == 200
            if self.lane.taken:
                break
        self.upstream.requests.clear()
        self.upstream.script = script
        self.lane.reset()

    def settle(self) -> None:
        """Wait until the gateway has closed what the upstream closed.

        A request that is written before that is lost with its connection, and no gateway can know better.
        """
        port = self.upstream.port
        until(lambda: not [each for each in open_sockets(port) if each.state == CLOSE_WAIT])

    def reset(self) -> None:
        """Begin a test."""
        self.upstream.reset()
        self.lane.reset()
        self._old = set(self.running.sandbox.grants.issued) - self._first
        raw_browser.received_by_all.clear()

    def assert_nothing_is_left(self) -> None:
        """Check that no connection, task or timer outlived the test's calls, and no token got out."""
        assert self.upstream.faults == []
        until(lambda: not self.upstream.busy())
        self.settle()
        assert len(self.upstream.idle()) <= MAX_IDLE_CONNECTIONS
        until(lambda: not self._browser_sockets())
        try:
            until(self._are_tasks_and_timers_gone)
        except AssertionError:
            tasks, timers = self._pending()
            raise AssertionError(f"left: {tasks[self.tasks :]} {timers}, at first {self.timers}") from None
        self.assert_no_token_was_seen()

    def assert_no_token_was_seen(self) -> None:
        """Search what the raw browsers received, raw and without chunks, for every token in use."""
        tokens = self.upstream.tokens() | (set(self.running.sandbox.grants.issued) - self._old)
        assert find_leaks(tokens, b"\n".join(raw_browser.received_by_all)) == []

    def _are_tasks_and_timers_gone(self) -> bool:
        tasks, timers = map(len, self._pending())
        # One timer for the pool, or for each connection in it, is no leak: it is what closes them.
        return tasks <= self.tasks and timers <= self.timers + 1 + len(self.upstream.idle())

    def _browser_sockets(self) -> list[object]:
        return [found for found in open_sockets(self.port) if found.local_port == self.port]

    def _pending(self) -> tuple[list[str], list[str]]:
        """Return the tasks, and the timers, of the gateway's loop."""

        async def look() -> tuple[list[str], list[str]]:
            loop = asyncio.get_running_loop()
            soon = loop.time() + _TICK
            timers = [
                repr(each)
                for each in self._early + _timer_handles()
                if not each.cancelled() and each.when() > soon and _is_kept_by(loop, each)
            ]
            tasks = [repr(each) for each in asyncio.all_tasks(loop) if each is not asyncio.current_task()]
            return tasks, timers

        pending: tuple[list[str], list[str]] = self.running.call(look())
        return pending


@contextmanager
def running_stage(
    settings: Mapping[str, str] | None = None, *, people: Sequence[str] = ("anna", "jonas")
) -> Iterator[Stage]:
    """Run upstream and gateway, and sign the people in, each for a session, until the block ends."""
    with (
        running_raw_upstream() as upstream,
        running_gateway("openid", settings={"LEXGATE_API_URL": upstream.url, **(settings or {})}) as running,
    ):
        public = running.gateway.public
        public.lane = lane = CountingLane(public.lane.forward, public.lane.request_log)
        yield Stage(running, upstream, [sign_in(running.public_url, name) for name in people], lane)
        gc.unfreeze()


def own_answer(request: Request) -> bytes:
    """Return what only this call may get for an answer: whose token asked, and for what."""
    caller = (request.header("authorization") or b"")[-12:].hex().encode()
    return caller + b" " + request.target + b" " + request.body


def answer_own(connection: Connection, request: Request) -> None:
    """Say it."""
    body = own_answer(request)
    connection.send(OK + b"Content-Length: %d\r\n\r\n%b" % (len(body), body))


def _timer_handles() -> list[asyncio.TimerHandle]:
    found: list[Any] = gc.get_objects()
    return [each for each in found if type(each).__name__ == "TimerHandle"]


def _is_kept_by(loop: asyncio.AbstractEventLoop, timer: asyncio.TimerHandle) -> bool:
    """Say whether a timer is of this loop, not another stage's, and is more than a task's pause or limit.

    A task that waits is counted as such, and those of the gateway's own wait now and then.
    """
    is_of_task = any(name in repr(timer) for name in ("_set_result_unless_cancelled", "Timeout._on_timeout"))
    return not is_of_task and any(each is loop for each in gc.get_referents(timer))


def sign_in(public_url: str, name: str) -> SignedIn:
    """Sign somebody in through the sandbox's pages."""
    with Browser(public_url) as browser:
        browser.sign_in(user=name)
        return SignedIn(name, f"{SESSION_COOKIE}={browser.cookie(SESSION_COOKIE)}", public_url)
