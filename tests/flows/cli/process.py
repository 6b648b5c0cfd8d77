"""The real command, in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

from tests.support.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

COMMAND = str(Path(sys.executable).with_name("lexgate"))
SECONDS = 30
"""Nothing here takes longer unless it hangs."""


def run(
    *arguments: str, cwd: Path, settings: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [COMMAND, *arguments],
        cwd=cwd,
        env=environment(settings),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


@contextmanager
def started(
    *arguments: str, cwd: Path, settings: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """Start a command; it is killed if the block leaves it running."""
    process = subprocess.Popen(
        [COMMAND, *arguments],
        cwd=cwd,
        env=environment(settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def end(process: subprocess.Popen[str], number: signal.Signals = signal.SIGTERM) -> tuple[int, str, str]:
    """Ask a process to end: its exit code, and what else it wrote to standard output and standard error."""
    process.send_signal(number)
    output, errors = process.communicate(timeout=SECONDS)
    return process.returncode, output, errors


def read_until(stream: IO[str] | None, text: str) -> str:
    """Read lines up to one that holds `text`."""
    assert stream is not None
    lines: list[str] = []
    while not lines or text not in lines[-1]:
        lines.append(stream.readline())
        assert lines[-1], f"ended without {text!r}: {lines}"
    return "".join(lines)


def environment(settings: Mapping[str, str] | None = None) -> dict[str, str]:
    """Build what the process sees: these settings, and none of whoever runs the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LEXGATE_")}
    return {**kept, **(settings or {})}


def serve_settings(**more: str) -> dict[str, str]:
    """Build settings that `lexgate serve` starts with; names without their prefix, in lower case."""
    port = free_port()
    settings = {
        "public_url": f"http://localhost:{port}",
        "secrets": "a signing and sealing secret for tests 0123456789",
        "client_id": "lexgate-test",
        "client_secret": "a client secret",
        "bind": f"127.0.0.1:{port}",
        "admin_bind": f"127.0.0.1:{free_port()}",
        "store": "memory://",
        **more,
    }
    return {f"LEXGATE_{name.upper()}": value for name, value in settings.items()}
