"""Requests at a constant mean rate: `python -m bench.steady '{"port": ..., "request": ..., "rate": ...}'`.

The arrivals are those of a Poisson process, as of many people who know nothing of each other. A request's
time counts from when it was due: a proxy that falls behind is not spared what had to wait for it (coordinated
omission). h2load sends for all its connections in one instant, and wrk knows no rates.
"""

from __future__ import annotations

import gc
import json
import random
import select
import socket
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

import httptools

_OK = 200
_READ_BYTES = 262_144
_PATIENCE = 5.0


@dataclass(slots=True, eq=False)
class Connection:
    """One kept-open connection; llhttp tells where its answers end."""

    port: int
    socket: socket.socket = field(init=False)
    parser: Any = field(init=False)
    due: float = 0.0
    is_complete: bool = False

    def __post_init__(self) -> None:
        self.socket = socket.create_connection(("127.0.0.1", self.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.parser = httptools.HttpResponseParser(self)

    def fileno(self) -> int:
        """Return what select waits for."""
        return self.socket.fileno()

    def on_message_complete(self) -> None:
        """Note that the answer is whole; the parser calls it."""
        self.is_complete = True

    def send(self, request: bytes, due: float) -> None:
        """Send a request that was due then."""
        self.due = due
        self.is_complete = False
        self.socket.sendall(request)

    def receive(self) -> None:
        """Take what has come; ConnectionError if the proxy has closed it."""
        piece = self.socket.recv(_READ_BYTES)
        if not piece:
            raise ConnectionError("the proxy closed a connection")
        self.parser.feed_data(piece)


@dataclass(slots=True)
class Steady:
    """The state of one run; `taken` has one time for each answer, in seconds."""

    request: bytes
    idle: deque[Connection]
    taken: list[float] = field(default_factory=list)
    errors: int = 0
    _busy: set[Connection] = field(default_factory=set)

    def run(self, arrivals: list[float]) -> None:
        """Send a request at each of the arrivals, in seconds from now, and wait for all answers."""
        begin = time.perf_counter()
        waiting = deque(begin + arrival for arrival in arrivals)
        end = waiting[-1] + _PATIENCE
        while waiting or self._busy:
            now = time.perf_counter()
            if now > end:
                self.errors += len(waiting) + len(self._busy)
                return
            while waiting and waiting[0] <= now and self.idle:
                connection = self.idle.popleft()
                connection.send(self.request, waiting.popleft())
                self._busy.add(connection)
            pause = max(0.0, waiting[0] - now) if waiting and self.idle else _PATIENCE
            for connection in select.select(self._busy, (), (), pause)[0]:
                self._receive(connection)

    def _receive(self, connection: Connection) -> None:
        connection.receive()
        if not connection.is_complete:
            return
        self.taken.append(time.perf_counter() - connection.due)
        self.errors += connection.parser.get_status_code() != _OK
        self._busy.discard(connection)
        self.idle.append(connection)


def draw_arrivals(rate: float, seconds: float) -> list[float]:
    """Draw when requests are due; the same ones for every proxy at the same rate."""
    chance = random.Random(1)  # noqa: S311 - arrivals, no secrets
    arrivals = [chance.expovariate(rate)]
    while arrivals[-1] < seconds:
        arrivals.append(arrivals[-1] + chance.expovariate(rate))
    return arrivals


def main() -> int:
    """Run the command; prints the times of all requests that were due after `warm_up` seconds."""
    order = json.loads(sys.argv[1])
    connections = deque(Connection(order["port"]) for _ in range(order["connections"]))
    steady = Steady(order["request"].encode(), connections)
    gc.disable()
    steady.run(draw_arrivals(order["rate"], order["warm_up"]))
    steady.taken.clear()
    steady.run(draw_arrivals(order["rate"], order["seconds"]))
    json.dump({"taken": steady.taken, "errors": steady.errors, "seconds": order["seconds"]}, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
