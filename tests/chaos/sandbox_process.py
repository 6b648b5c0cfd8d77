"""The sandbox in a process of its own, with a gate before and behind its token endpoint.

`POST /chaos` takes `lifetime` (seconds, of the next access tokens) and `gate`: `open`; `before` holds token
requests that are not worked on, `after` those that are, without their answers; `drop` closes the connection
instead of working; `let_go` closes the connections that are held, and opens.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import TYPE_CHECKING

import uvicorn

from gateway.sandbox import SandboxOptions, build_sandbox
from gateway.sandbox.broken import RAW_SEND, BrokenResponse

if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from typing import Any

    from starlette.types import Receive, Scope, Send


class Gate:
    """The ASGI application."""

    def __init__(self, options: SandboxOptions) -> None:
        self._options = options
        self._app = build_sandbox(options)
        self._state = "open"
        self._held = 0
        self._let_go = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == "/chaos":
            await self._steer(receive, send)
        elif scope["type"] == "http" and scope["path"] == "/oauth2/token" and self._state != "open":
            await self._token(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _steer(self, receive: Receive, send: Send) -> None:
        order = json.loads((await receive())["body"] or b"{}")
        if "lifetime" in order:
            object.__setattr__(self._options, "access_token_lifetime", order["lifetime"])
        if "gate" in order:
            self._state = "open" if order["gate"] == "let_go" else order["gate"]
        if order.get("gate") == "let_go":
            self._let_go.set()
            self._let_go = asyncio.Event()
            self._held = 0
        body = json.dumps({"held": self._held}).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _token(self, scope: Scope, receive: Receive, send: Send) -> None:
        state = self._state
        if state == "after":
            await self._app(scope, receive, _nowhere)
        if state in {"before", "after"}:
            self._held += 1
            await self._let_go.wait()
        scope[RAW_SEND] = send
        await BrokenResponse(silent=True)(scope, receive, send)


async def _nowhere(_message: MutableMapping[str, Any]) -> None:
    """Take an answer that nobody will see."""


def main() -> None:
    """Serve until the process is ended; argument: the socket's number; settings as JSON on standard input."""
    given = json.loads(sys.stdin.read())
    given["redirect_uris"] = tuple(given["redirect_uris"])
    options = SandboxOptions(rate=1e6, burst=1_000_000, **given)
    config = uvicorn.Config(
        Gate(options),
        host="127.0.0.1",
        port=int(options.base_url.rpartition(":")[2]),
        lifespan="off",
        log_config=None,
        log_level="critical",
        loop="uvloop",
        backlog=2048,
    )
    uvicorn.Server(config).run()
    os._exit(0)


if __name__ == "__main__":
    main()
