"""Processes on a pinned core, with the CPU time and memory of everything they start."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

PROXY_CORE = 0
LOAD_CORE = 1
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_READY_SECONDS = 15


@dataclass(slots=True)
class Running:
    """A process that leads a session of its own: whatever it starts belongs to it, however it is orphaned."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    ready_seconds: float = 0.0

    def cpu_seconds(self) -> float:
        """Return user and system time of all its processes, those that have ended included."""
        return sum(self.user_system_seconds())

    def user_system_seconds(self) -> tuple[float, float]:
        """Return the user time and the system time of all its processes."""
        # Fields 14 to 17 of proc(5)'s stat: utime, stime, and both of the children that were waited for.
        ticks = [tuple(map(int, fields[11:15])) for fields in self._stats()]
        return sum(u + cu for u, _, cu, _ in ticks) / _TICKS, sum(s + cs for _, s, _, cs in ticks) / _TICKS

    def resident_bytes(self) -> int:
        """Return the resident memory of all its processes; pages that they share count for each."""
        return sum(int(fields[21]) for fields in self._stats()) * _PAGE

    def peak_resident_bytes(self) -> int:
        """Return the most memory that its processes ever had, each taken by itself."""
        return sum(_read_peak(pid) for pid, _ in _sessions(self.process.pid))

    def processes(self) -> int:
        """Return how many processes it is now."""
        return sum(fields[0] != "Z" for fields in self._stats())

    def stop(self) -> None:
        """End its whole session: in order, or after five seconds by force."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(5)
                break
        for pid, _ in _sessions(self.process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def told(self) -> str:
        """Return the last lines of its log, for whoever asks why it does not work."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join([f"--- {self.name} says:", *lines[-15:]])

    def _stats(self) -> list[list[str]]:
        return [fields for _, fields in _sessions(self.process.pid)]


def _sessions(leader: int) -> Iterator[tuple[int, list[str]]]:
    """Yield pid and stat fields, from the third on, of every process in the session of `leader`."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        with contextlib.suppress(OSError):
            # The second field, the command, may hold spaces and parentheses.
            fields = (entry / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            if int(fields[3]) == leader:
                yield int(entry.name), fields


def _read_peak(pid: int) -> int:
    """Return VmHWM of proc(5)'s status; a zombie has none."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


def start(
    name: str,
    command: Sequence[str | Path],
    *,
    core: int,
    folder: Path,
    port: int,
    environment: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Running:
    """Start a command on a core and return once its port accepts connections; RuntimeError if it does not."""
    log = folder / f"{name}.log"
    kept = {key: value for key, value in os.environ.items() if not key.startswith("LEXGATE_")}
    started = time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - the commands are the harness's own
            ["/usr/bin/env", "taskset", "--cpu-list", str(core), *map(str, command)],
            cwd=cwd or folder,
            env={**kept, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    running = Running(name, process, log)
    while not _accepts(port):
        if process.poll() is not None or time.monotonic() - started > _READY_SECONDS:
            running.stop()
            raise RuntimeError(f"{name} does not answer on port {port}\n{running.told()}")
        time.sleep(0.005)
    running.ready_seconds = time.monotonic() - started
    return running


@contextlib.contextmanager
def stopping(running: Running) -> Iterator[Running]:
    """Stop it when the block ends; what it said is printed if the block fails."""
    try:
        yield running
    except BaseException as error:
        error.add_note(running.told())
        raise
    finally:
        running.stop()


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
