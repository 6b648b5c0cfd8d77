"""`make profile`: where the microseconds of a proxied call go, by samples of a running lexgate."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from bench.lexgate import running_planted
from bench.load import run_wrk
from bench.process import LOAD_CORE
from bench.stacks import parse_stacks
from bench.upstream import DOCUMENTS, running_upstream

if TYPE_CHECKING:
    from bench.process import Running

_SPY = Path(sys.executable).with_name("py-spy")
_START_SECONDS = 2
_EVERYWHERE = 0.95


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="make profile", description=__doc__)
    parser.add_argument("--document", choices=tuple(DOCUMENTS), default="1k")
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--top", type=int, default=30)
    parser.add_argument("--stacks", type=Path, help="keep the folded stacks in this file, for a flame graph")
    parsed = parser.parse_args()
    with ExitStack() as ending:
        folder = Path(ending.enter_context(tempfile.TemporaryDirectory(prefix="lexgate-bench-")))
        upstream = ending.enter_context(running_upstream(folder))
        running, target = ending.enter_context(running_planted(folder, upstream))
        run_wrk(target, parsed.document, seconds=1)
        before = running.user_system_seconds()
        load = run_wrk(target, parsed.document, seconds=3, upstream=upstream)
        after = running.user_system_seconds()
        stacks = parsed.stacks or folder / "stacks"
        spy = _start_spy(running, stacks, parsed.seconds)
        run_wrk(target, parsed.document, seconds=parsed.seconds + _START_SECONDS)
        said = spy.communicate()[0]
        if spy.returncode != 0:
            raise RuntimeError(f"py-spy: {said}")
        shares = parse_stacks(stacks.read_text(encoding="utf-8").splitlines())
    user, system = ((late - early) / load.requests * 1e6 for early, late in zip(before, after, strict=True))
    micros = user + system
    _say(
        f"{1e6 / micros:.0f} requests/CPU-s: {micros:.1f} us a request, {user:.1f} of the program and"
        f" {system:.1f} of the kernel; {load.errors} errors; {shares.samples} samples"
    )
    for title, counter in (("by itself", shares.own), ("with what it calls", shares.within)):
        # What nearly every sample has is the way from main() into the event loop.
        told = [pair for pair in counter.most_common() if pair[1] < _EVERYWHERE * shares.samples]
        _say(f"\n{title}:")
        for name, samples in told[: parsed.top]:
            _say(f"{samples * micros / shares.samples:8.2f} us  {name}")
    return 0


def _start_spy(running: Running, stacks: Path, seconds: int) -> subprocess.Popen[str]:
    if not _SPY.exists():
        raise RuntimeError("py-spy is missing: `make profile` installs it")
    options = ("--native", "--rate", "250", "--format", "raw", "--function", "--output", str(stacks))
    command = ("taskset", "--cpu-list", str(LOAD_CORE), str(_SPY), "record", *options)
    return subprocess.Popen(  # noqa: S603 - fixed
        [*command, "--duration", str(seconds), "--pid", str(running.process.pid)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
