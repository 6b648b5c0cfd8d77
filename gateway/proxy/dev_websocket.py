"""WebSockets of a page to the dev server of `--dev`, hot reload above all, without cookie or token."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from gateway.errors import (
    DevServerBroken,
    ResourceServerError,
    ResourceServerUnreachable,
    WebSocketRefused,
)
from gateway.observability.exchange import exchange_of
from gateway.proxy.dev_fields import build_dev_target, filter_dev_request_headers, judge_dev_websocket
from gateway.proxy.dev_server import build_dev_route, unreachable
from gateway.proxy.headers import validate_request_framing
from gateway.proxy.redaction import TokenRedactor
from gateway.proxy.request_target import is_below
from gateway.proxy.route import MatchedRoute
from gateway.proxy.websocket_relay import Relay
from gateway.proxy.websocket_upstream import TokenRefused, open_websocket

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send
    from websockets.asyncio.client import ClientConnection

_OWN = ("/auth", "/webhooks")


class DevWebSocket:
    """Plain ASGI; raises GatewayError before the browser's handshake is answered. It needs no session."""

    def __init__(self, url: str, *, public_origin: str) -> None:
        self._url = url
        self._route = build_dev_route(url)
        self._public_origin = public_origin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one WebSocket."""
        exchange_of(scope).route = "/*"
        judge_dev_websocket(scope["headers"], public_origin=self._public_origin)
        validate_request_framing(scope["headers"])
        if any(is_below(scope["path"], own) for own in _OWN):
            raise WebSocketRefused("This address is the gateway's own.")
        await receive()  # websocket.connect
        upstream = await self._open(scope)
        try:
            try:
                await send({"type": "websocket.accept", "subprotocol": upstream.subprotocol})
            except OSError:  # ASGI: the browser has left meanwhile
                return
            await Relay(
                receive=receive,
                send=send,
                upstream=upstream,
                redactor=TokenRedactor([]),
                idle_seconds=self._route.timeouts.idle,
                session_ended=asyncio.get_running_loop().create_future(),
            ).run()
        finally:
            upstream.transport.abort()

    async def _open(self, scope: Scope) -> ClientConnection:
        matched = MatchedRoute(self._route, build_dev_target(scope["raw_path"], scope["query_string"]))
        headers = filter_dev_request_headers(scope["headers"], dev_origin=self._route.origin)
        try:
            return await open_websocket(matched, headers, scope["subprotocols"])
        except (TokenRefused, WebSocketRefused) as error:
            raise WebSocketRefused("The dev server refused this WebSocket.") from error
        except ResourceServerUnreachable as error:
            raise unreachable(self._url, error) from error
        except ResourceServerError as error:
            raise DevServerBroken(log_detail=error.log_detail) from error
