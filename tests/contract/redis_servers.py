"""Real Redis servers on the loopback interface: one alone, three as a cluster, a watched pair."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import ExitStack, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_MISSING = "needs redis-server and redis-cli: apt-get install redis-server (Debian, Ubuntu)"
_PATIENCE = 30.0
_BUS = 10_000
_running = ExitStack()


class RedisServer:
    """A redis-server process, ready when made; `options` are lines of its configuration."""

    def __init__(self, folder: Path, port: int, *options: str, sentinel: bool = False) -> None:
        self.port = port
        self._arguments = [
            "redis-server",
            str(folder / f"{port}.conf"),
            *(["--sentinel"] if sentinel else []),
        ]
        settings = [f"port {port}", "bind 127.0.0.1", f"dir {folder}", "daemonize no", "loglevel warning"]
        kept = [] if sentinel else ['save ""', "appendonly no"]
        (folder / f"{port}.conf").write_text("\n".join([*settings, *kept, *options]) + "\n")
        self.start()

    def start(self) -> None:
        """Start it (again), empty."""
        self.process = subprocess.Popen(self._arguments, stdout=subprocess.DEVNULL)
        poll_until(lambda: self.ask("ping") == "PONG")

    def stop(self) -> None:
        """End it at once."""
        self.process.kill()
        self.process.wait()

    def ask(self, *command: str) -> str:
        """Return what redis-cli says."""
        run = subprocess.run(
            ["redis-cli", "-p", str(self.port), *command], capture_output=True, text=True, check=False
        )
        return run.stdout.strip()


def poll_until(is_ready: Callable[[], bool]) -> None:
    """Return when it is ready; AssertionError after half a minute."""
    deadline = time.monotonic() + _PATIENCE
    while not is_ready():
        assert time.monotonic() < deadline, "a Redis server did not become ready"
        time.sleep(0.02)


def free_port() -> int:
    """Return a port that is free, and so is the one of the cluster's bus that belongs to it."""
    while True:
        with socket.socket() as one, socket.socket() as bus, suppress(OSError, OverflowError):
            one.bind(("127.0.0.1", 0))
            port: int = one.getsockname()[1]
            bus.bind(("127.0.0.1", port + _BUS))
            return port


def start_server(*options: str, sentinel: bool = False) -> RedisServer:
    """Start a server that `stop_all` ends."""
    assert shutil.which("redis-server"), _MISSING
    assert shutil.which("redis-cli"), _MISSING
    folder = Path(_running.enter_context(tempfile.TemporaryDirectory()))
    server = RedisServer(folder, free_port(), *options, sentinel=sentinel)
    _running.callback(server.stop)
    return server


def start_cluster(masters: int, replicas: int = 0) -> list[RedisServer]:
    """Start a cluster, each master with as many replicas."""
    options = ("cluster-enabled yes", "cluster-node-timeout 500", "cluster-replica-validity-factor 0")
    servers = [start_server(*options) for _ in range(masters * (1 + replicas))]
    addresses = [f"127.0.0.1:{server.port}" for server in servers]
    servers[0].ask("--cluster", "create", *addresses, "--cluster-replicas", str(replicas), "--cluster-yes")
    poll_until(lambda: all("cluster_state:ok" in server.ask("cluster", "info") for server in servers))
    return servers


@cache
def single_url() -> str:
    """Return the URL of the one server that most tests share."""
    return f"redis://127.0.0.1:{start_server().port}"


@cache
def cluster_url() -> str:
    """Return the URL of the cluster that most tests share."""
    return cluster_address(start_cluster(3))


def cluster_address(servers: list[RedisServer]) -> str:
    """Return the URL of a cluster."""
    return "redis+cluster://" + ",".join(f"127.0.0.1:{server.port}" for server in servers)


def stop_all() -> None:
    """End every server that was started here."""
    _running.close()
    single_url.cache_clear()
    cluster_url.cache_clear()
