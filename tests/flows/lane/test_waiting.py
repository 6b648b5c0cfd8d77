"""Calls that wait, and what happens meanwhile: the browser leaves, or the session ends."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest

from gateway.browser.cookie import SESSION_COOKIE
from gateway.proxy.deadlines import Deadlines
from tests.flows.lane.conftest import port_of, warm
from tests.support.browser import Browser
from tests.support.raw_browser import RawBrowser, SignedIn
from tests.support.wire import SECONDS, Reply, reply, until

if TYPE_CHECKING:
    from gateway.proxy.forward import Forward
    from tests.support.running import Running
    from tests.support.wire import Heard, Wire


def test_a_browser_that_leaves_is_noticed_with_another_request_behind_the_first(
    running: Running, wire: Wire, anna: SignedIn
) -> None:
    """A server that does not read while a request waits would not see the end of the connection."""
    with RawBrowser(port_of(running)) as browser:
        warm(browser, anna)
        wire.begun.clear()
        wire.script = lambda _: Reply(waits=True)
        browser.send(anna.head("GET", "/api/v1/x") + anna.head("GET", "/api/v1/y"))
        assert wire.begun.wait(SECONDS)
    assert wire.left.wait(SECONDS), "the call to the API went on for nobody"


@pytest.mark.parametrize("first", ["busy", "limited", "queued"])
def test_a_call_that_waited_is_not_sent_for_a_session_that_ended_meanwhile(
    running: Running, wire: Wire, forward: Forward, first: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It waits for a place among its session's calls, for a connection, or for a server that said 429."""
    answers = threading.Event()
    anything: Any = forward
    anything.concurrency._limit = 1 if first == "busy" else 32  # noqa: SLF001 - before any call is made
    monkeypatch.setattr("gateway.proxy.pool.MAX_CONNECTIONS", 1)

    def is_waiting() -> bool:
        (pool,) = anything.upstream._pools.values()  # noqa: SLF001 - who waits shows nowhere else
        waiting = pool._waiters if first == "queued" else anything.concurrency._waiting  # noqa: SLF001 - as above
        return bool(waiting)

    def script(heard: Heard) -> Reply:
        if heard.target != b"/v1/x":
            return reply(200)
        if first != "limited":
            answers.wait(SECONDS)
            return reply(200)
        return reply(429, b"{}", "Retry-After: 1")

    with Browser(running.public_url) as user, RawBrowser(port_of(running)) as one:
        user.sign_in()
        anna = SignedIn("anna", f"{SESSION_COOKIE}={user.cookie(SESSION_COOKIE)}", running.public_url)
        warm(one, anna)
        wire.script = script
        with RawBrowser(port_of(running)) as other:
            one.send(anna.head("GET", "/api/v1/x"))
            until(lambda: wire.heard[-1].target == b"/v1/x")
            if first != "limited":
                other.send(anna.head("GET", "/api/v1/y"))
                until(is_waiting)
            assert user.fetch("/auth/logout", "POST").status_code == 200
            heard = len(wire.heard)
            answers.set()
            waited = one if first == "limited" else other
            assert waited.answer().status == 401
            assert len(wire.heard) == heard


class _Late:
    """Takes too long from the beginning; `fails` over it every time."""

    deadline = 0.0

    def __init__(self, *, fails: bool) -> None:
        self._fails = fails
        self.ended = asyncio.Event()

    def expire(self) -> None:
        self.ended.set()
        if self._fails:
            raise ValueError("a defect")


def test_a_defect_in_ending_one_call_leaves_no_other_without_an_end() -> None:
    async def run() -> None:
        deadlines = Deadlines()
        broken, sound = _Late(fails=True), _Late(fails=False)
        deadlines.watch(broken)
        async with asyncio.timeout(SECONDS):
            await broken.ended.wait()
            deadlines.watch(sound)
            await sound.ended.wait()
        deadlines.forget(sound)

    asyncio.run(run())
