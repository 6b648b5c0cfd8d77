"""A measured proxy's CPU time is that of everything it has started."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from bench.process import Running, free_port, start, stopping
from tests.support.wire import until

if TYPE_CHECKING:
    from pathlib import Path

BURN = "import time\nend = time.process_time() + 0.1\nwhile time.process_time() < end: pass\n"
PARENT = f"""
import http.server, os, subprocess, sys
subprocess.run([sys.executable, "-c", {BURN!r}], check=True)  # ended, and waited for
if os.fork() == 0:
    if os.fork() == 0:
        {BURN!r} and exec({BURN!r})
        import signal; signal.pause()  # orphaned, and still there
    os._exit(0)
os.wait()
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), http.server.BaseHTTPRequestHandler).serve_forever()
"""


def started(folder: Path) -> Running:
    port = free_port()
    core = min(os.sched_getaffinity(0))
    return start("parent", (sys.executable, "-c", PARENT, str(port)), core=core, folder=folder, port=port)


def test_children_that_ended_and_orphans_are_counted(tmp_path: Path) -> None:
    with stopping(started(tmp_path)) as running:
        assert running.processes() == 2, "the server and the orphan"
        until(lambda: running.cpu_seconds() >= 0.2)
        assert running.resident_bytes() > 10_000_000
    until(lambda: running.processes() == 0)  # nothing outlives the block


def test_a_process_that_ends_at_its_start_is_told_with_what_it_said(tmp_path: Path) -> None:
    command = (sys.executable, "-c", "import sys; sys.exit('no such setting')")
    with pytest.raises(RuntimeError, match="no such setting"):
        start("broken", command, core=min(os.sched_getaffinity(0)), folder=tmp_path, port=free_port())
