"""Browsers that leave, stall or do not read: the upstream is freed, and nothing piles up."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

import gateway.http_timely
from tests.hostile.judging import code_of
from tests.support.raw_upstream import OK
from tests.support.tcp import open_sockets
from tests.support.wire import SOON, statuses, until

if TYPE_CHECKING:
    from tests.hostile.stage import Stage
    from tests.support.raw_browser import RawBrowser
    from tests.support.raw_upstream import Connection
    from tests.support.rfc9112 import Request

PIECE = b"x" * 65_536


class Watch:
    """An upstream script that tells when the call began, and when its connection ended."""

    def __init__(self, *said: bytes) -> None:
        self.said = said
        self.begun = threading.Event()
        self.ended = threading.Event()
        self.ended_at = 0.0

    def __call__(self, connection: Connection, _: Request) -> None:
        for part in self.said:
            connection.sock.sendall(part)
        self.begun.set()
        if connection.wait_for_eof():
            self.ended_at = time.monotonic()
            self.ended.set()

    def assert_freed(self, left_at: float) -> None:
        assert self.ended.wait(5), "the call went on for nobody"
        assert self.ended_at - left_at < SOON


def leave(browser: RawBrowser, how: str) -> float:
    """Leave by closing, by a reset, or by a half-close; returns when."""
    if how == "reset":
        browser.reset()
    elif how == "half-close":
        browser.half_close()
    else:
        browser.sock.close()
    return time.monotonic()


@pytest.mark.parametrize("how", ["close", "reset"])
@pytest.mark.parametrize(
    "said", [(), (OK,), (OK + b"Content-Length: 100\r\n\r\nbegun",), (OK + b"\r\nbegun",)],
    ids=["silent", "in the head", "in the body", "until the end"],
)  # fmt: skip
def test_a_browser_that_leaves_frees_the_upstream_within_a_second(
    stage: Stage, said: tuple[bytes, ...], how: str
) -> None:
    stage.upstream.script = watch = Watch(*said)
    with stage.browser() as browser:
        browser.send(stage.anna.head("GET", "/api/v1/slow"))
        assert watch.begun.wait(5)
        if b"begun" in b"".join(said):
            browser.receive_until(b"begun")
        watch.assert_freed(leave(browser, how))


@pytest.mark.parametrize("how", ["close", "reset", "half-close"])
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_browser_that_leaves_in_its_upload_frees_the_upstream(stage: Stage, framing: str, how: str) -> None:
    """What came of the request is no whole one, so it must not look whole to the upstream."""
    fields = {"Content-Length": "1000000"} if framing == "length" else {"Transfer-Encoding": "chunked"}
    body = b"x" * 500_000 if framing == "length" else b"7a120\r\n" + b"x" * 500_000 + b"\r\n"
    with stage.browser() as browser:
        browser.send(stage.anna.head("POST", "/api/v1/files", fields) + body)
        until(lambda: any(len(each.received) > 100_000 for each in stage.upstream.connections))
        left_at = leave(browser, how)
        until(lambda: bool(stage.upstream.cut))
        assert time.monotonic() - left_at < SOON
    assert stage.upstream.requests == []


@pytest.mark.parametrize("place", [1, 10, 30, -30, -3, -1])
def test_a_browser_that_leaves_in_the_head_reaches_nobody(stage: Stage, place: int) -> None:
    with stage.browser() as browser:
        browser.send(stage.anna.head("GET", "/api/v1/thing")[:place])
        browser.wait_until_read()
    with stage.browser() as browser:
        browser.send(stage.anna.head("GET", "/api/v1/thing")[:place])
        browser.half_close()
        assert browser.rest() == b""
    assert stage.upstream.requests == []


def test_a_browser_that_only_half_closes_loses_at_most_its_own_answer(stage: Stage) -> None:
    """RFC 9112 §9.6: a half-close may mean that it left; whatever comes is its answer, whole, or nothing."""
    with stage.browser() as browser:
        browser.send(stage.anna.head("GET", "/api/v1/thing"))
        browser.half_close()
        assert statuses(browser.rest()) in ([], [200])


@pytest.mark.parametrize("path", ["/api/v1/thing", "/auth/session"])
def test_a_browser_that_resets_an_idle_connection_leaves_nothing_behind(stage: Stage, path: str) -> None:
    """Looked over after the test: a timer for each would keep a connection's parts for 75 seconds."""
    for _ in range(10):
        with stage.browser() as browser:
            assert browser.ask(stage.anna.head("GET", path)).status == 200
            browser.reset()


