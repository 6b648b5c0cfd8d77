"""The ASGI application of WebSockets under /api: judges a handshake, attaches the token, and relays."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from gateway.browser.csrf import judge_websocket
from gateway.errors import SessionBusy, WebSocketRefused
from gateway.observability.exchange import exchange_of
from gateway.proxy.concurrency import SessionConcurrency
from gateway.proxy.headers import filter_request_headers, validate_request_framing
from gateway.proxy.redaction import TokenRedactor
from gateway.proxy.websocket_relay import Relay
from gateway.proxy.websocket_upstream import TokenRefused, open_websocket

if TYPE_CHECKING:
    from collections.abc import Generator
    from collections.abc import Set as AbstractSet

    from starlette.types import Receive, Scope, Send
    from websockets.asyncio.client import ClientConnection

    from gateway.observability.metrics import Metrics
    from gateway.proxy.route import MatchedRoute, RouteTable
    from gateway.sessions.opened import OpenedSessions
    from gateway.sessions.opened_session import OpenedSession


class ForwardWebSocket:
    """Plain ASGI; raises GatewayError for what it refuses, before the browser's handshake is answered."""

    def __init__(
        self,
        *,
        routes: RouteTable,
        opened: OpenedSessions,
        metrics: Metrics,
        public_origin: str,
        sibling_origins: AbstractSet[str],
        per_session: int,
    ) -> None:
        self._routes = routes
        self._opened = opened
        self._metrics = metrics
        self._public_origin = public_origin
        self._sibling_origins = sibling_origins
        self._places = SessionConcurrency(per_session)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one WebSocket."""
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        exchange_of(scope).route = "/api/*"
        judge_websocket(
            origin=_text(headers, b"origin"),
            sec_fetch_site=_text(headers, b"sec-fetch-site"),
            public_origin=self._public_origin,
            sibling_origins=self._sibling_origins,
        )
        matched = self._routes.match_websocket(raw_path=scope["raw_path"], query=scope["query_string"])
        exchange_of(scope).route = matched.route.template
        validate_request_framing(headers)
        opened = await self._opened.admit(headers, may_meet_401=True)
        key = opened.session.key
        with self._place(key), self._watched(key) as session_ended:
            await receive()  # websocket.connect
            upstream, tokens = await self._open(scope, matched, opened)
            try:
                try:
                    await send({"type": "websocket.accept", "subprotocol": upstream.subprotocol})
                except OSError:  # ASGI: the browser has left meanwhile
                    return
                relay = Relay(
                    receive=receive,
                    send=send,
                    upstream=upstream,
                    redactor=TokenRedactor(tokens),
                    idle_seconds=matched.route.timeouts.idle,
                    session_ended=session_ended,
                )
                with self._metrics.open_websocket():
                    await relay.run()
            finally:
                upstream.transport.abort()

    @contextlib.contextmanager
    def _place(self, key: bytes) -> Generator[None]:
        if not self._places.try_acquire(key):
            raise SessionBusy("This session has too many WebSockets open.", retry_after=5)
        try:
            yield
        finally:
            self._places.release(key)

    @contextlib.contextmanager
    def _watched(self, key: bytes) -> Generator[asyncio.Future[str]]:
        ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        def end(reason: str) -> None:
            if not ended.done():
                ended.set_result(reason)

        stop = self._opened.watch(key, end)
        try:
            yield ended
        finally:
            stop()
            ended.cancel()

    async def _open(
        self, scope: Scope, matched: MatchedRoute, opened: OpenedSession
    ) -> tuple[ClientConnection, list[bytes]]:
        """Open the connection to the resource server; where it answers 401, once more with a newer token."""
        headers = filter_request_headers(scope["headers"]) + exchange_of(scope).trace.upstream_headers()
        if not matched.route.attaches_token:
            with _no_token_helps():
                return await open_websocket(matched, headers, scope["subprotocols"]), []
        bearer = opened.bearer
        try:
            upstream = await open_websocket(
                matched, [*headers, (b"authorization", bearer)], scope["subprotocols"]
            )
        except TokenRefused:
            newer = (await self._opened.renewed(opened)).bearer
            with _no_token_helps():
                upstream = await open_websocket(
                    matched, [*headers, (b"authorization", newer)], scope["subprotocols"]
                )
            return upstream, [_token_of(bearer), _token_of(newer)]
        return upstream, [_token_of(bearer)]


@contextlib.contextmanager
def _no_token_helps() -> Generator[None]:
    try:
        yield
    except TokenRefused as error:
        raise WebSocketRefused("The API answered 401.") from error


def _token_of(bearer: bytes) -> bytes:
    return bearer.removeprefix(b"Bearer ")


def _text(headers: list[tuple[bytes, bytes]], name: bytes) -> str | None:
    values = [value for key, value in headers if key == name]
    # One that is given twice is equal to nothing.
    return b", ".join(values).decode("latin-1") if values else None
