"""Real servers for tests: a gateway and what stands behind it, on sockets, in a thread with its own loop."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Self

import uvicorn
import uvloop

import gateway.http_draining
from gateway.app import Gateway
from gateway.listener import Listener, bind
from gateway.sandbox import Sandbox, SandboxOptions, build_sandbox
from gateway.sandbox.accounts import ORGANIZATIONS
from gateway.sandbox.webhooks.event import EVENT_TYPES
from gateway.serving import serve
from gateway.settings import load_settings

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator, Mapping

    from starlette.types import ASGIApp

    from tests.support.browser import Browser

CLIENT_ID = "lexgate-test"
CLIENT_SECRET = "a client secret: 100 % &+=/"
SECRET = "a signing and sealing secret for tests 0123456789"


@dataclass(slots=True)
class Clock:
    """The time of a test; it stands still until it is advanced."""

    now: float = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class RunningClock(Clock):
    """The time of a test in which leases run out; it goes on by itself and can be advanced beside.

    It begins at the true time, for Redis forgets by a clock of its own.
    """

    now: float = field(default_factory=time.time)
    began: float = field(default_factory=time.monotonic)

    def __call__(self) -> float:
        return self.now + time.monotonic() - self.began


@dataclass(slots=True)
class Running:
    """A gateway with its sandbox; `public_url` is what browsers use, `url` where this one listens."""

    public_url: str
    url: str
    admin_url: str
    sandbox_url: str
    clock: Clock
    sandbox: Sandbox
    gateway: Gateway
    loop: asyncio.AbstractEventLoop
    environment: dict[str, str] = field(repr=False)

    def call(self, work: Any) -> Any:  # noqa: ANN401 - any coroutine of the gateway's, run on its own loop
        """Run a coroutine on the gateway's loop and return its result."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)

    def expire(self, browser: Browser, *, left: float) -> None:
        """Advance the clock until the browser's access token has only `left` seconds."""
        tokens = browser.fetch("/auth/session").json()["tokens"]
        self.clock.advance(tokens["expires_in_seconds"] - left)

    def refreshes(self) -> int:
        """Return how many refreshes the sandbox was asked for."""
        return self.sandbox.counters.token_requests["refresh_token"]


@contextmanager
def running_gateway(  # noqa: PLR0913 - all are named, and each is for a few tests
    picture: str = "lexware",
    *,
    settings: Mapping[str, str] | None = None,
    sandbox_options: Mapping[str, Any] | None = None,
    store: str = "memory://",
    clock: Clock | None = None,
    secret: str = SECRET,
    port: int = 0,
    webhooks: bool = False,
    dev_server: str | None = None,
) -> Iterator[Running]:
    """Run sandbox and gateway until the block ends; the sandbox is on 127.0.0.1, the gateway on localhost.

    With `webhooks` the sandbox tells the gateway of all that happens in its books.
    """
    clock = clock or Clock()
    with (
        bind("127.0.0.1", port, setting="PORT") as public,
        bind("127.0.0.1", 0, setting="PORT") as admin,
        bind("127.0.0.1", 0, setting="PORT") as box,
        TemporaryDirectory() as folder,
    ):
        public_url = f"http://localhost:{_port(public)}"
        sandbox_url = f"http://127.0.0.1:{_port(box)}"
        options: dict[str, Any] = {
            "base_url": sandbox_url,
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "redirect_uris": (f"{public_url}/auth/callback",),
            "post_logout_redirect_uris": (f"{public_url}/auth/signed-out",),
            "clock": clock,
            "rate": 10_000.0,
            "burst": 10_000,
            **(sandbox_options or {}),
        }
        sandbox_app = build_sandbox(SandboxOptions(**options))
        sandbox: Sandbox = sandbox_app.state.sandbox
        environment = {
            "LEXGATE_PUBLIC_URL": public_url,
            "LEXGATE_SECRETS": secret,
            "LEXGATE_CLIENT_ID": CLIENT_ID,
            "LEXGATE_CLIENT_SECRET": CLIENT_SECRET,
            "LEXGATE_API_URL": sandbox_url,
            "LEXGATE_STORE": store,
            "LEXGATE_BUDGET_RATE": "0",
            **({"LEXGATE_WEBHOOK_PUBLIC_KEY": sandbox.webhook_public_key_pem()} if webhooks else {}),
            **_picture(picture, sandbox_url),
            **(settings or {}),
        }
        with _Thread() as thread:
            gateway = thread.build(environment, Path(folder), clock, dev_server=dev_server)
            listeners = (
                Listener(gateway.public, public),
                Listener(sandbox_app, box),
                Listener(gateway.admin, admin),
            )
            thread.serve(gateway, listeners)
            if webhooks:
                _subscribe(sandbox, f"{public_url}/webhooks/lexoffice")
            yield Running(
                public_url=public_url,
                url=public_url,
                admin_url=f"http://127.0.0.1:{_port(admin)}",
                sandbox_url=sandbox_url,
                clock=clock,
                sandbox=sandbox,
                gateway=gateway,
                loop=thread.loop,
                environment=environment,
            )


