"""A gateway with several workers, watched from outside: its processes, its metrics, its callers."""

from __future__ import annotations

import json
import socket
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx

from tests.flows.cli.process import SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.flows.cli.stage import Stage

REQUEST = b"GET /auth/session HTTP/1.1\r\nHost: localhost\r\n\r\n"


def until(condition: Callable[[], bool]) -> None:
    """Poll until it holds."""
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it never came to that"
        threading.Event().wait(0.01)


def workers_of(stage: Stage) -> set[int]:
    """Return the process ids of the workers."""
    found: set[int] = set()
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == stage.process.pid and fields[0] != "Z":
            found.add(int(status.parent.name))
    return found


def sockets_of(pid: int) -> int:
    """Return how many sockets a process has open."""
    links = [str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir()]
    return sum(link.startswith("socket:") for link in links)


def metrics_of(stage: Stage) -> dict[str, float]:
    """Read the metrics, each with its labels as its name."""
    page = httpx.get(f"{stage.admin_url}/metrics", trust_env=False).text
    pairs = (line.rsplit(" ", 1) for line in page.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, value in pairs}


def log_of(output: str, level: str) -> list[str]:
    """Return the messages of a level in what a gateway wrote to standard output."""
    lines = [json.loads(line) for line in output.splitlines()]
    return [line["message"] for line in lines if line["level"] == level]


@dataclass
class Callers:
    """People who call without a pause; each answer is counted, and each call that got none."""

    port: int
    request: bytes = REQUEST
    status: int = 200
    answered: int = 0
    announced: int = 0
    """Answers with `Connection: close`."""
    failures: list[str] = field(default_factory=list)
    _enough: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def call_anew(self) -> None:
        """Open a connection for each call."""
        while not self._enough.is_set():
            try:
                with socket.create_connection(("127.0.0.1", self.port), SECONDS) as connection:
                    self._call(connection)
            except OSError as error:
                self.failures.append(f"new: {error!r}")

    def call_again(self, pause: float) -> None:
        """Keep a connection until the gateway announces its end."""
        while not self._enough.is_set():
            try:
                with socket.create_connection(("127.0.0.1", self.port), SECONDS) as connection:
                    while not self._call(connection) and not self._enough.wait(pause):
                        pass
            except OSError as error:
                self.failures.append(f"kept for {pause} s: {error!r}")

    def _call(self, connection: socket.socket) -> bool:
        connection.sendall(self.request)
        received = b""
        while b'"login_url"' not in received or not received.endswith(b"}"):
            chunk = connection.recv(65536)
            if not chunk:
                raise ConnectionResetError(f"closed after {received!r}")
            received += chunk
        is_last = b"connection: close" in received.lower()
        with self._lock:
            self.answered += received.startswith(b"HTTP/1.1 %d " % self.status)
            self.announced += is_last
        return is_last

    def stop(self) -> None:
        """Let them go home."""
        self._enough.set()


@contextmanager
def calling(stage: Stage, request: bytes = REQUEST, *, status: int = 200) -> Iterator[Callers]:
    """Let people call until the block ends."""
    callers = Callers(urlsplit(stage.public_url).port or 80, request, status)
    threads = [threading.Thread(target=callers.call_anew)]
    threads += [threading.Thread(target=callers.call_again, args=(pause,)) for pause in (0.001, 0.02, 0.2)]
    for thread in threads:
        thread.start()
    try:
        until(lambda: callers.answered > 20)
        yield callers
    finally:
        callers.stop()
        for thread in threads:
            thread.join()
