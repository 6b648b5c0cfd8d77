"""Passes the messages of one WebSocket both ways until one side, its session or its silence ends it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from websockets.exceptions import ConnectionClosed

from gateway.proxy.websocket_upstream import CLOSE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import Receive, Send
    from websockets.asyncio.client import ClientConnection

    from gateway.proxy.redaction import TokenRedactor

SESSION_ENDED = 4401
"""What the browser is told with the reason of the session document, so that it can ask for a sign-in."""
GOING_AWAY = 1001
_NORMAL = 1000
_NO_STATUS = 1005
_BAD_GATEWAY = 1014
_REASON_BYTES = 123
# RFC 6455 §7.4: 1004, 1005, 1006 and 1015 are never sent, and nobody knows what is outside these.
SENDABLE = frozenset({*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)})


@dataclass(frozen=True, slots=True)
class Ending:
    """Why a WebSocket ends, and what each side is told; None for the side that said it."""

    to_browser: int | None
    to_upstream: int | None
    reason: str = ""


class Relay:
    """One WebSocket that both sides have accepted."""

    def __init__(
        self,
        *,
        receive: Receive,
        send: Send,
        upstream: ClientConnection,
        redactor: TokenRedactor,
        idle_seconds: float,
        session_ended: asyncio.Future[str],
    ) -> None:
        self._receive = receive
        self._send = send
        self._upstream = upstream
        self._redactor = redactor
        self._idle_seconds = idle_seconds
        self._session_ended = session_ended
        self._messages = 0

    async def run(self) -> None:
        """Return once it has ended on both sides."""
        tasks = [asyncio.create_task(self._pass_up()), asyncio.create_task(self._pass_down())]
        try:
            ending = await self._first_ending(tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(self._close_browser(ending), self._close_upstream(ending))

    async def _first_ending(self, tasks: list[asyncio.Task[Ending]]) -> Ending:
        while True:
            seen = self._messages
            waited_for: set[asyncio.Future[Any]] = {*tasks, self._session_ended}
            await asyncio.wait(waited_for, timeout=self._idle_seconds, return_when=asyncio.FIRST_COMPLETED)
            if self._session_ended.done():
                return Ending(SESSION_ENDED, GOING_AWAY, self._session_ended.result())
            for task in tasks:
                if task.done():
                    return task.result()
            if seen == self._messages:
                return Ending(GOING_AWAY, GOING_AWAY, "idle")

    async def _pass_up(self) -> Ending:
        while True:
            message = await self._receive()
            if message["type"] == "websocket.disconnect":
                return ending_by_browser(message)
            self._messages += 1
            text: str | None = message.get("text")
            try:
                await self._upstream.send(message["bytes"] if text is None else text)
            except ConnectionClosed as error:
                return self._ending_by_upstream(error)

    async def _pass_down(self) -> Ending:
        while True:
            try:
                message = await self._upstream.recv()
            except ConnectionClosed as error:
                return self._ending_by_upstream(error)
            self._messages += 1
            try:
                await self._send({"type": "websocket.send", **self._searched(message)})
            except OSError:  # ASGI: the browser has left
                return Ending(None, GOING_AWAY)

    def _searched(self, message: str | bytes) -> dict[str, str | bytes]:
        if isinstance(message, bytes):
            return {"bytes": self._redactor.redact_header_value(message)}
        raw = message.encode()
        passed = self._redactor.redact_header_value(raw)
        return {"text": message if passed == raw else passed.decode(errors="replace")}

    def _ending_by_upstream(self, error: ConnectionClosed) -> Ending:
        if error.rcvd is not None:
            code = _NORMAL if error.rcvd.code == _NO_STATUS else int(error.rcvd.code)
            return Ending(code if code in SENDABLE else _BAD_GATEWAY, None, self._clean(error.rcvd.reason))
        # It broke off, or broke the rules: then what it was told (1002, 1007, 1009) is what the browser is.
        sent = None if error.sent is None else int(error.sent.code)
        return Ending(sent if sent in {1002, 1007, 1009} else _BAD_GATEWAY, None)

    def _clean(self, reason: str) -> str:
        redacted = self._redactor.redact_header_value(reason.encode())[:_REASON_BYTES]
        return redacted.decode(errors="ignore")

    async def _close_browser(self, ending: Ending) -> None:
        if ending.to_browser is None:
            return
        message: dict[str, Any] = {
            "type": "websocket.close",
            "code": ending.to_browser,
            "reason": ending.reason,
        }
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._send(message)
        except OSError:  # TimeoutError too: it has left, or does not read
            return

    async def _close_upstream(self, ending: Ending) -> None:
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                if ending.to_upstream is None:
                    await self._upstream.wait_closed()
                else:
                    # Why a session ended is the browser's business alone.
                    reason = ending.reason if ending.to_browser is None else ""
                    await self._upstream.close(ending.to_upstream, reason)
        except TimeoutError:
            self._upstream.transport.abort()


def ending_by_browser(message: Mapping[str, Any]) -> Ending:
    """Return what follows from an ASGI `websocket.disconnect`."""
    code: int = message.get("code", _NO_STATUS)
    if code == _NO_STATUS:
        # A close frame without a code comes with a reason, an empty one; a lost connection without.
        code = _NORMAL if "reason" in message else GOING_AWAY
    return Ending(None, code if code in SENDABLE else GOING_AWAY, message.get("reason") or "")
