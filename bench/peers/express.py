"""express-openid-connect with http-proxy-middleware, on Node."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

from bench.authorization_server import CLIENT_ID, CLIENT_SECRET, sign_in
from bench.load import Target, command_path
from bench.peers.stage import Peer, Stage, first_line, locked_version
from bench.process import PROXY_CORE, start, stopping
from bench.targets import EXPRESS

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def running_express(stage: Stage, port: int) -> Iterator[Peer]:
    """Run it until the block ends, with a person signed in."""
    options = {
        "port": port,
        "issuer": stage.issuer,
        "clientId": CLIENT_ID,
        "clientSecret": CLIENT_SECRET,
        "upstream": stage.upstream.origin,
    }
    with stopping(
        start(
            "express",
            [command_path("node"), Path(__file__).with_name("express.mjs"), json.dumps(options)],
            core=PROXY_CORE,
            folder=stage.folder,
            port=port,
            environment={"NODE_ENV": "production"},
        )
    ) as running:
        cookie = sign_in(f"http://localhost:{port}", "/auth/login")
        own, middleware = map(locked_version, ("express-openid-connect", "http-proxy-middleware"))
        node = first_line(command_path("node"), "--version")
        version = f"{own}, http-proxy-middleware {middleware}, Node {node}"
        yield Peer(EXPRESS, version, running, Target(port, (cookie,)))
