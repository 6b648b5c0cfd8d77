"""Several gateways on one store, before one sandbox, and the deaths of one of them."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import pytest

from tests.support.wire import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.authorization_server import AuthorizationServer
    from gateway.oauth.token import TokenResponse
    from gateway.sandbox.counters import Counters
    from gateway.sandbox.faults import Faults
    from tests.support.browser import Browser
    from tests.support.running import Clock, Running

REPLICAS = 3
CALLS = 30
PROFILE = "/api/v1/profile"


@dataclass
class Replicas:
    """The gateways, and one person's browser before the load balancer in front of them."""

    gateways: list[Running]
    browsers: list[Browser]
    """The same browser, as each of the gateways meets it."""
    asked: int = field(init=False)
    answered: int = field(init=False)

    def __post_init__(self) -> None:
        self.browsers[0].sign_in()
        self.clock.advance(11)  # younger tokens are not blamed for a 401
        for browser in self.browsers[1:]:
            browser.cookies = {host: dict(jar) for host, jar in self.browsers[0].cookies.items()}
        self.asked = self.gateways[0].refreshes()
        self.answered = self._counters.token_answers["refresh_token"]
        self.faults.clear()

    @property
    def _counters(self) -> Counters:
        return self.gateways[0].sandbox.counters

    @property
    def faults(self) -> Faults:
        return self.gateways[0].sandbox.faults

    @property
    def clock(self) -> Clock:
        return self.gateways[0].clock

    def sent(self) -> int:
        """Return how many refreshes the authorization server was asked for since the sign-in."""
        return self.gateways[0].refreshes() - self.asked

    def done(self) -> int:
        """Return how many of them brought tokens."""
        return self._counters.token_answers["refresh_token"] - self.answered

    def expire(self, *, left: float) -> None:
        """Advance the clock until the access token has about `left` seconds."""
        self.gateways[0].expire(self.browsers[0], left=left)

    def call_all(self) -> list[int]:
        """Call the API from everywhere at once; returns the statuses."""
        with ThreadPoolExecutor(CALLS) as threads:
            calls = [
                threads.submit(self.browsers[number % REPLICAS].fetch, PROFILE) for number in range(CALLS)
            ]
            return [call.result().status_code for call in calls]

    def assert_whole(self, *, generation: int) -> None:
        """Check that all gateways know the same tokens, and that these are good for a call and a refresh."""
        for browser in self.browsers:
            until(lambda browser=browser: browser.generation() == generation)  # type: ignore[misc]
            assert browser.fetch(PROFILE).status_code == 200
        # The other gateways' own refreshes end as well, once they have seen the tokens of the one.
        until(lambda: not any(each.gateway._refresher._in_flight for each in self.gateways))  # noqa: SLF001 - no other sign
        self.clock.advance(11)
        renewed = self.browsers[-1].fetch("/auth/session/refresh", "POST").json()
        assert renewed["tokens"]["generation"] == generation + 1
        assert [browser.generation() for browser in self.browsers] == [generation + 1] * REPLICAS


class HeldServer:
    """Stands before a gateway's authorization server: a refresh stops where it is told to."""

    def __init__(self, server: AuthorizationServer, *, stops: Literal["before", "after"]) -> None:
        self._refresh = server.refresh
        self._stops = stops
        self.stopped = threading.Event()

    async def refresh(self, refresh_token: str) -> TokenResponse:
        """Spend the token or not, and never return."""
        if self._stops == "after":
            await self._refresh(refresh_token)
        self.stopped.set()
        await asyncio.Event().wait()
        raise AssertionError


@contextmanager
def dying(running: Running, *, stops: Literal["before", "after"]) -> Iterator[HeldServer]:
    """Let the gateway's next refresh stop for good; when the block ends its task is killed."""
    patch = pytest.MonkeyPatch()
    refresher = running.gateway._refresher  # noqa: SLF001 - no process is ended here, only its task
    server = running.gateway._authorization_server  # noqa: SLF001 - as above
    held = HeldServer(server, stops=stops)
    patch.setattr(server, "refresh", held.refresh)
    try:
        yield held
    finally:
        patch.undo()
        for flight in list(refresher._in_flight.values()):  # noqa: SLF001 - as above
            running.loop.call_soon_threadsafe(flight.task.cancel)
        until(lambda: not refresher._in_flight)  # noqa: SLF001 - as above
