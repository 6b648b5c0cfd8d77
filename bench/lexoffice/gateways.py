"""lexgate as it stands before the sandbox: one process on SQLite, or several on one Redis."""

from __future__ import annotations

import contextlib
import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.lexgate import COMMAND
from bench.lexoffice.sandbox import CLIENT_ID, CLIENT_SECRET, Sandbox, running_sandbox
from bench.peers.redis import running_redis
from bench.process import PROXY_CORE, Running, free_port, start, stopping
from gateway.browser.cookie import SESSION_COOKIE
from tests.support.browser import Browser as Visitor

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from bench.lexoffice.arithmetic import Limit

SCRIPT = {
    "Accept": "application/json",
    "Accept-Language": "de-DE,de;q=0.9,en;q=0.8",
    "Sec-Fetch-Site": "same-origin",
    "Sec-Fetch-Mode": "cors",
    "Sec-Fetch-Dest": "empty",
}
"""What Chromium sends with a fetch() of the app."""


@dataclass(frozen=True, slots=True)
class Gateways:
    """The replicas, and the sandbox behind them; to browsers all of them are `public_url`."""

    public_url: str
    ports: tuple[int, ...]
    replicas: tuple[Running, ...]
    sandbox: Sandbox

    def sign_in(self) -> dict[str, str]:
        """Sign the person in from a new browser, and return the fields that its scripts send."""
        with Visitor(self.public_url) as visitor:
            landed = visitor.sign_in()
            cookie = visitor.cookie(SESSION_COOKIE)
        if cookie is None:
            raise RuntimeError(f"nobody was signed in: {landed.status_code} {landed.url}")
        host = self.public_url.removeprefix("http://")
        return {"Host": host, **SCRIPT, "Cookie": f"{SESSION_COOKIE}={cookie}"}


@contextlib.contextmanager
def running_gateways(
    folder: Path, count: int, limit: Limit, settings: Mapping[str, str], *, store: str = ""
) -> Iterator[Gateways]:
    """Run so many new replicas until the block ends; `store` is redis (of several) or sqlite (of one)."""
    ports = tuple(free_port() for _ in range(count))
    public_url = f"http://localhost:{ports[0]}"
    with ExitStack() as ending:
        sandbox = ending.enter_context(running_sandbox(folder, public_url, limit))
        store = store or ("redis" if count > 1 else "sqlite")
        url = (
            ending.enter_context(running_redis(folder))
            if store == "redis"
            else f"sqlite://{folder}/lexgate.db"
        )
        shared = {**_settings(public_url, url, sandbox), **settings}
        replicas = tuple(ending.enter_context(stopping(_start(folder, port, shared))) for port in ports)
        yield Gateways(public_url, ports, replicas, sandbox)


def sign_in_all(gateways: Gateways, count: int, limit: Limit) -> list[dict[str, str]]:
    """Sign so many browsers of the one person in, as fast as the limit lets each ask for the profile."""
    people: list[dict[str, str]] = []
    for _ in range(count):
        people.append(gateways.sign_in())
        time.sleep(1 / limit.rate)
    return people


def _start(folder: Path, port: int, shared: Mapping[str, str]) -> Running:
    own = {"LEXGATE_BIND": f"127.0.0.1:{port}", "LEXGATE_ADMIN_BIND": f"127.0.0.1:{free_port()}"}
    return start(
        f"lexgate-{port}",
        [COMMAND, "serve"],
        core=PROXY_CORE,
        folder=folder,
        port=port,
        environment={**shared, **own},
    )


def _settings(public_url: str, store: str, sandbox: Sandbox) -> dict[str, str]:
    return {
        "LEXGATE_PUBLIC_URL": public_url,
        "LEXGATE_SECRETS": "one secret of the load harness 0123456789 abcdef",
        "LEXGATE_AUTHORIZATION_SERVER": sandbox.origin,
        "LEXGATE_API_URL": sandbox.origin,
        "LEXGATE_CLIENT_ID": CLIENT_ID,
        "LEXGATE_CLIENT_SECRET": CLIENT_SECRET,
        "LEXGATE_STORE": store,
        "LEXGATE_LOG_LEVEL": "warning",
    }
