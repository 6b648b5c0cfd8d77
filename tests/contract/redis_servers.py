"""Real Redis servers on the loopback interface: one alone, three as a cluster, a watched pair."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from redis.asyncio import Redis

from tests.support import ports

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

    @property
    def url(self) -> str:
        """Return the setting that leads to it."""
        return f"redis://127.0.0.1:{self.port}"

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
        return ask(self.port, *command)


def ask(port: int, *command: str) -> str:
    """Return what redis-cli says to a command at a port of this machine."""
    arguments = ["redis-cli", "-p", str(port), *command]
    return subprocess.run(arguments, capture_output=True, text=True, check=False).stdout.strip()


def has_replicated(master: RedisServer) -> bool:
    """Say whether a replica has everything that its master has."""
    lines = dict(line.split(":", 1) for line in master.ask("info", "replication").splitlines() if ":" in line)
    replica = lines.get("slave0", "")
    return "state=online" in replica and f"offset={lines['master_repl_offset']}" in replica


def poll_until(is_ready: Callable[[], bool]) -> None:
    """Return when it is ready; AssertionError after half a minute."""
    deadline = time.monotonic() + _PATIENCE
    while not is_ready():
        assert time.monotonic() < deadline, "a Redis server did not become ready"
        time.sleep(0.02)


def free_port() -> int:
    """Return a port that is free, and so is the one of the cluster's bus that belongs to it."""
    return ports.free_port(beside=_BUS)


def start_server(*options: str, sentinel: bool = False) -> RedisServer:
    """Start a server that `stop_all` ends."""
    assert shutil.which("redis-server"), _MISSING
    assert shutil.which("redis-cli"), _MISSING
    folder = Path(_running.enter_context(tempfile.TemporaryDirectory()))
    server = RedisServer(folder, free_port(), *options, sentinel=sentinel)
    _running.callback(server.stop)
    return server


def start_cluster(masters: int, replicas: int = 0, *, silence_ms: int = 15000) -> list[RedisServer]:
    """Start a cluster, each master with as many replicas; who says nothing for `silence_ms` is given up."""
    options = (
        "cluster-enabled yes",
        f"cluster-node-timeout {silence_ms}",
        "cluster-replica-validity-factor 0",
    )
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


def write_certificate(folder: Path) -> Path:
    """Make cert.pem, for 127.0.0.1 and signed by itself, and key.pem; return the former."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "redis")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, no_password = serialization.Encoding.PEM, serialization.NoEncryption()
    (folder / "key.pem").write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, no_password))
    (folder / "cert.pem").write_bytes(certificate.public_bytes(pem))
    return folder / "cert.pem"


async def read_everything(namespace: str, url: str | None = None) -> dict[bytes, bytes]:
    """Return all keys of a namespace on the server, each with everything under it."""
    found: dict[bytes, bytes] = {}
    connection: Any = Redis.from_url(url or single_url())
    async with connection as client:
        async for name in client.scan_iter(f"{namespace}:*"):
            kind = await client.type(name)
            if kind == b"string":
                found[name] = await client.get(name) or b""
            elif kind == b"hash":
                found[name] = b"".join(await client.hkeys(name))
            else:
                found[name] = b"".join(await client.zrange(name, 0, -1))
    return found


def stop_all() -> None:
    """End every server that was started here."""
    _running.close()
    single_url.cache_clear()
    cluster_url.cache_clear()
