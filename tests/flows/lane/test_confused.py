"""Browsers that do not read, or send what confuses: what neither the lane nor the long way gives them."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING, Any, Never

import pytest

from gateway.proxy.route import Route, RouteTable, Timeouts
from tests.flows.lane.conftest import (
    answering,
    is_idle,
    places_taken,
    port_of,
    until_answered,
    wait_for_more,
    warm,
)
from tests.support.raw_browser import RawBrowser, SignedIn
from tests.support.wire import SECONDS, Reply, reply, until

if TYPE_CHECKING:
    from gateway.call_protocol import CallHttpProtocol
    from gateway.proxy.forward import Forward
    from tests.support.running import Running
    from tests.support.wire import Heard, Wire


def test_a_browser_that_does_not_read_is_written_no_answer_more(
    protocols: list[CallHttpProtocol], running: Running, wire: Wire, anna: SignedIn
) -> None:
    with RawBrowser(port_of(running)) as browser:
        warm(browser, anna)
        wire.script = answering(150_000)
        protocol = protocols[-1]
        while not protocol.flow.write_paused:
            heard = len(wire.heard)
            browser.send(anna.head("GET", "/api/v1/x"))
            wait_for_more(wire, heard)
            until(lambda: is_idle(protocol))
        buffered, heard = protocol.transport.get_write_buffer_size(), len(wire.heard)
        browser.send(anna.head("GET", "/api/v1/x"))
        wait_for_more(wire, heard)
        browser.wait_until_read()
        assert not is_idle(protocol)
        assert protocol.transport.get_write_buffer_size() <= buffered


def test_a_browser_that_stops_reading_before_the_end_holds_no_place(
    running: Running, wire: Wire, forward: Forward, anna: SignedIn
) -> None:
    """Whatever of an answer is still to be written when it stops: the last piece, or only its end."""
    route = Route(prefix="/api", destination=wire.url, timeouts=Timeouts(idle=0.3))
    forward.routes = RouteTable([route])
    with contextlib.ExitStack() as stack:
        for size in range(300_000, 4_000_000, 150_000):
            wire.script = answering(size)
            browser = socket.socket()
            browser.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            browser.connect(("127.0.0.1", port_of(running)))
            stack.enter_context(browser)
            heard = len(wire.heard)
            browser.sendall(anna.head("GET", "/api/v1/x"))
            wait_for_more(wire, heard)
        until(lambda: places_taken(forward) == 0)


def test_what_a_browser_writes_into_the_csrf_header_is_not_remembered(
    running: Running, forward: Forward, anna: SignedIn
) -> None:
    with RawBrowser(port_of(running)) as browser:
        for number in range(4):
            browser.ask(anna.head("GET", "/api/v1/x", {"X-CSRF": f"{number + 2}" * 1000}))
        anything: Any = forward
        assert len(anything._accepted) == 1  # noqa: SLF001 - memory that is kept shows nowhere else


def test_a_trailer_behind_a_call_that_is_handed_over_is_not_merged_into_the_head(
    running: Running, wire: Wire, anna: SignedIn
) -> None:
    """RFC 9110 §6.5.1; the request that it belongs to was begun while the lane served the one before."""
    with RawBrowser(port_of(running)) as browser:
        warm(browser, anna)
        answers = [reply(504), reply(200), Reply(closes=True)]
        wire.script = lambda _: answers.pop(0)
        second = anna.head("POST", "/api/v1/y", {"Transfer-Encoding": "chunked"})
        browser.send(anna.head("GET", "/api/v1/x") + second + b"1\r\na")
        assert browser.answer().status == 200
        browser.send(b"\r\n0\r\nSec-Fetch-Mode: navigate\r\n\r\n")
        answer = browser.answer("POST")
        assert answer.status == 502
        assert answer.body.startswith(b"{"), answer.body


def test_an_answer_that_was_written_is_not_given_again(
    running: Running, forward: Forward, anna: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A defect behind the writing must not become a second answer (response desynchronization)."""

    class Failing:
        def write(self, *_: object, **__: object) -> Never:
            raise ValueError("a defect")

    with RawBrowser(port_of(running)) as browser:
        warm(browser, anna)
        monkeypatch.setattr(running.gateway.public.lane, "request_log", Failing())
        assert browser.ask(anna.head("GET", "/api/v1/x")).status == 200
        monkeypatch.undo()
        assert browser.ask(anna.head("GET", "/api/v1/y", {"Connection": "close"})).status == 200
        assert not browser.rest()
        until(lambda: places_taken(forward) == 0)


def test_a_post_without_content_says_so_to_the_api(running: Running, wire: Wire, anna: SignedIn) -> None:
    """RFC 9110 §8.6: servers answer 411 where they miss it."""
    with RawBrowser(port_of(running)) as browser:
        for _ in range(2):  # the long way, then the lane
            wire.heard.clear()
            browser.ask(anna.head("POST", "/api/v1/x", {"Content-Length": "0"}), "POST")
            assert wire.heard[-1].header("content-length") == "0"


def test_half_a_head_behind_a_slow_answer_does_not_keep_the_connection_for_good(
    protocols: list[CallHttpProtocol],
    running: Running,
    wire: Wire,
    anna: SignedIn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its own time limit strikes while the connection is busy, where nothing may be answered to it."""
    monkeypatch.setattr("gateway.http_timely.HEAD_SECONDS", 0.05)
    answers = threading.Event()

    def script(_: Heard) -> Reply:
        answers.wait(SECONDS)
        return reply(200)

    with RawBrowser(port_of(running)) as browser:
        until(lambda: any(each.client == browser.sock.getsockname() for each in protocols))
        protocol = next(each for each in protocols if each.client == browser.sock.getsockname())
        protocol.timeout_keep_alive = 0.5  # type: ignore[assignment] # uvicorn's is in whole seconds
        warm(browser, anna)
        wire.script = script
        wire.begun.clear()
        browser.send(anna.head("GET", "/api/v1/x"))
        assert wire.begun.wait(SECONDS)
        browser.send(b"GET /api/v1/y HTTP/1.1\r\nHost:")
        anything: Any = protocol
        until(lambda: anything._head_timer is not None)  # noqa: SLF001 - nothing else tells
        until(lambda: anything._head_timer is None)  # noqa: SLF001 - as above
        answers.set()
        assert browser.answer().status == 200
        browser.rest()


@pytest.mark.parametrize("ending", ["", "Connection: close\r\n"])
def test_a_browser_that_reads_nothing_is_left_whoever_it_is(
    protocols: list[CallHttpProtocol], running: Running, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    """Slow Read: a transport that is closed stays open until all is written, and that it never is."""
    monkeypatch.setattr("gateway.http_unread.UNREAD_SECONDS", 0.2)
    with socket.socket() as browser:
        browser.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        browser.connect(("127.0.0.1", port_of(running)))
        until(lambda: any(each.client == browser.getsockname() for each in protocols))
        protocol = next(each for each in protocols if each.client == browser.getsockname())
        request = "GET /auth/client.js HTTP/1.1\r\nHost: localhost\r\n"
        while not protocol.flow.write_paused:
            before = protocol.cycle
            browser.sendall(f"{request}\r\n".encode())
            until_answered(protocol, before)
        with contextlib.suppress(OSError):
            browser.sendall(f"{request}{ending}\r\n".encode())
        until(lambda: protocol.parser is None)  # uvicorn's sign of a connection that is lost
