"""Bursts of load: as much as goes with wrk, or at a constant rate with bench.steady."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.process import LOAD_CORE
from bench.reading import Load, UnreadableReport, parse_steady, parse_wrk

if TYPE_CHECKING:
    from bench.upstream import Upstream

CONNECTIONS = 32
_ROOT = Path(__file__).parent.parent
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
        return f"http://127.0.0.1:{self.port}{self.path(document)}"

    def path(self, document: str) -> str:
        """Return its path."""
        return f"{self.prefix}/v1/{document}"

    def fields(self) -> list[str]:
        """Return all fields of a call."""
        # Some of the measured compare the host with their own public name, which is localhost.
        return [f"Host: localhost:{self.port}", *_BROWSER, *self.headers]


def run_wrk(
    target: Target,
    document: str,
    *,
    seconds: int,
    connections: int = CONNECTIONS,
    cookies: Path | None = None,
    upstream: Upstream | None = None,
) -> Load:
    """Send as much as is answered over kept-open connections; `cookies` is a file of Cookie fields to use.

    With the `upstream`, answers that it knows nothing of are errors.
    """
    command = [command_path("wrk"), "--threads=1", f"--connections={connections}", f"--duration={seconds}s"]
    command += ["--timeout=10s", "--latency", f"--script={_SCRIPT}", *_header_options(target.fields())]
    given = [] if cookies is None else ["--", str(cookies)]
    before = 0 if upstream is None else upstream.served()
    load = parse_wrk(_run([*command, target.url(document), *given], seconds))
    return load if upstream is None else load.backed_by(upstream.served() - before)


def run_at_rate(
    target: Target, document: str, *, rate: float, seconds: float, connections: int = CONNECTIONS
) -> Load:
    """Send so many requests a second, whether or not the earlier ones are answered."""
    head = [f"GET {target.path(document)} HTTP/1.1", *target.fields()]
    order = {
        "port": target.port,
        "request": "".join(f"{line}\r\n" for line in [*head, ""]),
        "rate": rate,
        "seconds": seconds,
        "warm_up": 0.3,
        "connections": connections,
    }
    return parse_steady(_run([sys.executable, "-m", "bench.steady", json.dumps(order)], seconds))


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
        pinned, capture_output=True, text=True, check=False, timeout=seconds + 30, cwd=_ROOT
    )
    if ended.returncode != 0:
        raise UnreadableReport(f"{command[0]}: {ended.stdout}{ended.stderr}")
    return ended.stdout
