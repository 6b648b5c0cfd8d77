"""Three gateway processes on one store, before an authorization server in a process of its own."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from gateway.browser.cookie import SESSION_COOKIE
from tests.chaos.call import Answer, Gone, call
from tests.chaos.replica import ROOT, Replica, answering
from tests.chaos.replicated import Replicated, start_replicated, start_watched
from tests.contract.redis_servers import RedisServer
from tests.contract.redis_servers import free_port as free_redis_port
from tests.support.browser import Browser
from tests.support.ports import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

REPLICAS = 3
OLD_SECRET = "an old secret of the chaos trials 0123456789 abc"
NEW_SECRET = "a new secret of the chaos trials 0123456789 abcd"
LONG = 3600
Server = Literal["sandbox", "oidc-provider"]
_PROFILES: dict[Server, str] = {"sandbox": "/api/v1/profile", "oidc-provider": "/api/me"}
_CLIENT_ID = "lexgate-chaos"
_CLIENT_SECRET = "a client secret"


@dataclass
class Stage:
    """What the rows play on."""

    store: str
    server: Server
    public_url: str
    sandbox_port: int
    """Where the authorization server is steered: the sandbox, or what stands before oidc-provider."""
    api_url: str = ""
    replicas: list[Replica] = field(default_factory=list)
    redis: RedisServer | None = None
    replicated: Replicated | None = None

    async def sign_in(self, count: int, *, lifetime: int = LONG) -> list[str]:
        """Return the cookies of new sessions; their first access tokens live `lifetime` seconds."""
        await self.steer(lifetime=lifetime)

        def work() -> list[str]:
            cookies: list[str] = []
            for _ in range(count):
                with Browser(self.public_url) as browser:
                    _sign_in(browser, self.server)
                    cookie = browser.cookie(SESSION_COOKIE)
                    assert cookie is not None, "nobody was signed in"
                    cookies.append(cookie)
            return cookies

        try:
            return await asyncio.to_thread(work)
        finally:
            await self.steer(lifetime=LONG)

    async def due(self, count: int) -> list[str]:
        """Return the cookies of new sessions whose access tokens are over."""
        cookies = await self.sign_in(count, lifetime=1)
        await asyncio.sleep(1.05)
        return cookies

    async def call(self, replica: int, cookie: str, path: str = "", *, gone: Gone | None = None) -> Answer:
        """Call from the browser that has the cookie: the person's profile, or another path."""
        port = self.replicas[replica % REPLICAS].port
        return await call(port, path or _PROFILES[self.server], f"{SESSION_COOKIE}={cookie}", gone=gone)

    async def calls(self, cookies: Iterable[str], *replicas: int) -> list[Answer]:
        """One call for each cookie at each of these replicas, all at once."""
        return await asyncio.gather(*(self.call(n, cookie) for cookie in cookies for n in replicas))

    async def lost(self, cookies: Iterable[str]) -> list[str]:
        """Return the reasons of the sessions that one of the replicas no longer knows."""
        reasons: list[str] = []
        for cookie in cookies:
            for replica in range(REPLICAS):
                answer = await self.call(replica, cookie, "/auth/session")
                document = answer.document()
                if document.get("active") is not True:
                    reasons.append(str(document.get("reason", answer.status)))
                    break
        return reasons

    async def steer(self, **order: object) -> int:
        """Steer the gate; returns how many token requests it holds."""
        answer = await call(self.sandbox_port, "/chaos", body=json.dumps(order).encode())
        return int(answer.document()["held"])

    async def fault(self, name: str, times: int | None = None, **parameters: float) -> None:
        """Switch a fault of the sandbox on."""
        order = {"name": name, "times": times, "parameters": parameters}
        answer = await call(self.sandbox_port, "/sandbox/faults", body=json.dumps(order).encode())
        assert answer.status == 200, answer

    async def heal(self) -> None:
        """Switch all faults off."""
        await call(self.sandbox_port, "/sandbox/faults", method="DELETE")

    async def refreshes(self) -> int:
        """Return how many refresh requests the authorization server has worked on or refused."""
        counters = (await call(self.sandbox_port, "/sandbox/counters")).document()
        return int(counters["token_requests"].get("refresh_token", 0))

    async def until(self, condition: Any, seconds: float = 10) -> None:  # noqa: ANN401 - an async predicate
        """Poll until it holds."""
        async with asyncio.timeout(seconds):
            while not await condition():  # noqa: ASYNC110 - other processes set no events
                await asyncio.sleep(0.01)


