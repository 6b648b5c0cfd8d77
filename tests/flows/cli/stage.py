"""A gateway in a process of its own, before an API whose calls the test can hold."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import anyio.to_thread
import httpx

from gateway.sandbox import SandboxOptions, build_sandbox
from tests.flows.cli.process import SECONDS, read_until, serve_settings, started

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

    from starlette.applications import Starlette
    from starlette.types import Receive, Scope, Send


@dataclass
class HeldApi:
    """The sandbox, but for one path that answers when it is let go."""

    url: str = ""
    app: Starlette | None = None
    arrived: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)
    heard: list[dict[str, str]] = field(default_factory=list)
    """The fields of every request, names in lower case."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.app is not None
        self.heard.append({name.decode(): value.decode("latin-1") for name, value in scope["headers"]})
        if scope["path"] != "/v1/held":
            await self.app(scope, receive, send)
            return
        self.arrived.set()
        await anyio.to_thread.run_sync(self.released.wait, SECONDS)
        headers = [(b"content-type", b"text/plain"), (b"content-length", b"4")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"done"})


@dataclass
class Stage:
    """A gateway in a process of its own, and its API."""

    process: subprocess.Popen[str]
    api: HeldApi
    public_url: str
    admin_url: str

    def drains(self) -> None:
        """Wait until it says that it is draining."""
        with httpx.Client(base_url=self.admin_url, trust_env=False) as client:
            while (answer := client.get("/readyz")).status_code == 200:
                pass
            assert (answer.status_code, answer.json()["code"]) == (503, "draining")
            assert client.get("/livez").status_code == 200

    def accepts(self) -> bool:
        """Tell whether the public listener takes a new connection."""
        try:
            httpx.get(f"{self.public_url}/auth/session", trust_env=False)
        except (httpx.ConnectError, httpx.RemoteProtocolError, httpx.ReadError):
            return False
        return True


def settings_before(api: HeldApi, **more: str) -> dict[str, str]:
    """Build the settings of a gateway before this API, and register it there."""
    settings = serve_settings(api_url=api.url, authorization_server=api.url, **more)
    api.app = build_sandbox(
        SandboxOptions(
            base_url=api.url,
            client_id=settings["LEXGATE_CLIENT_ID"],
            client_secret=settings["LEXGATE_CLIENT_SECRET"],
            redirect_uris=(f"{settings['LEXGATE_PUBLIC_URL']}/auth/callback",),
        )
    )
    return settings


@contextmanager
def serving(api: HeldApi, settings: dict[str, str], cwd: Path) -> Iterator[Stage]:
    public_url = settings["LEXGATE_PUBLIC_URL"]
    with started("serve", cwd=cwd, settings=settings) as process:
        said = read_until(process.stderr, "lexgate serves")
        assert said == f"lexgate serves {public_url}\n"
        yield Stage(process, api, public_url, f"http://{settings['LEXGATE_ADMIN_BIND']}")
