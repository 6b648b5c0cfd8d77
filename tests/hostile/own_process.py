"""A gateway in a process of its own, whose memory can be measured."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from gateway.sandbox import SandboxOptions, build_sandbox
from tests.hostile.stage import sign_in
from tests.support.ports import free_port
from tests.support.raw_browser import RawBrowser, SignedIn
from tests.support.raw_upstream import RawUpstream, running_raw_upstream
from tests.support.running import CLIENT_ID, CLIENT_SECRET, SECRET, running_app
from tests.support.wire import until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_ROOT = Path(__file__).parents[2]


@dataclass
class OwnProcess:
    """The gateway's process, the upstream, and Anna's session."""

    pid: int
    port: int
    upstream: RawUpstream
    anna: SignedIn

    def browser(self) -> RawBrowser:
        """Open a connection to the gateway."""
        return RawBrowser(self.port)

    def peak_bytes(self) -> int:
        """Return the most memory it ever had resident since it was last asked to forget (VmHWM)."""
        return self._status("VmHWM")

    def forget_peak(self) -> int:
        """Begin to measure; returns the resident memory of now."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5", encoding="ascii")
        return self._status("VmRSS")

    def open_files(self) -> int:
        """Return how many descriptors it holds."""
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))

    def _status(self, name: str) -> int:
        for line in Path(f"/proc/{self.pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith(name + ":"):
                return int(line.split()[1]) * 1024
        raise AssertionError(name)


@contextmanager
def running_process(settings: Mapping[str, str] | None = None) -> Iterator[OwnProcess]:
    """Run sandbox and upstream here, the gateway in its own process, and sign Anna in."""
    port, admin, box_port = free_port(), free_port(), free_port()
    public_url = f"http://localhost:{port}"
    options = {
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "redirect_uris": (f"{public_url}/auth/callback",),
    }
    box = f"http://127.0.0.1:{box_port}"
    sandbox = build_sandbox(SandboxOptions(base_url=box, **options))  # type: ignore[arg-type]
    with (
        running_raw_upstream() as upstream,
        running_app(sandbox, port=box_port),
        TemporaryDirectory() as folder,
    ):
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("LEXGATE_")},
            "LEXGATE_PUBLIC_URL": public_url,
            "LEXGATE_SECRETS": SECRET,
            "LEXGATE_CLIENT_ID": CLIENT_ID,
            "LEXGATE_CLIENT_SECRET": CLIENT_SECRET,
            "LEXGATE_PROVIDER": "openid",
            "LEXGATE_ISSUER": f"{box}/openid",
            "LEXGATE_API_URL": upstream.url,
            "LEXGATE_STORE": "memory://",
            "LEXGATE_BIND": f"127.0.0.1:{port}",
            "LEXGATE_ADMIN_BIND": f"127.0.0.1:{admin}",
            "PYTHONPATH": str(_ROOT),
            **(settings or {}),
        }
        command = [sys.executable, "-m", "gateway", "serve"]
        with subprocess.Popen(
            command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        ) as process:
            try:
                assert process.stderr is not None
                assert public_url in process.stderr.readline()
                yield OwnProcess(process.pid, port, upstream, sign_in(public_url, "anna"))
            finally:
                upstream.end()
                process.terminate()
                process.wait(30)


def settle(process: OwnProcess) -> None:
    """Wait until no call is in flight."""
    until(lambda: not process.upstream.busy())