def test_an_upstream_is_read_no_further_than_its_browser_reads(stage: Stage) -> None:
    """Backpressure: a few buffers are filled, and then the upstream waits."""
    written = 0
    stuck = threading.Event()

    def script(connection: Connection, _: Request) -> None:
        nonlocal written
        connection.sock.sendall(OK + b"Content-Length: 200000000\r\n\r\n")
        connection.sock.settimeout(0.5)
        try:
            while written < 200_000_000:
                written += connection.sock.send(PIECE)
        except TimeoutError:
            stuck.set()

    stage.upstream.script = script
    with stage.browser() as browser:
        browser.send(stage.anna.head("GET", "/api/v1/file"))
        assert stuck.wait(10), "everything was taken"
    assert written < 20_000_000


def test_a_browser_is_read_no_further_than_its_upstream_reads(stage: Stage) -> None:
    """Of an upload that nobody takes, the kernel holds what it likes, and the gateway itself little."""
    release = threading.Event()

    def accept(connection: Connection) -> None:
        release.wait(10)
        connection.close()

    stage.upstream.end()
    stage.upstream.accept = accept
    written = 0
    with stage.browser() as browser:
        browser.send(stage.anna.head("POST", "/api/v1/files", {"Content-Length": "10000000"}))
        browser.sock.settimeout(0.5)
        try:
            while written < 9_900_000:
                written += browser.sock.send(PIECE)
        except TimeoutError:
            pass
        on_the_way = [*open_sockets(stage.port), *open_sockets(stage.upstream.port)]
        held = written - sum(each.unread + each.unsent for each in on_the_way)
        release.set()
    stage.upstream.accept = None
    assert held < 1_000_000


def test_a_browser_that_stops_reading_is_left_after_the_idle_limit(impatient: Stage) -> None:
    """It holds a connection that others need."""
    ended = threading.Event()

    def script(connection: Connection, _: Request) -> None:
        connection.sock.sendall(OK + b"Content-Length: 200000000\r\n\r\n")
        try:
            while True:
                connection.sock.sendall(PIECE)
        except OSError:
            ended.set()

    impatient.upstream.script = script
    with impatient.browser() as browser:
        browser.send(impatient.anna.head("GET", "/api/v1/file"))
        assert ended.wait(8), "the upstream's connection was kept for a browser that does not read"


def test_a_slow_head_ends(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Slowloris: each byte in time, the head never."""
    monkeypatch.setattr(gateway.http_timely, "HEAD_SECONDS", 0.5)
    with stage.browser() as browser:
        started = time.monotonic()
        for byte in stage.anna.head("GET", "/api/v1/thing")[:-2]:
            browser.send(bytes([byte]))
            browser.sock.settimeout(0.02)
            try:
                if not browser.receive() or browser.received:
                    break
            except TimeoutError:
                continue
        browser.sock.settimeout(5)
        answer = browser.answer()
        assert (answer.status, code_of(answer)) == (408, "request_too_slow")
        assert time.monotonic() - started < SOON
    assert stage.upstream.requests == []


def test_a_slow_body_ends(impatient: Stage) -> None:
    """A body that stops coming holds neither the browser's connection nor the upstream's for ever."""
    with impatient.browser() as browser:
        browser.send(
            impatient.anna.head("POST", "/api/v1/files", {"Content-Length": "100000"}) + PIECE + b"x"
        )
        answer = browser.answer("POST")
        assert answer.state == "cut" or answer.status in {408, 504}
    assert impatient.upstream.requests == []
