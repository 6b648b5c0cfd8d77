"""The Redis of those that keep their sessions in one: on the core of the load, for it is not measured."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from bench.load import command_path
from bench.process import LOAD_CORE, free_port, start, stopping

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextlib.contextmanager
def running_redis(folder: Path) -> Iterator[str]:
    """Run it until the block ends; yields its URL."""
    port = free_port()
    options = ("--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no")
    command = (command_path("redis-server"), *options, "--dir", folder)
    with stopping(start("redis", command, core=LOAD_CORE, folder=folder, port=port)):
        yield f"redis://127.0.0.1:{port}"
