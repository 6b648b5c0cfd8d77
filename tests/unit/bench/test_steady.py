"""Load at a constant rate counts from when a request was due, and counts every failure."""

from __future__ import annotations

import threading
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from bench.steady import Connection, Steady, draw_arrivals

if TYPE_CHECKING:
    from collections.abc import Iterator

REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


class _Server(ThreadingHTTPServer):
    status = 200
    pause = 0.0


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        threading.Event().wait(self.server.pause)
        self.send_response(self.server.status)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[_Server]:
    server = _Server(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def run(server: _Server, arrivals: list[float], connections: int) -> Steady:
    opened = [Connection(server.server_address[1]) for _ in range(connections)]
    steady = Steady(REQUEST, deque(opened))
    steady.run(arrivals)
    for connection in opened:
        connection.socket.close()
    return steady


def test_every_request_is_sent_when_it_is_due(server: _Server) -> None:
    steady = run(server, [0.0, 0.0, 0.01, 0.02, 0.05], connections=2)
    assert (len(steady.taken), steady.errors) == (5, 0)


def test_every_status_but_200_is_an_error(server: _Server) -> None:
    server.status = 302
    assert run(server, [0.0, 0.0, 0.01], connections=2).errors == 3


def test_a_request_that_waits_for_a_slow_one_has_taken_that_time_too(server: _Server) -> None:
    server.pause = 0.05
    taken = run(server, [0.0, 0.0, 0.0], connections=1).taken
    assert all(seconds >= 0.05 * place for place, seconds in enumerate(taken, start=1)), taken
    assert len(taken) == 3


def test_arrivals_have_the_rate_and_no_rhythm() -> None:
    arrivals = draw_arrivals(1000, 10)
    assert len(arrivals) == pytest.approx(10_000, rel=0.05)
    gaps = sorted(later - sooner for sooner, later in pairwise(arrivals))
    assert gaps[len(gaps) // 2] == pytest.approx(0.693e-3, rel=0.1), "the median of an exponential gap"
    assert arrivals == draw_arrivals(1000, 10), "every proxy gets the same"
