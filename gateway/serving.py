"""Runs the ASGI applications on their listeners, and brings them to an end without cutting a call off."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

import uvicorn

from gateway.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from starlette.types import ASGIApp

    from gateway.app import Gateway

DRAIN_SECONDS = 20
"""How long calls in flight may take once the process is asked to end."""
_KEEP_ALIVE_SECONDS = 75
"""Longer than the idle time-out of the proxies in front, so that it is they who close (nginx: 60 s)."""
_BACKLOG = 2048


@dataclass(frozen=True, slots=True)
class Listener:
    """An application and the socket it answers on, already bound."""

    app: ASGIApp
    socket: socket.socket


class _Server(uvicorn.Server):
    """uvicorn without its signal handling: several servers share this process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def bind(host: str, port: int, *, setting: str) -> socket.socket:
    """Bind a TCP socket; raises ConfigurationError naming the setting when the address cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
        bound.listen(_BACKLOG)
    except OSError as exc:
        bound.close()
        detail = exc.strerror or type(exc).__name__
        raise ConfigurationError(
            [f"{setting}: port {port} on {host} cannot be used ({detail}); choose another one"]
        ) from exc
    bound.setblocking(False)  # noqa: FBT003 - the socket module's own signature
    return bound


async def serve(
    gateway: Gateway, listeners: Sequence[Listener], *, on_ready: Callable[[], None], ending: asyncio.Event
) -> None:
    """Open the gateway, serve until `ending` is set, then drain; the first listener is the public one.

    The others outlive it, so that an orchestrator can watch the draining.
    """
    servers = [_build_server(listener.app) for listener in listeners]
    await gateway.open()
    try:
        tasks = [
            asyncio.create_task(server.serve(sockets=[listener.socket]))
            for server, listener in zip(servers, listeners, strict=True)
        ]
        while not all(server.started for server in servers):  # noqa: ASYNC110 - uvicorn offers no event
            await asyncio.sleep(0.002)
        on_ready()
        await ending.wait()
        gateway.health.is_draining = True
        for server, task in zip(servers, tasks, strict=True):
            server.should_exit = True
            await task
    finally:
        await gateway.close()


def end_on_signals() -> asyncio.Event:
    """Return an event that SIGTERM and SIGINT set; a second signal ends the process at once."""
    ending = asyncio.Event()
    loop = asyncio.get_running_loop()

    def end(number: int) -> None:
        if ending.is_set():
            # Whoever presses Ctrl-C again does not want to wait.
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        ending.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end, number)
    return ending


def _build_server(app: ASGIApp) -> uvicorn.Server:
    return _Server(
        uvicorn.Config(
            app,
            loop="none",
            http="httptools",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=DRAIN_SECONDS,
        )
    )
