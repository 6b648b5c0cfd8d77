"""One listener: a socket, and the server that answers on it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import uvicorn

from gateway.accepting import Acceptor
from gateway.call_protocol import CallHttpProtocol
from gateway.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Generator

    from starlette.types import ASGIApp

    from gateway.accepting import ConnectionCounts

_KEEP_ALIVE_SECONDS = 75
"""Longer than the idle time-out of the proxies in front, so that it is they who close (nginx: 60 s)."""
_BACKLOG = 2048


@dataclass(frozen=True, slots=True)
class Listener:
    """An application and the socket it answers on, already bound."""

    app: ASGIApp
    socket: socket.socket
    share: Share | None = None
    """Where other processes accept on the same socket."""
    max_connections: int | None = None
    """Further ones are answered 503; None for no limit."""
    websockets: bool = False
    """Whether the application takes WebSockets."""


@dataclass(frozen=True, slots=True)
class Share:
    """The place of this process among those that share a listener."""

    counts: ConnectionCounts
    place: int


def bind(host: str, port: int, *, setting: str) -> socket.socket:
    """Bind a TCP socket; raises ConfigurationError naming the setting when the address cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
        bound.listen(_BACKLOG)
    except (OSError, OverflowError) as exc:
        bound.close()
        detail = getattr(exc, "strerror", None) or str(exc)
        raise ConfigurationError(
            [f"{setting}: port {port} on {host} cannot be used ({detail}); choose another one"]
        ) from exc
    bound.setblocking(False)  # noqa: FBT003 - the socket module's own signature
    return bound


class Serving:
    """One listener and the server that answers on it."""

    def __init__(self, listener: Listener) -> None:
        self._config = _build_config(listener)
        self._server = _Server(self._config, listener.share)
        self._task = asyncio.create_task(self._server.serve(sockets=[listener.socket]))

    async def start(self) -> None:
        """Wait until it answers; raises what keeps it from that."""
        while not self._server.started:
            if self._task.done():
                self._task.result()
                raise RuntimeError("a listener ended before it began")
            await asyncio.sleep(0.002)  # uvicorn offers no event

    async def end(self, patience: int) -> None:
        """Stop accepting, and wait `patience` seconds at most for the calls in flight."""
        self._config.timeout_graceful_shutdown = patience
        self._server.should_exit = True
        await self._task


class _Server(uvicorn.Server):
    """uvicorn without its signal handling, as several servers share this process; it loses no connection."""

    def __init__(self, config: uvicorn.Config, share: Share | None) -> None:
        super().__init__(config)
        self._share = share
        self._acceptors: list[Acceptor] = []
        self._accepting: set[asyncio.Task[Any]] = set()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to accept."""
        if self._share is None:
            await super().startup(sockets)
            return
        await super().startup([])
        counts, place = self._share.counts, self._share.place
        self._acceptors = [Acceptor(each, counts, place, take=self._take) for each in sockets or []]

    async def on_tick(self, counter: int) -> bool:
        """Tell the other processes how many connections are left."""
        if self._share is not None:
            self._share.counts.note(self._share.place, len(self.server_state.connections))
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop accepting, and end the connections as their protocol has it."""
        for each in self._acceptors:
            each.stop()
        # Between the last that waited and the closing nothing else may happen.
        for listening in sockets or []:
            self._accept_waiting(listening)
        for server in self.servers:
            server.close()
        for listening in sockets or []:
            listening.close()
        if self._accepting:
            await asyncio.wait(self._accepting)
        await super().shutdown(sockets)

    def _accept_waiting(self, listening: socket.socket) -> None:
        """Take the connections that wait for `accept`: the kernel would reset them with the socket's end."""
        with contextlib.suppress(OSError):  # BlockingIOError: there are no more
            for _ in range(_BACKLOG):
                self._take(listening.accept()[0])

    def _take(self, connection: socket.socket) -> int:
        loop = asyncio.get_running_loop()
        task = loop.create_task(loop.connect_accepted_socket(self._build_protocol, connection))
        self._accepting.add(task)
        task.add_done_callback(self._accepting.discard)
        return len(self.server_state.connections) + len(self._accepting)

    def _build_protocol(self) -> asyncio.Protocol:
        return CallHttpProtocol(
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )


class _NoUpgradeAdvice(logging.Filter):
    """Drops the two warnings that uvicorn writes for every Upgrade field.

    The field is ignored, as RFC 9110 §7.8 allows; they would let any client fill the log with wrong advice.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        return not str(record.msg).startswith(("Unsupported upgrade", "No supported WebSocket"))


_NO_UPGRADE_ADVICE = _NoUpgradeAdvice()


def _build_websocket_options(listener: Listener) -> dict[str, Any]:
    if not listener.websockets:
        return {"ws": "none"}
    # Half a dozen megabytes that most gateways have no use for.
    from gateway.proxy.websocket_upstream import MAX_MESSAGE_BYTES, PING_SECONDS  # noqa: PLC0415
    from gateway.websocket_protocol import LimitedWebSocketProtocol  # noqa: PLC0415

    return {
        "ws": LimitedWebSocketProtocol,
        "ws_max_size": MAX_MESSAGE_BYTES,
        "ws_ping_interval": PING_SECONDS,
        "ws_ping_timeout": PING_SECONDS,
        # Compressed messages of one read could unpack to hundreds of megabytes (and see BREACH).
        "ws_per_message_deflate": False,
    }


def _build_config(listener: Listener) -> uvicorn.Config:
    logging.getLogger("uvicorn.error").addFilter(_NO_UPGRADE_ADVICE)
    return uvicorn.Config(
        listener.app,
        loop="none",
        http=CallHttpProtocol,
        **_build_websocket_options(listener),
        limit_concurrency=listener.max_connections,
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
    )
