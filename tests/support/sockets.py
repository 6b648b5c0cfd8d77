"""WebSockets on both ends: a resource server that is scripted, and a browser that opens them."""

from __future__ import annotations

import http
import json
import logging
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect
from websockets.sync.server import serve

from tests.support.browser import Browser
from tests.support.wire import SECONDS

PER_SESSION = 3
"""How many WebSockets a session of these tests may have."""

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from websockets.http11 import Request, Response
    from websockets.sync.client import ClientConnection
    from websockets.sync.server import ServerConnection

    from tests.support.running import Running

_QUIET = logging.Logger("websockets in tests", logging.CRITICAL)  # noqa: LOG001 - in no hierarchy


def echo(connection: ServerConnection) -> None:
    """Send every message back until the other side closes."""
    for message in connection:
        connection.send(message)


@dataclass
class SocketServer:
    """The scripted resource server; `statuses` are answered first, one a handshake."""

    url: str = ""
    gate: threading.Event = field(default_factory=threading.Event)
    """No handshake is answered before it is set."""
    script: Callable[[ServerConnection], Any] = echo
    statuses: list[int] = field(default_factory=list)
    handshakes: list[Request] = field(default_factory=list)
    closed: list[tuple[int | None, str | None]] = field(default_factory=list)
    """Code and reason with which each WebSocket ended."""

    def reset(self) -> None:
        """Forget, and echo again."""
        self.script = echo
        self.gate.set()
        self.statuses, self.handshakes, self.closed = [], [], []

    def judge(self, connection: ServerConnection, request: Request) -> Response | None:
        """Answer a handshake: None takes it."""
        self.handshakes.append(request)
        self.gate.wait(SECONDS)
        if not self.statuses:
            return None
        status = self.statuses.pop(0)
        return connection.respond(http.HTTPStatus(status), request.headers.get("authorization", ""))

    def serve(self, connection: ServerConnection) -> None:
        """Follow the script."""
        closed = self.closed  # of the test that this connection belongs to, however late it ends
        try:
            self.script(connection)
        finally:
            connection.close()
            closed.append((connection.close_code, connection.close_reason))


@contextmanager
def running_socket_server(**options: Any) -> Iterator[SocketServer]:  # noqa: ANN401 - those of the library
    """Run a scripted WebSocket server on 127.0.0.1 until the block ends."""
    server = SocketServer()
    server.reset()
    options = {"logger": _QUIET, "max_size": None, "process_request": server.judge, **options}
    with serve(server.serve, "127.0.0.1", 0, close_timeout=1, **options) as listening:
        server.url = f"http://127.0.0.1:{listening.socket.getsockname()[1]}"
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            listening.shutdown()
            thread.join()


def open_socket(
    running: Running,
    browser: Browser | None,
    path: str = "/api/live/ticker",
    *,
    origin: str | None = "",
    headers: dict[str, str] | None = None,
    **options: Any,  # noqa: ANN401 - those of the library
) -> ClientConnection:
    """Open a WebSocket as a page of the app does; `origin` is the app's own unless it is given."""
    sent = {"Sec-Fetch-Site": "same-origin", **(headers or {})}
    if browser is not None:
        jar = browser.cookies.get(running.public_url.removeprefix("http://"), {})
        sent["Cookie"] = "; ".join(f"{name}={cookie.value}" for name, cookie in jar.items())
    options = {"open_timeout": SECONDS, "close_timeout": SECONDS, "max_size": None, **options}
    return connect(
        running.url.replace("http:", "ws:") + path,
        origin=running.public_url if origin == "" else origin,  # type: ignore[arg-type] # a NewType of str
        additional_headers={name: value for name, value in sent.items() if value},
        user_agent_header=None,
        proxy=None,
        logger=_QUIET,
        **options,
    )


def refusal_of(error: pytest.ExceptionInfo[InvalidStatus]) -> tuple[int, dict[str, object]]:
    response = error.value.response
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["x-request-id"]
    return response.status_code, json.loads(response.body)


def access_token(running: Running, request: str) -> str:
    """Return the token of a handshake's Authorization field."""
    assert request.startswith("Bearer "), running.url
    return request.removeprefix("Bearer ")


def read_on(connection: ClientConnection) -> None:
    while True:
        connection.recv(timeout=SECONDS)


def ending_of(connection: ClientConnection) -> tuple[int, str]:
    """Read to the end and return the code and reason that the browser was told."""
    with pytest.raises(ConnectionClosed) as closed:
        read_on(connection)
    assert closed.value.rcvd is not None, closed.value
    return closed.value.rcvd.code, closed.value.rcvd.reason


def metrics(running: Running) -> str:
    with Browser(running.admin_url) as operator:
        return operator.fetch("/metrics").text
