"""Outermost middleware: gives each request its trace, and one log line and its metrics when it is over."""

from __future__ import annotations

import logging
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from gateway.browser.client_address import read_client_address
from gateway.observability.exchange import Exchange, beginning_of, note_exchange
from gateway.observability.trace_fields import read_trace_fields
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
        """Serve one request."""
        exchange = self.begin(scope)
        try:
            await self._app(scope, receive, told(exchange, send))
        except Exception:
            if exchange.status != _FAILED:  # whoever answers 500 has logged the cause
                _LOGGER.exception("a request failed", extra={"fields": {"request_id": exchange.request_id}})
        finally:
            self.finish(scope, exchange)

    def begin(self, scope: Scope) -> Exchange:
        """Note the beginning of a request."""
        trace, started = beginning_of(scope) or (
            continue_trace(*read_trace_fields(scope["headers"])),
            time.perf_counter(),
        )
        exchange = Exchange(trace, partial(self._find_address, scope), started)
        note_exchange(scope, exchange)
        return exchange

    def _find_address(self, scope: Scope) -> str:
        peer = scope["client"][0] if scope.get("client") else ""
        told = [value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
        return read_client_address(peer, told, self._trusted_proxies)

    def finish(self, scope: Scope, exchange: Exchange) -> None:
        """Write the log line and count the request; of a WebSocket the time to its answer is counted."""
        if exchange.is_told_later:
            return
        route = exchange.route or _route_template(scope)
        method = scope.get("method", "GET")
        status = exchange.status or _BROKEN_OFF
        seconds = time.perf_counter() - exchange.started
        self._metrics.count_request(
            route, method, status, exchange.answered - exchange.started if exchange.answered else seconds
        )
        self._request_log.write(
            route,
            method,
            status,
            seconds=seconds,
            sent=exchange.sent,
            request_id=exchange.request_id,
            trace_id=exchange.trace.trace_id,
        )


def told(exchange: Exchange, send: Send) -> Send:
    """Return a `send` that writes into the exchange what goes through it, and names the request."""

    async def telling(message: Message) -> None:
        kind = message["type"].removeprefix("websocket.")
        if kind == "http.response.start":
            exchange.status = message["status"]
            message["headers"] = [
                *message.get("headers", ()),
                (b"x-request-id", exchange.request_id.encode()),
            ]
        elif kind == "http.response.body":
            exchange.sent += len(message.get("body", b""))
        elif kind == "accept":
            exchange.status = _SWITCHED
            exchange.answered = time.perf_counter()
        elif kind == "send":
            exchange.sent += _size_of(message)
        await send(message)

    return telling


def _route_template(scope: Scope) -> str:
    route: Any = scope.get("route")
    path = getattr(route, "path", "")
    return path if isinstance(path, str) and path.startswith("/") else "/*"


def _size_of(message: Message) -> int:
    text: str | None = message.get("text")
    if text is None:
        return len(message.get("bytes") or b"")
    return len(text) if text.isascii() else len(text.encode())
