"""Outermost middleware: gives each request its trace, and one log line and its metrics when it is over."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

from gateway.browser.client_address import read_client_address
from gateway.observability.exchange import Exchange, note_exchange
from gateway.observability.tracing import continue_trace

if TYPE_CHECKING:
    from collections.abc import Sequence
    from ipaddress import IPv4Network, IPv6Network

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from gateway.observability.logs import RequestLog
    from gateway.observability.metrics import Metrics

_LOGGER = logging.getLogger(__name__)
_BROKEN_OFF = 499
"""Logged where the browser left before an answer began."""
_FAILED = 500
_SWITCHED = 101
_ANSWERS = frozenset({"http.response.start", "websocket.http.response.start"})
_BODIES = frozenset({"http.response.body", "websocket.http.response.body"})
_WANTED = frozenset({b"traceparent", b"tracestate", b"x-forwarded-for"})


class AccessLog:
    """Plain ASGI; nothing escapes it, so the server below never prints a stack of its own."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        metrics: Metrics,
        request_log: RequestLog,
        trusted_proxies: Sequence[IPv4Network | IPv6Network],
    ) -> None:
        self._app = app
        self._metrics = metrics
        self._request_log = request_log
        self._trusted_proxies = trusted_proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or one WebSocket."""
        exchange = self._begin(scope)
        started = time.perf_counter()
        status = _BROKEN_OFF
        answered: float | None = None
        sent = 0
        is_told = False

        async def counted(message: Message) -> None:
            nonlocal status, answered, sent, is_told
            kind = message["type"]
            if kind in _ANSWERS:
                status = message["status"]
                is_told = status == _FAILED
                message["headers"] = [
                    *message.get("headers", ()),
                    (b"x-request-id", exchange.request_id.encode()),
                ]
            elif kind in _BODIES:
                sent += len(message.get("body", b""))
            elif kind == "websocket.accept":
                status = _SWITCHED
                answered = time.perf_counter()
            elif kind == "websocket.send":
                sent += _size_of(message)
            await send(message)

        try:
            await self._app(scope, receive, counted)
        except Exception as error:
            has_left = scope["type"] == "websocket" and isinstance(error, OSError)  # as ASGI tells it
            if not (is_told or has_left):  # whoever answers 500 has logged the cause
                _LOGGER.exception("a request failed", extra={"fields": {"request_id": exchange.request_id}})
        finally:
            seconds = time.perf_counter() - started
            told = seconds if answered is None else answered - started
            self._finish(scope, exchange, status=status, seconds=seconds, told=told, sent=sent)

    def _begin(self, scope: Scope) -> Exchange:
        wanted: dict[bytes, list[str]] = {}
        for name, value in scope["headers"]:
            if name in _WANTED:
                wanted.setdefault(name, []).append(value.decode("latin-1"))
        traceparent = wanted.get(b"traceparent", [])
        trace = continue_trace(
            traceparent[0] if len(traceparent) == 1 else None, ",".join(wanted.get(b"tracestate", [])) or None
        )
        peer = scope["client"][0] if scope.get("client") else ""
        address = read_client_address(peer, wanted.get(b"x-forwarded-for", []), self._trusted_proxies)
        exchange = Exchange(trace, address)
        note_exchange(scope, exchange)
        return exchange

    def _finish(
        self, scope: Scope, exchange: Exchange, *, status: int, seconds: float, told: float, sent: int
    ) -> None:
        """Log and count; `told` is how long the answer took, without what a WebSocket lived after it."""
        route = exchange.route or _route_template(scope)
        method = scope.get("method", "GET")
        self._metrics.count_request(route, method, status, told)
        self._request_log.write(
            route,
            method,
            status,
            seconds=seconds,
            sent=sent,
            request_id=exchange.request_id,
            trace_id=exchange.trace.trace_id,
        )


def _route_template(scope: Scope) -> str:
    route: Any = scope.get("route")
    path = getattr(route, "path", "")
    return path if isinstance(path, str) and path.startswith("/") else "/*"


def _size_of(message: Message) -> int:
    text: str | None = message.get("text")
    if text is None:
        return len(message.get("bytes") or b"")
    return len(text) if text.isascii() else len(text.encode())
