"""oauth2-proxy, where it is on the PATH: sessions in Redis, as it is run for several replicas."""

from __future__ import annotations

import contextlib
import shutil
from typing import TYPE_CHECKING

from bench.authorization_server import CALLBACK, CLIENT_ID, CLIENT_SECRET, sign_in
from bench.load import Target
from bench.peers.stage import Peer, Stage, first_line
from bench.process import PROXY_CORE, start, stopping
from bench.targets import OAUTH2_PROXY

if TYPE_CHECKING:
    from collections.abc import Iterator

_COMMAND = "oauth2-proxy"
_COOKIE_SECRET = "0123456789abcdef0123456789abcdef"  # noqa: S105 - it opens nothing but this run


def is_present() -> bool:
    """Say whether it can be measured here."""
    return shutil.which(_COMMAND) is not None


@contextlib.contextmanager
def running_oauth2_proxy(stage: Stage, port: int) -> Iterator[Peer]:
    """Run it until the block ends, with a person signed in."""
    options = {
        "http-address": f"127.0.0.1:{port}",
        "upstream": f"{stage.upstream.origin}/",
        "provider": "oidc",
        "oidc-issuer-url": stage.issuer,
        "client-id": CLIENT_ID,
        "client-secret": CLIENT_SECRET,
        "redirect-url": f"http://localhost:{port}{CALLBACK}",
        "proxy-prefix": "/auth",
        "code-challenge-method": "S256",
        "scope": "openid email",
        "email-domain": "*",
        "cookie-secret": _COOKIE_SECRET,
        "cookie-secure": "false",
        "session-store-type": "redis",
        "redis-connection-url": stage.redis,
        "skip-provider-button": "true",
        "pass-authorization-header": "true",
        "request-logging": "false",
        "auth-logging": "false",
        "standard-logging": "false",
    }
    command = [_COMMAND, *(f"--{name}={value}" for name, value in options.items())]
    with stopping(
        start(
            "oauth2-proxy",
            command,
            core=PROXY_CORE,
            folder=stage.folder,
            port=port,
            environment={"GOMAXPROCS": "1"},
        )
    ) as running:
        cookie = sign_in(f"http://localhost:{port}", "/v1/1k")
        version = first_line(_COMMAND, "--version").split()[1]
        yield Peer(OAUTH2_PROXY, version, running, Target(port, (cookie,), prefix=""))
