"""Prints what open streams of events cost: python -m tests.flows.measure_event_streams, with their number."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import selectors
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import IO, TYPE_CHECKING, Any

import uvloop

from gateway.app import Gateway
from gateway.browser.cookie import SESSION_COOKIE, SessionCookie
from gateway.events.event import Event
from gateway.listener import Listener, bind
from gateway.serving import serve
from gateway.sessions.session import Tokens
from gateway.settings import load_settings
from tests.contract.redis_servers import RedisServer, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

_REST_SECONDS = 30.0
_EVENTS = 20
_TICKS = os.sysconf("SC_CLK_TCK")
_ORGANIZATION = "0d5f1d8e-6f0a-4c55-9a3c-2b8d6f1c7a11"


async def _sign_in(gateway: Gateway, number: int) -> list[str]:
    """Begin sessions in the store; returns the Cookie fields that lead to them."""
    vault = gateway._vault  # noqa: SLF001 - thousands of sign-ins would take minutes
    cookie = SessionCookie(gateway._keyring.signing_keys)  # noqa: SLF001 - as above
    fields: list[str] = []
    now = time.time()
    for each in range(number):
        names: dict[str, Any] = {"issuer": "https://as.example", "client_id": "client", "subject": f"{each}"}
        session_id = vault.new_session_id(**names, connection_id=None)
        fields.append(f"{SESSION_COOKIE}={cookie.sign(session_id)}")
        await vault.begin(
            session_id=session_id,
            **names,
            connection_id=None,
            claims={"name": "Ada Lovelace", "organization_id": _ORGANIZATION},
            tokens=Tokens(
                access_token=f"{each:01000}",
                refresh_token=f"{each:0128}",
                expires_at=now + 14_399,
                refreshed_at=now,
                scope=None,
            ),
            replaces=None,
            now=now,
        )
    return fields


async def _serve(number: int, store: str) -> None:
    """Serve; each line of standard input has an event published, or the garbage collected."""
    with bind("127.0.0.1", 0, setting="PORT") as public, bind("127.0.0.1", 0, setting="PORT") as admin:
        environment = {
            "LEXGATE_PUBLIC_URL": f"http://localhost:{public.getsockname()[1]}",
            "LEXGATE_SECRETS": "a signing and sealing secret for tests 0123456789",
            "LEXGATE_CLIENT_ID": "client",
            "LEXGATE_CLIENT_SECRET": "secret",
            "LEXGATE_STORE": store,
            "LEXGATE_MAX_CONNECTIONS": str(number + 1000),
        }
        gateway = Gateway(load_settings(environment, Path()))
        ready, ending = asyncio.Event(), asyncio.Event()
        listeners = (Listener(gateway.public, public), Listener(gateway.admin, admin))
        serving = asyncio.create_task(serve(gateway, listeners, on_ready=ready.set, ending=ending))
        await ready.wait()
        fields = await _sign_in(gateway, number)
        gc.collect()
        sys.stdout.write(json.dumps({"port": public.getsockname()[1], "fields": fields}) + "\n")
        del fields
        sys.stdout.flush()
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
        )
        while line := (await reader.readline()).strip():
            if line == b"publish":
                event = Event(
                    type="invoice.changed",
                    organization_id=_ORGANIZATION,
                    resource_id="e9066f04-8cc7-4616-93f8-ac9ecc8479c8",
                    date="2026-11-26T10:00:00.000+01:00",
                )
                await gateway._bus.publish(event)  # noqa: SLF001 - no webhook is wanted here
            else:
                gc.collect()
            sys.stdout.write("done\n")
            sys.stdout.flush()
        ending.set()
        await serving


@dataclass
class _Gateway:
    process: subprocess.Popen[bytes]
    port: int
    fields: list[str]

    def tell(self, line: str) -> None:
        """Send a command, and do not wait."""
        _pipe(self.process.stdin).write(f"{line}\n".encode())
        _pipe(self.process.stdin).flush()

    def wait(self) -> None:
        """Wait until a command was done."""
        assert _pipe(self.process.stdout).readline() == b"done\n"

    def resident(self) -> int:
        """Return the bytes in memory."""
        self.tell("collect")
        self.wait()
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        [line] = [line for line in status.splitlines() if line.startswith("VmRSS:")]
        return int(line.split()[1]) * 1024

    def used(self) -> float:
        """Return the CPU seconds spent so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None
    return pipe


