"""`python -m bench.quick`: 20 seconds of lexgate on SQLite, a server that proxies nothing, and Envoy."""

from __future__ import annotations

import argparse
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from bench.authorization_server import running_authorization_server
from bench.lexgate import ROOT, running_planted
from bench.load import Target, run_wrk
from bench.peers.envoy import running_envoy
from bench.peers.stage import Stage
from bench.process import PROXY_CORE, Running, free_port, start, stopping
from bench.upstream import DOCUMENTS, Upstream, running_upstream

_CONSTANT = "uvicorn, a constant"
Measured = tuple[Running, Target]


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m bench.quick", description=__doc__)
    parser.add_argument("--seconds", type=int, default=2, help="of each burst of load")
    parser.add_argument("--rounds", type=int, default=1)
    parsed = parser.parse_args()
    with ExitStack() as ending:
        folder = Path(ending.enter_context(tempfile.TemporaryDirectory(prefix="lexgate-bench-")))
        upstream = ending.enter_context(running_upstream(folder))
        measured = {
            "lexgate": ending.enter_context(running_planted(folder, upstream)),
            _CONSTANT: _constant(ending, folder),
        }
        try:
            measured["Envoy"] = _envoy(ending, folder, upstream)
        except RuntimeError as error:
            _say(f"without Envoy: {error}")
        for _, target in measured.values():
            run_wrk(target, "1k", seconds=1)
        for _ in range(parsed.rounds):
            for document in DOCUMENTS:
                for name, (running, target) in measured.items():
                    proxied = None if name == _CONSTANT else upstream
                    _measure(name, running, target, document, parsed.seconds, proxied)
    return 0


def _envoy(ending: ExitStack, folder: Path, upstream: Upstream) -> Measured:
    port = free_port()
    issuer = ending.enter_context(running_authorization_server(folder, [port]))
    peer = ending.enter_context(running_envoy(Stage(folder, upstream, issuer, redis=""), port))
    return peer.running, peer.target


def _constant(ending: ExitStack, folder: Path) -> Measured:
    port = free_port()
    command = [sys.executable, "-m", "bench.constant", str(port)]
    running = start("constant", command, core=PROXY_CORE, folder=folder, port=port, cwd=ROOT)
    return ending.enter_context(stopping(running)), Target(port)


def _measure(
    name: str, running: Running, target: Target, document: str, seconds: int, upstream: Upstream | None
) -> None:
    before = running.cpu_seconds()
    load = run_wrk(target, document, seconds=seconds, upstream=upstream)
    spent = running.cpu_seconds() - before
    _say(
        f"{document:>5}  {name:20} {load.requests / spent:8.0f} requests/CPU-s  {load.per_second:8.0f}/s"
        f"  p50 {load.p50 * 1e3:6.2f} ms  p99 {load.p99 * 1e3:6.2f} ms"
        f"  {running.resident_bytes() / 1e6:4.0f} MB  {load.errors} errors"
    )


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