@contextmanager
def running_replica(first: Running) -> Iterator[Running]:
    """Run another gateway of the same settings until the block ends; `url` is where it can be reached.

    To browsers it is the same origin, as behind a load balancer: see `Browser.via`.
    """
    with (
        bind("127.0.0.1", 0, setting="PORT") as public,
        bind("127.0.0.1", 0, setting="PORT") as admin,
        TemporaryDirectory() as folder,
        _Thread() as thread,
    ):
        gateway = thread.build(first.environment, Path(folder), first.clock)
        thread.serve(gateway, (Listener(gateway.public, public), Listener(gateway.admin, admin)))
        yield replace(
            first,
            url=f"http://localhost:{_port(public)}",
            admin_url=f"http://127.0.0.1:{_port(admin)}",
            gateway=gateway,
            loop=thread.loop,
        )


@contextmanager
def running_app(app: ASGIApp, *, port: int = 0) -> Iterator[str]:
    """Run any ASGI application on 127.0.0.1 until the block ends; yields its base URL."""
    with bind("127.0.0.1", port, setting="PORT") as listening:
        config = uvicorn.Config(
            app, lifespan="off", log_config=None, log_level="critical", timeout_graceful_shutdown=1
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            while not server.started:
                thread.join(0.002)
            yield f"http://127.0.0.1:{_port(listening)}"
        finally:
            server.should_exit = True
            thread.join()


class _Thread:
    """A thread with an event loop on which one gateway is built and served."""

    def __init__(self) -> None:
        self.loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever)
        self._ending: asyncio.Event | None = None
        self._serving: Any = None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def build(
        self, environment: dict[str, str], folder: Path, clock: Clock, *, dev_server: str | None = None
    ) -> Gateway:
        async def build() -> Gateway:
            self._ending = asyncio.Event()
            return Gateway(load_settings(environment, folder), clock=clock, dev_server=dev_server)

        return asyncio.run_coroutine_threadsafe(build(), self.loop).result(30)

    def serve(self, gateway: Gateway, listeners: tuple[Listener, ...]) -> None:
        ready = threading.Event()
        assert self._ending is not None
        self._serving = asyncio.run_coroutine_threadsafe(
            serve(gateway, listeners, on_ready=ready.set, ending=self._ending), self.loop
        )
        while not ready.wait(0.05):
            if self._serving.done():
                self._serving.result()

    def __exit__(self, *_: object) -> None:
        try:
            if self._serving is not None and self._ending is not None:
                with _impatience():
                    self.loop.call_soon_threadsafe(self._ending.set)
                    self._serving.result(60)
        finally:
            self.loop.call_soon_threadsafe(self.loop.stop)
            self._thread.join()
            self.loop.close()


@contextmanager
def _impatience() -> Iterator[None]:
    """Let a gateway that a test is done with not wait for the browsers that the test has left behind."""
    lingering = gateway.http_draining.LINGER_SECONDS
    gateway.http_draining.LINGER_SECONDS = 0.02
    try:
        yield
    finally:
        gateway.http_draining.LINGER_SECONDS = lingering


def _subscribe(sandbox: Sandbox, callback_url: str) -> None:
    for organization in ORGANIZATIONS:
        for event_type in EVENT_TYPES:
            sandbox.webhooks.subscribe(organization.id, event_type, callback_url)


def _picture(picture: str, sandbox_url: str) -> dict[str, str]:
    if picture == "openid":
        return {"LEXGATE_PROVIDER": "openid", "LEXGATE_ISSUER": f"{sandbox_url}/openid"}
    return {"LEXGATE_PROVIDER": "lexware", "LEXGATE_AUTHORIZATION_SERVER": sandbox_url}


def _port(listening: socket.socket) -> int:
    port: int = listening.getsockname()[1]
    return port
