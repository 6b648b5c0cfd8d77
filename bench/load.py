"""Bursts of load: as much as goes with wrk, or at a constant rate with h2load."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bench.process import LOAD_CORE
from bench.reading import Load, UnreadableReport, parse_h2load_log, parse_wrk
from bench.upstream import DOCUMENTS

CONNECTIONS = 32
_SCRIPT = Path(__file__).with_name("load.lua")
_USER_AGENT = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
)
_BROWSER = (
    'sec-ch-ua: "Chromium";v="142", "Not_A Brand";v="99"',
    "sec-ch-ua-mobile: ?0",
    'sec-ch-ua-platform: "Linux"',
    f"User-Agent: {_USER_AGENT}",
    "Accept: application/json",
    "Accept-Language: de-DE,de;q=0.9,en;q=0.8",
    "Sec-Fetch-Site: same-origin",
    "Sec-Fetch-Mode: cors",
    "Sec-Fetch-Dest: empty",
)
"""What Chromium sends with a fetch() of the app."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a signed-in browser's calls go: the whole of what differs between the measured proxies."""

    port: int
    headers: tuple[str, ...] = ()
    """The cookie above all; `Name: value` each."""
    prefix: str = "/api"

    def url(self, document: str) -> str:
        """Return the URL of one of the upstream's documents."""
        return f"http://127.0.0.1:{self.port}{self.prefix}/v1/{document}"

    def fields(self) -> list[str]:
        """Return all fields of a call."""
        # Some of the measured compare the host with their own public name, which is localhost.
        return [f"Host: localhost:{self.port}", *_BROWSER, *self.headers]


def run_wrk(target: Target, document: str, *, seconds: int, connections: int = CONNECTIONS) -> Load:
    """Send as much as is answered over kept-open connections."""
    command = [command_path("wrk"), "--threads=1", f"--connections={connections}", f"--duration={seconds}s"]
    command += ["--timeout=10s", "--latency", f"--script={_SCRIPT}", *_header_options(target.fields())]
    text = _run([*command, target.url(document)], seconds)
    return parse_wrk(text, size=DOCUMENTS[document])


def run_at_rate(
    target: Target, document: str, *, rate: float, seconds: float, connections: int = CONNECTIONS
) -> Load:
    """Send so many requests a second, whether or not the earlier ones are answered."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "requests"
        command = [command_path("h2load"), "--h1", "--threads=1", f"--clients={connections}"]
        command += [f"--duration={seconds}", f"--rps={rate / connections:.4f}", f"--log-file={log}"]
        _run([*command, *_header_options(target.fields()), target.url(document)], seconds)
        return parse_h2load_log(log.read_text(encoding="ascii"), skip_seconds=seconds / 5)


def command_path(name: str) -> str:
    """Return the path of a command; RuntimeError says how to get it."""
    found = shutil.which(name)
    if found is None:
        raise RuntimeError(f"{name} is missing: `make bench` installs it")
    return found


def _header_options(fields: list[str]) -> list[str]:
    return [f"--header={field}" for field in fields]


def _run(command: list[str], seconds: float) -> str:
    pinned = ["taskset", "--cpu-list", str(LOAD_CORE), *command]
    ended = subprocess.run(  # noqa: S603 - the load generators, with the harness's own arguments
        pinned, capture_output=True, text=True, check=False, timeout=seconds + 30
    )
    if ended.returncode != 0:
        raise UnreadableReport(f"{command[0]}: {ended.stdout}{ended.stderr}")
    return ended.stdout
