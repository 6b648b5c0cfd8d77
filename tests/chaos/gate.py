"""A gate before and behind a token endpoint.

`POST /chaos` takes `lifetime` (seconds, of the next access tokens) and `gate`: `open`; `before` holds token
requests that are not worked on, `after` those that are, without their answers; `drop` closes the connection
instead of working; `let_go` closes the connections that are held, and opens.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import uvicorn

from gateway.sandbox.broken import RAW_SEND, BrokenResponse

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping
    from typing import Any

    from starlette.types import ASGIApp, Receive, Scope, Send


class Gate:
    """The ASGI application that stands before another one."""

    def __init__(self, app: ASGIApp, *, token_path: str, set_lifetime: Callable[[int], None]) -> None:
        self._app = app
        self._token_path = token_path
        self._set_lifetime = set_lifetime
        self._state = "open"
        self._held = 0
        self._let_go = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == "/chaos":
            await self._steer(receive, send)
        elif scope["type"] == "http" and scope["path"] == self._token_path and self._state != "open":
            await self._token(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _steer(self, receive: Receive, send: Send) -> None:
        order = json.loads((await receive())["body"] or b"{}")
        if "lifetime" in order:
            self._set_lifetime(order["lifetime"])
        if "gate" in order:
            self._state = "open" if order["gate"] == "let_go" else order["gate"]
        if order.get("gate") == "let_go":
            self._let_go.set()
            self._let_go = asyncio.Event()
            self._held = 0
        await send_json(send, {"held": self._held})

    async def _token(self, scope: Scope, receive: Receive, send: Send) -> None:
        state = self._state
        if state == "after":
            await self._app(scope, receive, _nowhere)
        if state in {"before", "after"}:
            self._held += 1
            await self._let_go.wait()
        await hang_up(scope, receive, send)


async def _nowhere(_message: MutableMapping[str, Any]) -> None:
    """Take an answer that nobody will see."""


async def hang_up(scope: Scope, receive: Receive, send: Send) -> None:
    """Close the connection instead of answering."""
    scope[RAW_SEND] = send
    await BrokenResponse(silent=True)(scope, receive, send)


async def send_json(send: Send, document: object, status: int = 200, *headers: tuple[bytes, bytes]) -> None:
    """Answer with a document."""
    body = json.dumps(document).encode()
    fields = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body)), *headers]
    await send({"type": "http.response.start", "status": status, "headers": fields})
    await send({"type": "http.response.body", "body": body})


def serve(gate: Gate, port: int) -> None:
    """Serve until the process is ended."""
    config = uvicorn.Config(
        gate,
        host="127.0.0.1",
        port=port,
        lifespan="off",
        log_config=None,
        log_level="critical",
        loop="uvloop",
        backlog=2048,
    )
    uvicorn.Server(config).run()