@asynccontextmanager
async def running_stage(store: str, server: Server = "sandbox") -> AsyncIterator[Stage]:
    """Run it all; `store` is redis, sentinel, cluster or sqlite."""
    async with AsyncExitStack() as ending:
        folder = Path(ending.enter_context(tempfile.TemporaryDirectory()))
        ports = [free_port() for _ in range(REPLICAS)]
        stage = Stage(store, server, f"http://localhost:{ports[0]}", free_port())
        url = await asyncio.to_thread(_start_store, stage, folder, ending)
        sandbox = await asyncio.to_thread(_start_server, stage)
        assert sandbox.stdout is not None
        ending.callback(sandbox.stdout.close)
        ending.callback(sandbox.wait)
        ending.callback(sandbox.kill)
        await answering(stage.sandbox_port, "/sandbox/counters", sandbox)
        for port in ports:
            replica = Replica(port, folder, _settings(stage, port, url))
            stage.replicas.append(replica)
            ending.push_async_callback(replica.stop, signal.SIGKILL)
        await asyncio.gather(*(replica.start() for replica in stage.replicas))
        yield stage


def _start_store(stage: Stage, folder: Path, ending: AsyncExitStack) -> str:
    """Start what the store needs, and return its URL."""
    if stage.store == "sqlite":
        return f"sqlite://{folder}/sessions.db"
    if stage.store == "redis":
        stage.redis = RedisServer(folder, free_redis_port(), "appendonly yes", "appendfsync always")
        ending.callback(stage.redis.stop)
        return f"redis://127.0.0.1:{stage.redis.port}"
    started = start_watched() if stage.store == "sentinel" else start_replicated()
    for server in started.servers:
        ending.callback(server.stop)
    stage.replicated = started
    return started.url


def _start_server(stage: Stage) -> subprocess.Popen[bytes]:
    module = {"sandbox": "sandbox_process", "oidc-provider": "provider_process"}[stage.server]
    process = subprocess.Popen(
        [sys.executable, "-m", f"tests.chaos.{module}"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    base_url = f"http://127.0.0.1:{stage.sandbox_port}"
    options = {
        "base_url": base_url,
        "client_id": _CLIENT_ID,
        "client_secret": _CLIENT_SECRET,
        "redirect_uris": [f"{stage.public_url}/auth/callback"],
    }
    process.stdin.write(json.dumps(options).encode())
    process.stdin.close()
    stage.api_url = base_url
    if stage.server == "oidc-provider":
        line = process.stdout.readline()
        assert line, "oidc-provider did not start: it needs Node.js and `npm ci` in tests/node"
        stage.api_url = json.loads(line)["address"]
    return process


def _sign_in(browser: Browser, server: Server) -> None:
    if server == "sandbox":
        browser.sign_in()
        return
    login = browser.navigate("/auth/login?return_to=/", site="same-origin")
    consent = browser.post_form(login, {"prompt": "login", "login": "berta", "password": "any"})
    browser.post_form(consent, {"prompt": "consent"})


def _settings(stage: Stage, port: int, store_url: str) -> dict[str, str]:
    url = f"http://127.0.0.1:{stage.sandbox_port}"
    there = {"LEXGATE_AUTHORIZATION_SERVER": url}
    if stage.server == "oidc-provider":
        there = {"LEXGATE_PROVIDER": "openid", "LEXGATE_ISSUER": url}
    return there | {
        "LEXGATE_PUBLIC_URL": stage.public_url,
        "LEXGATE_SECRETS": OLD_SECRET,
        "LEXGATE_CLIENT_ID": _CLIENT_ID,
        "LEXGATE_CLIENT_SECRET": _CLIENT_SECRET,
        "LEXGATE_API_URL": stage.api_url,
        "LEXGATE_STORE": store_url,
        "LEXGATE_BIND": f"127.0.0.1:{port}",
        "LEXGATE_ADMIN_BIND": f"127.0.0.1:{free_port()}",
        "LEXGATE_LOG_LEVEL": "warning",
    }
