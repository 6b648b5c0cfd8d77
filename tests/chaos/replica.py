"""One gateway process of the stage, which can be killed and started again."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.call import call

ROOT = Path(__file__).parents[2]


@dataclass
class Replica:
    """One `lexgate serve`; `settings` may be changed between `stop` and `start`."""

    port: int
    folder: Path
    settings: dict[str, str]
    process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        """Start it, and return when it answers."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("LEXGATE_")}
        with (self.folder / f"{self.port}.log").open("ab") as log:
            self.process = subprocess.Popen(  # noqa: ASYNC220 - it returns at once
                [sys.executable, "-m", "gateway", "serve"],
                cwd=self.folder,
                env={**kept, **self.settings, "PYTHONPATH": str(ROOT)},
                stdout=log,
                stderr=log,
            )
        await answering(self.port, "/auth/session", self.process)

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End it: in order, or by SIGKILL at once."""
        process, self.process = self.process, None
        if process is not None and process.poll() is None:
            process.send_signal(number)
            await asyncio.to_thread(process.wait, 40)

    async def restart(self) -> None:
        """Kill it if it runs, and start it with the settings it has."""
        await self.stop(signal.SIGKILL)
        await self.start()


async def answering(port: int, path: str, process: subprocess.Popen[bytes]) -> None:
    """Return when a process answers on a port."""
    async with asyncio.timeout(90):
        while (await call(port, path)).status != 200:
            assert process.poll() is None, f"a process ended at its start: {process.args!r}"
            await asyncio.sleep(0.05)
