"""`make bench`: all proxies in interleaved rounds; prints the tables and writes them to bench/RESULTS.md."""

from __future__ import annotations

import argparse
import contextlib
import os
import platform
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from bench.alone import measure_alone
from bench.authorization_server import running_authorization_server
from bench.peers.apache import running_apache
from bench.peers.envoy import running_envoy
from bench.peers.express import running_express
from bench.peers.lexgate import running_lexgate
from bench.peers.nginx import running_nginx
from bench.peers.oauth2_proxy import is_present, running_oauth2_proxy
from bench.peers.redis import running_redis
from bench.peers.stage import Peer, Stage, check, check_upstream, first_line, locked_version
from bench.process import PROXY_CORE, free_port
from bench.report import build_measured_table, build_verdict_table, build_versions_table
from bench.rounds import measure_rounds
from bench.targets import LOGGING, NGINX, NGINX_LARGE, REDIS, SQLITE, judge
from bench.upstream import running_upstream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bench.result import Alone, Row

    Start = Callable[[Stage, int], contextlib.AbstractContextManager[Peer]]

RESULTS = Path(__file__).with_name("RESULTS.md")
_QUIET_LOAD = 0.5


def main() -> int:
    """Run the command; returns 0 if every row is valid, whether or not the targets are met."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds: int = parser.parse_args().rounds
    started, load = time.monotonic(), os.getloadavg()[0]
    if load > _QUIET_LOAD:
        _say(
            f"the machine is not quiet (load average {load:.1f}): the figures will be worse, and less certain"
        )
    with running_stage() as (stage, peers):
        rows = measure_rounds(peers, stage.upstream, rounds, _say)
        alone = measure_alone(stage, next(peer for peer in peers if peer.name == SQLITE), rounds, _say)
        for peer in peers:
            check(peer)
    text = build_results(rows, alone, rounds=rounds, load=load, seconds=time.monotonic() - started)
    RESULTS.write_text(text, encoding="utf-8")
    sys.stdout.write(text)
    return 0 if all(row.is_valid for row in rows.values()) and alone.errors == 0 else 1


@contextlib.contextmanager
def running_stage() -> Iterator[tuple[Stage, list[Peer]]]:
    """Run everything until the block ends, every proxy with a person signed in and checked."""
    starts = _list_starts()
    ports = [free_port() for _ in starts]
    with ExitStack() as ending:
        folder = Path(ending.enter_context(tempfile.TemporaryDirectory(prefix="lexgate-bench-")))
        folder.chmod(0o755)  # Apache's workers are of another user
        upstream = ending.enter_context(running_upstream(folder))
        issuer = ending.enter_context(running_authorization_server(folder, ports))
        check_upstream(upstream)
        stage = Stage(folder, upstream, issuer, ending.enter_context(running_redis(folder)))
        peers = [ending.enter_context(start(stage, port)) for start, port in zip(starts, ports, strict=True)]
        for peer in peers:
            check(peer)
        yield stage, peers


def build_results(rows: dict[str, Row], alone: Alone, *, rounds: int, load: float, seconds: float) -> str:
    """Build RESULTS.md."""
    verdicts = judge(rows, alone)
    missed = sum(verdict.is_met is False for verdict in verdicts)
    return f"""# What `make bench` measured

{time.strftime("%Y-%m-%d %H:%M", time.gmtime())} UTC, {rounds} rounds in {seconds:.0f} s, on \
{_cpu_model()}, {os.cpu_count()} cores, Linux {platform.release()}, Python {platform.python_version()}; \
load average before: {load:.1f}. [README.md](README.md) says what the columns mean.

{build_measured_table(rows)}

{len(verdicts)} targets, {missed} missed:

{build_verdict_table(verdicts)}

{build_versions_table(rows.values())}

Load: {first_line("wrk", "--version").split(" Copyright")[0]}; authorization server: oidc-provider \
{locked_version("oidc-provider")}; store: {first_line("redis-server", "--version").split(" sha")[0]}.
"""


def _list_starts() -> list[Start]:
    lexgates: list[Start] = [_start_lexgate(name) for name in (SQLITE, REDIS, LOGGING)]
    nginxes: list[Start] = [_start_nginx(name) for name in (NGINX, NGINX_LARGE)]
    others: list[Start] = [running_envoy, running_apache, running_express]
    return [*lexgates, *others, *([running_oauth2_proxy] if is_present() else []), *nginxes]


def _start_lexgate(name: str) -> Start:
    return lambda stage, port: running_lexgate(stage, port, name)


def _start_nginx(name: str) -> Start:
    return lambda stage, port: running_nginx(stage, port, name)


def _cpu_model() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    found = next((line for line in lines if line.startswith("model name")), "an unknown CPU")
    return found.rpartition(":")[2].strip()


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    if (os.cpu_count() or 1) <= PROXY_CORE + 1:
        sys.exit("make bench needs two cores: one for the measured proxy, one for the load")
    sys.exit(main())
