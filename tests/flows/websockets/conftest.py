"""What WebSocket tests share: a gateway with routes of every kind, and the server behind them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from websockets.typing import Subprotocol

from tests.support.browser import Browser
from tests.support.running import running_gateway
from tests.support.sockets import (
    PER_SESSION,
    running_socket_server,
)
from tests.support.wire import running_wire

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from websockets.sync.server import ServerConnection

    from tests.support.running import Running
    from tests.support.sockets import SocketServer


def select_subprotocol(_: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    return Subprotocol("ticker.v2") if "ticker.v2" in offered else None


@pytest.fixture(scope="module")
def stage() -> Iterator[tuple[Running, SocketServer]]:
    with running_socket_server(select_subprotocol=select_subprotocol) as server, running_wire() as wire:
        dead = wire.url.rpartition(":")[0] + ":1"
        settings = {
            "LEXGATE_ROUTES": build_routes(server.url, dead),
            "LEXGATE_SESSION_WEBSOCKETS": str(PER_SESSION),
        }
        with running_gateway("lexware", settings=settings) as running:
            yield running, server


@pytest.fixture
def running(stage: tuple[Running, SocketServer]) -> Running:
    return stage[0]


@pytest.fixture
def server(stage: tuple[Running, SocketServer]) -> SocketServer:
    stage[1].reset()
    return stage[1]


@pytest.fixture
def browser(running: Running) -> Iterator[Browser]:
    with Browser(running.public_url) as browser:
        browser.sign_in()
        yield browser


def build_routes(server: str, dead: str) -> str:
    live = {"prefix": "/api/live", "destination": server, "token": "user", "websocket": True}
    timeouts = {"connect": 2, "first_byte": 2, "idle": 1}
    return json.dumps(
        [
            live,
            {**live, "prefix": "/api/open", "token": "none"},
            {**live, "prefix": "/api/dead", "destination": dead},
            {**live, "prefix": "/api/brief", "timeouts": timeouts},
        ]
    )
