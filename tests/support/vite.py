"""The example in React with Vite: built, or a copy of it before its dev server."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

from tests.support.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
EXAMPLE = EXAMPLES / "react-vite"
VITE = EXAMPLE / "node_modules/vite/bin/vite.js"
_MADE = shutil.ignore_patterns("node_modules", "dist")


def build(folder: Path) -> None:
    """Build the example for production into a folder."""
    subprocess.run(
        [*_command("build"), "--outDir", folder], cwd=EXAMPLE, env=_environment(), check=True, timeout=120
    )


def copy(folder: Path) -> Path:
    """Make a copy that a test may change."""
    copied = folder / "app"
    shutil.copytree(EXAMPLE, copied, ignore=_MADE)
    (copied / "node_modules").symlink_to(EXAMPLE / "node_modules")
    return copied


@contextmanager
def running_vite(folder: Path, *, port: int = 0) -> Iterator[str]:
    """Run the dev server of a copy until the block ends; yields its URL."""
    port = port or free_port()
    process = subprocess.Popen(
        [*_command("dev"), "--port", str(port)],
        cwd=folder,
        env=_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with process:
        try:
            _read_until_ready(process.stdout)
            yield f"http://localhost:{port}"
        finally:
            process.terminate()


def _read_until_ready(stream: IO[str] | None) -> None:
    assert stream is not None
    lines: list[str] = []
    while not lines or "Local:" not in lines[-1]:
        lines.append(stream.readline())
        assert lines[-1], f"Vite ended: {''.join(lines)}"


def _command(verb: str) -> list[str]:
    assert VITE.is_file(), "Vite is missing: `make test` installs it, or run `npm ci` in examples/react-vite"
    return ["node", str(VITE), verb]


def _environment() -> dict[str, str]:
    return {**os.environ, "NO_COLOR": "1"}
