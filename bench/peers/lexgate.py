"""lexgate among its peers: one worker, all checks, metrics and the audit log on."""

from __future__ import annotations

import contextlib
import subprocess
from typing import TYPE_CHECKING

from bench.authorization_server import sign_in
from bench.lexgate import ROOT, build_lexgate
from bench.load import Target
from bench.peers.stage import Peer, Stage
from bench.process import stopping
from bench.targets import LOGGING, REDIS
from gateway import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def running_lexgate(stage: Stage, port: int, name: str) -> Iterator[Peer]:
    """Run it as the name says until the block ends, with a person signed in."""
    lexgate = build_lexgate(
        store=stage.redis if name == REDIS else f"sqlite://{stage.folder}/{port}.sqlite",
        api_url=stage.upstream.origin,
        issuer=stage.issuer,
        log_level="info" if name == LOGGING else "warning",
        port=port,
    )
    with stopping(lexgate.start(stage.folder, name=f"lexgate-{port}")) as running:
        cookie = sign_in(f"http://localhost:{port}", "/auth/login?return_to=/")
        yield Peer(name, version(), running, Target(port, (cookie,)))


def version() -> str:
    """Return the version and the commit of this checkout."""
    command = ("git", "-C", str(ROOT), "describe", "--always", "--dirty")
    told = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603 - fixed
    return f"{__version__} ({told})" if told else __version__
