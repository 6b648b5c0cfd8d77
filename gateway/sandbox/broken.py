"""Answers that never end: the connection closes in the middle, or before the first byte."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

RAW_SEND = "sandbox.send"
"""Where the scope keeps the server's own `send`, which knows the connection."""


class BrokenResponse(Response):
    """Sends the headers and the first half of a body, then hangs up; with `silent`, it just hangs up."""

    def __init__(self, whole: Response | None = None, *, silent: bool = False) -> None:
        super().__init__(
            whole.body if whole else b"{}", whole.status_code if whole else 200, media_type="application/json"
        )
        self._silent = silent

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers as far as it means to."""
        if not self._silent:
            start = {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
            await send(start)
            half = bytes(self.body)[: len(self.body) // 2]
            await send({"type": "http.response.body", "body": half, "more_body": True})
        await _hang_up(scope, receive)


async def _hang_up(scope: Scope, receive: Receive) -> None:
    """Close the transport; ASGI has no message for that, so it is reached through uvicorn's `send`."""
    transport = getattr(getattr(scope.get(RAW_SEND), "__self__", None), "transport", None)
    if transport is None:
        raise ConnectionAbortedError("the fault asks for a broken connection")
    transport.close()
    while (await receive())["type"] != "http.disconnect":
        pass
