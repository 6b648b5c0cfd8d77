"""express-openid-connect with http-proxy-middleware, on Node."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

from bench.authorization_server import CLIENT_ID, CLIENT_SECRET, NODE_FOLDER, sign_in
from bench.load import Target, command_path
from bench.peers.stage import Peer, Stage, first_line
from bench.process import PROXY_CORE, start, stopping

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "express-openid-connect"
_LOCK = NODE_FOLDER / "package-lock.json"


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
        locked = json.loads(_LOCK.read_text(encoding="utf-8"))["packages"]
        version = locked["node_modules/express-openid-connect"]["version"]
        node = first_line(command_path("node"), "--version")
        yield Peer(NAME, f"{version}, Node {node}", running, Target(port, (cookie,)))
