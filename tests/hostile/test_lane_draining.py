"""SIGTERM with plain calls under way: each is answered whole, and then the process ends by itself."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
from typing import TYPE_CHECKING

from tests.hostile.own_process import running_process
from tests.hostile.stage import answer_own
from tests.support.raw_upstream import OK
from tests.support.wire import SECONDS, until

if TYPE_CHECKING:
    from tests.hostile.own_process import OwnProcess
    from tests.support.raw_upstream import Connection
    from tests.support.rfc9112 import Request

HALF = OK + b"Content-Length: 10\r\n\r\nhello"


def test_calls_under_way_are_answered_after_sigterm() -> None:
    """Silent so far, in the head, in the body, refused: none of them loses its answer (RFC 9112 §9.6)."""
    released = threading.Event()
    begun = {b"silent": b"", b"head": HALF[:20], b"body": HALF, b"again": b"", b"behind": b"", b"last": b""}
    asked: list[bytes] = []

    def script(connection: Connection, request: Request) -> None:
        name = request.target.rpartition(b"/")[2]
        asked.append(name)
        connection.send(begun[name])
        connection.wait_until_read()
        assert released.wait(SECONDS)
        if name == b"again" and asked.count(name) == 1:
            connection.send(b"HTTP/1.1 504 No\r\nContent-Length: 0\r\n\r\n")
        elif begun[name]:
            connection.send((HALF + b"world")[len(begun[name]) :])
        else:
            answer_own(connection, request)

    with running_process() as process, contextlib.ExitStack() as stack:
        warm(process)
        process.upstream.script = script
        browsers = {name: stack.enter_context(process.browser()) for name in begun if name != b"behind"}
        idle = stack.enter_context(process.browser())
        assert idle.ask(process.anna.head("GET", "/auth/session")).status == 200
        for name, browser in browsers.items():
            browser.send(process.anna.head("GET", f"/api/v1/{name.decode()}"))
        browsers[b"last"].send(process.anna.head("GET", "/api/v1/behind"))
        until(lambda: len(asked) == len(browsers))
        os.kill(process.pid, signal.SIGTERM)
        until(lambda: not takes_connections(process))
        released.set()
        for name, browser in browsers.items():
            answer = browser.answer()
            assert (answer.state, answer.status) == ("whole", 200), name
            assert answer.body == b"helloworld" if begun[name] else b"/v1/" + name in answer.body
            if name == b"last":
                answer = browser.answer()
                assert b"/v1/behind" in answer.body
            if name != b"body":  # its head had been sent before the end was known
                assert answer.header("connection") == b"close", name
            assert browser.rest() == b""
        assert idle.rest() == b""
        assert asked.count(b"again") == 2
        until(lambda: has_ended(process))


def warm(process: OwnProcess) -> None:
    """Leave as many connections to the upstream as there will be calls."""
    released = threading.Event()

    def script(connection: Connection, request: Request) -> None:
        assert released.wait(SECONDS)
        answer_own(connection, request)

    process.upstream.script = script
    with contextlib.ExitStack() as stack:
        browsers = [stack.enter_context(process.browser()) for _ in range(6)]
        for browser in browsers:
            browser.send(process.anna.head("GET", "/api/v1/warm"))
        until(lambda: len(process.upstream.requests) == len(browsers))
        released.set()
        assert [browser.answer().status for browser in browsers] == [200] * len(browsers)
    until(lambda: len(process.upstream.idle()) == len(browsers))


def takes_connections(process: OwnProcess) -> bool:
    try:
        socket.create_connection(("127.0.0.1", process.port)).close()
    except ConnectionRefusedError:
        return False
    return True


def has_ended(process: OwnProcess) -> bool:
    """Whether the process has ended in good order; it is waited for later on, too."""
    found = os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    return found is not None and (found.si_code, found.si_status) == (os.CLD_EXITED, 0)