@contextmanager
def _running(number: int, store: str) -> Iterator[_Gateway]:
    command = [sys.executable, "-m", "tests.flows.measure_event_streams", "serve", str(number), store]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        said = json.loads(_pipe(process.stdout).readline())
        yield _Gateway(process, said["port"], said["fields"])
        _pipe(process.stdin).close()


class _Readers:
    """Browsers that take what comes."""

    def __init__(self) -> None:
        self.selector = selectors.DefaultSelector()
        self.number = 0

    def open(self, gateway: _Gateway) -> None:
        """Open a stream for each session, and wait for all greetings."""
        for field in gateway.fields:
            sock = socket.create_connection(("127.0.0.1", gateway.port))
            sock.sendall(f"GET /auth/events HTTP/1.1\r\nHost: x\r\nCookie: {field}\r\n\r\n".encode())
            sock.settimeout(0)
            self.selector.register(sock, selectors.EVENT_READ, bytearray())
            self.number += 1
        self.take(b"event: hello")

    def take(self, piece: bytes) -> float:
        """Wait until everybody has received this, and return when the last one had."""
        missing = self.number
        while missing:
            for key, _ in self.selector.select(10):
                sock: socket.socket = key.fileobj  # type: ignore[assignment] # as registered
                data = sock.recv(4096)
                assert data, "the gateway has left"
                key.data.extend(data)
                if piece in key.data:
                    key.data.clear()
                    missing -= 1
        return time.perf_counter()

    def close(self) -> None:
        """Leave."""
        for key in list(self.selector.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr] # sockets all
        self.selector.close()


def _drop(readers: _Readers, seconds: float) -> None:
    """Let heartbeats come for a while."""
    ends = time.monotonic() + seconds
    while (left := ends - time.monotonic()) > 0:
        for key, _ in readers.selector.select(left):
            key.fileobj.recv(4096)  # type: ignore[union-attr] # sockets all


def measure(number: int, name: str, store: str) -> str:
    """Return a line of the table."""
    with _running(number, store) as gateway:
        readers = _Readers()
        before, used, began = gateway.resident(), gateway.used(), time.perf_counter()
        readers.open(gateway)
        opening, opened = gateway.used() - used, time.perf_counter() - began
        size = (gateway.resident() - before) / number
        used = gateway.used()
        _drop(readers, _REST_SECONDS)
        rest = (gateway.used() - used) / _REST_SECONDS * 100
        seconds: list[float] = []
        used = gateway.used()
        for _ in range(_EVENTS):
            began = time.perf_counter()
            gateway.tell("publish")
            seconds.append(readers.take(b"event: lexoffice") - began)
            gateway.wait()
        telling = (gateway.used() - used) / _EVENTS / number
        readers.close()
    return (
        f"| {name} | {number:,} | {size:,.0f} | {opening / number * 1e6:.0f} | {opened:.1f} | {rest:.2f} % "
        f"| {telling * 1e6:.0f} | {median(seconds) * 1000:.0f} | {max(seconds) * 1000:.0f} |"
    )


def main(number: int) -> None:
    """Print the table."""
    say = sys.stdout.write
    say(
        "| store | streams | bytes each | µs of CPU to open | s until all were open | CPU at rest "
        "| µs of CPU to tell | ms to the last one | at most |\n|---|---|---|---|---|---|---|---|---|\n"
    )
    with TemporaryDirectory() as folder:
        server = RedisServer(Path(folder), free_port())
        stores = {
            "memory": "memory://",
            "SQLite": f"sqlite:///{folder}/sessions.sqlite",
            "Redis": f"redis://127.0.0.1:{server.port}",
        }
        for name, store in stores.items():
            say(measure(number, name, store) + "\n")
            sys.stdout.flush()
        server.stop()


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        uvloop.run(_serve(int(sys.argv[2]), sys.argv[3]))
    else:
        main(int(sys.argv[1]))
