"""A gateway in front of a scripted resource server, whose ends of the connections can be watched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gateway.browser.cookie import SESSION_COOKIE
from gateway.call_protocol import CallHttpProtocol
from tests.support.browser import Browser
from tests.support.raw_browser import RawBrowser, SignedIn
from tests.support.running import running_gateway
from tests.support.wire import Reply, reply, running_wire, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gateway.proxy.forward import Forward
    from tests.support.running import Running
    from tests.support.wire import Heard, Wire


@pytest.fixture
def wire() -> Iterator[Wire]:
    with running_wire() as wire:
        yield wire


@pytest.fixture
def running(wire: Wire) -> Iterator[Running]:
    with running_gateway("openid", settings={"LEXGATE_API_URL": wire.url}) as running:
        yield running


@pytest.fixture
def forward(running: Running) -> Forward:
    return running.gateway.public.lane.forward


@pytest.fixture
def anna(running: Running) -> SignedIn:
    with Browser(running.public_url) as browser:
        browser.sign_in()
        cookie = f"{SESSION_COOKIE}={browser.cookie(SESSION_COOKIE)}"
        return SignedIn("anna", cookie, running.public_url)


@pytest.fixture
def protocols(monkeypatch: pytest.MonkeyPatch) -> list[CallHttpProtocol]:
    """Return the gateway's ends of the connections that are opened from now on."""
    made: list[CallHttpProtocol] = []

    class Noted(CallHttpProtocol):
        def connection_made(self, transport: Any) -> None:  # noqa: ANN401 - uvicorn's
            made.append(self)
            super().connection_made(transport)

    monkeypatch.setattr("gateway.listener.CallHttpProtocol", Noted)
    return made


def places_taken(forward: Forward) -> int:
    """Return how many calls are under way, as far as the limit for each session knows."""
    concurrency: Any = forward.concurrency
    return sum(concurrency._taken.values())  # noqa: SLF001 - what leaks shows nowhere else


def is_idle(protocol: CallHttpProtocol) -> bool:
    return bool(protocol.cycle.response_complete)


def port_of(running: Running) -> int:
    return int(running.public_url.rpartition(":")[2])


def until_answered(protocol: CallHttpProtocol, before: object) -> None:
    """Wait for the end of the request that follows, or until the browser does not take its answer."""
    until(lambda: protocol.cycle is not before and (protocol.flow.write_paused or is_idle(protocol)))


def answering(size: int) -> Callable[[Heard], Reply]:
    return lambda _: reply(200, b"x" * size)


def wait_for_more(wire: Wire, heard: int) -> None:
    until(lambda: len(wire.heard) > heard)


def warm(browser: RawBrowser, user: SignedIn) -> None:
    """Have the session remembered and a connection to the API kept: the lane's two conditions."""
    for _ in range(2):
        assert browser.ask(user.head("GET", "/api/v1/warm")).status == 200
