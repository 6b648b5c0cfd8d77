"""Server-sent events, and any other slow answer: each piece passes before the next one is there."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from tests.support.raw_upstream import in_chunks

if TYPE_CHECKING:
    from tests.hostile.stage import Stage
    from tests.support.raw_upstream import Connection
    from tests.support.rfc9112 import Request

EVENTS = [b'id: %d\ndata: {"number": %d}\n\n' % (number, number) for number in range(30)]
TYPES = [b"text/event-stream", b"application/json", b"text/plain", b"application/octet-stream"]


@pytest.mark.parametrize("type_", TYPES)
@pytest.mark.parametrize("framing", ["chunked", "close", "length"])
def test_each_event_passes_before_the_next_is_sent(stage: Stage, framing: str, type_: bytes) -> None:
    """Nothing waits for a buffer to fill: the upstream sends the next only once the browser has the last."""
    arrived = threading.Semaphore(0)
    fields = {
        "chunked": b"Transfer-Encoding: chunked\r\n",
        "close": b"",
        "length": b"Content-Length: %d\r\n" % sum(map(len, EVENTS)),
    }

    def script(connection: Connection, _: Request) -> None:
        connection.sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\n%b\r\n" % (type_, fields[framing]))
        for event in EVENTS:
            chunk = in_chunks([event]).removesuffix(b"0\r\n\r\n") if framing == "chunked" else event
            connection.sock.sendall(chunk)
            if not arrived.acquire(timeout=5):
                return
        connection.sock.sendall(b"0\r\n\r\n" if framing == "chunked" else b"")
        if framing == "close":
            connection.close()

    stage.upstream.script = script
    with stage.browser() as browser:
        browser.send(stage.anna.head("GET", "/api/v1/events", {"Accept": "text/event-stream"}))
        for event in EVENTS:
            browser.receive_until(event)
            arrived.release()
        answer = browser.answer()
    assert (answer.state, answer.body) == ("whole", b"".join(EVENTS))


def test_a_head_passes_before_its_body(stage: Stage) -> None:
    """An EventSource is open once the head is there, and the first event may be an hour away."""
    seen = threading.Event()

    def script(connection: Connection, _: Request) -> None:
        connection.sock.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 2\r\n\r\n"
        )
        seen.wait(5)
        connection.sock.sendall(b"\n\n")

    stage.upstream.script = script
    with stage.browser() as browser:
        browser.send(stage.anna.head("GET", "/api/v1/events"))
        browser.receive_until(b"\r\n\r\n")
        seen.set()
        assert browser.answer().body == b"\n\n"


def test_a_piece_of_an_upload_passes_before_the_next(stage: Stage) -> None:
    """Beyond the 64 KB that are kept for a second sending."""
    got: list[int] = []
    more = threading.Semaphore(0)

    def accept(connection: Connection) -> None:
        while data := connection.receive():
            got.append(len(data))
            more.release()

    stage.upstream.end()
    stage.upstream.accept = accept
    with stage.browser() as browser:
        browser.send(stage.anna.head("POST", "/api/v1/files", {"Content-Length": "1000000"}) + b"x" * 100_000)
        assert more.acquire(timeout=5)
        while sum(got) < 100_000:
            assert more.acquire(timeout=5)
        for _ in range(10):
            before = sum(got)
            browser.send(b"x" * 1_000)
            while sum(got) < before + 1_000:
                assert more.acquire(timeout=5), "the piece was held back"
    stage.upstream.accept = None
