"""Server-sent events end with their session, wherever it ends, and with nothing else."""

from __future__ import annotations

import json
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import pytest

from gateway.browser.cookie import SESSION_COOKIE
from tests.support.browser import Browser
from tests.support.raw_browser import RawBrowser
from tests.support.running import RunningClock, running_gateway, running_replica
from tests.support.wire import SECONDS, SOON, Reply, running_wire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.running import Running
    from tests.support.wire import Wire

EVENT = b"event: opened\ndata: {}\n\n"
STREAM = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"%x\r\n%b\r\n" % (len(EVENT), EVENT)
)
END = b"0\r\n\r\n"


@pytest.fixture
def gateways(tmp_path: Path) -> Iterator[tuple[list[Running], Wire]]:
    """Two gateways on one store, before a server that sends one event and then waits."""
    with ExitStack() as stack:
        wire = stack.enter_context(running_wire())
        wire.script = lambda _: Reply(STREAM, waits=True)
        route = {"prefix": "/api", "destination": wire.url, "token": "user", "timeouts": {"total": 0.3}}
        first = stack.enter_context(
            running_gateway(
                "openid",
                settings={"LEXGATE_API_URL": wire.url, "LEXGATE_ROUTES": json.dumps([route])},
                store=f"sqlite:///{tmp_path}/sessions.sqlite",
                clock=RunningClock(),
            )
        )
        yield [first, stack.enter_context(running_replica(first))], wire


@contextmanager
def listening(gateway: Running, browser: Browser) -> Iterator[RawBrowser]:
    """Open a stream of events, and return once its first event has come."""
    with RawBrowser(int(gateway.url.rpartition(":")[2])) as raw:
        cookie = f"{SESSION_COOKIE}={browser.cookie(SESSION_COOKIE)}"
        head = (
            f"GET /api/v1/events HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\nCookie: {cookie}\r\n\r\n"
        )
        raw.send(head.encode())
        while EVENT not in raw.received:
            assert raw.receive(), bytes(raw.received)
        raw.received.clear()
        yield raw


def sign_out(browser: Browser, _: Running) -> None:
    assert browser.fetch("/auth/logout", "POST").status_code == 200


def let_it_expire(_: Browser, gateway: Running) -> None:
    gateway.clock.advance(1801)


@pytest.mark.parametrize("is_elsewhere", [False, True], ids=["here", "on another replica"])
@pytest.mark.parametrize("end", [sign_out, let_it_expire])
def test_a_stream_of_events_ends_with_its_session_within_a_second(
    gateways: tuple[list[Running], Wire], end: Callable[[Browser, Running], None], *, is_elsewhere: bool
) -> None:
    (first, second), wire = gateways
    with Browser(first.public_url) as browser:
        browser.sign_in()
        with listening(second if is_elsewhere else first, browser) as raw:
            began = time.monotonic()
            end(browser, first)
            while not raw.received.endswith(END):
                assert raw.receive(), "it ends whole, so that the app's EventSource asks again and is told"
            assert time.monotonic() - began < SOON
            assert wire.left.wait(SECONDS), "the resource server is let go"


def test_a_stream_of_events_outlives_the_time_for_a_whole_call(gateways: tuple[list[Running], Wire]) -> None:
    (first, _), wire = gateways
    with Browser(first.public_url) as browser:
        browser.sign_in()
        with listening(first, browser):
            assert not wire.left.wait(0.8), "three times what another call may take"
