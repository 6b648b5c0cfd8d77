"""`python -m bench.quick`: lexgate on SQLite in 15 seconds, beside a server that proxies nothing."""

from __future__ import annotations

import argparse
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from bench.lexgate import build_lexgate
from bench.load import Target, run_wrk
from bench.process import PROXY_CORE, Running, free_port, start, stopping
from bench.upstream import DOCUMENTS, running_upstream


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m bench.quick", description=__doc__)
    parser.add_argument("--seconds", type=int, default=2, help="of each burst of load")
    parser.add_argument("--rounds", type=int, default=1)
    parsed = parser.parse_args()
    with ExitStack() as ending:
        folder = Path(ending.enter_context(tempfile.TemporaryDirectory(prefix="lexgate-bench-")))
        upstream = ending.enter_context(running_upstream(folder))
        lexgate = build_lexgate(
            store=f"sqlite://{folder}/sessions.sqlite", api_url=upstream.origin, issuer="http://127.0.0.1:9"
        )
        (cookie,) = lexgate.plant_sessions(1, folder)
        measured = {
            "lexgate": (
                ending.enter_context(stopping(lexgate.start(folder))),
                Target(lexgate.port, (cookie,)),
            )
        }
        measured["uvicorn, a constant"] = _constant(ending, folder)
        for _ in range(parsed.rounds):
            for document in DOCUMENTS:
                for name, (running, target) in measured.items():
                    _say(name, running, target, document, parsed.seconds)
    return 0


def _constant(ending: ExitStack, folder: Path) -> tuple[Running, Target]:
    port = free_port()
    command = [sys.executable, "-m", "bench.constant", str(port)]
    running = start(
        "constant",
        command,
        core=PROXY_CORE,
        folder=folder,
        port=port,
        cwd=Path(__file__).parent.parent,
    )
    return ending.enter_context(stopping(running)), Target(port)


def _say(name: str, running: Running, target: Target, document: str, seconds: int) -> None:
    run_wrk(target, document, seconds=1)
    before = running.cpu_seconds()
    load = run_wrk(target, document, seconds=seconds)
    spent = running.cpu_seconds() - before
    sys.stdout.write(
        f"{document:>5}  {name:22} {load.requests / spent:8.0f} requests/CPU-s  {load.per_second:8.0f}/s"
        f"  p50 {load.p50 * 1e3:6.2f} ms  p99 {load.p99 * 1e3:6.2f} ms"
        f"  {running.resident_bytes() / 1e6:4.0f} MB  {load.errors} errors\n"
    )
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
