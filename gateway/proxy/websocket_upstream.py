"""WebSocket connections to the resource server: to the route's destination, nowhere else."""

from __future__ import annotations

import asyncio
import functools
import logging
import ssl
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection
from websockets.client import ClientProtocol
from websockets.exceptions import InvalidStatus, WebSocketException
from websockets.uri import WebSocketURI

from gateway.errors import (
    GatewayError,
    ResourceServerBroken,
    ResourceServerTimeout,
    ResourceServerUnreachable,
    WebSocketRefused,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from websockets.typing import Subprotocol

    from gateway.proxy.route import MatchedRoute, Route

MAX_MESSAGE_BYTES = 1_048_576
"""Of one message, in either direction, its fragments taken together."""
PING_SECONDS = 20.0
"""How often each side is asked whether it is still there, and how long it may take to say so."""
CLOSE_SECONDS = 1.0

_UNAUTHORIZED = 401
_CLIENT_ERRORS = range(400, 500)
_QUEUED_FRAMES = 4
# At its debug level the library writes every header field, the bearer token too: it gets no logger of ours.
_SILENT = logging.Logger("websockets", logging.CRITICAL)  # noqa: LOG001 - in no hierarchy, on purpose


class TokenRefused(WebSocketException):
    """The resource server answered 401: a newer token may help."""


async def open_websocket(
    matched: MatchedRoute, headers: Sequence[tuple[bytes, bytes]], subprotocols: Sequence[str]
) -> ClientConnection:
    """Connect and shake hands; `headers` are complete but for Host and those of the handshake itself.

    Follows no redirect and heeds no proxy of the environment. Raises TokenRefused, WebSocketRefused for any
    other 4xx, and ResourceServerError.
    """
    connection = await _connect(matched, subprotocols)
    try:
        async with asyncio.timeout(matched.route.timeouts.first_byte):
            await connection.handshake(
                [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers],
                user_agent_header=None,
            )
    except BaseException as error:
        connection.transport.abort()
        if isinstance(error, Exception):
            raise _translate(error) from error
        raise
    connection.start_keepalive()
    return connection


async def _connect(matched: MatchedRoute, subprotocols: Sequence[str]) -> ClientConnection:
    route = matched.route
    uri = _build_uri(matched)

    def build() -> ClientConnection:
        protocol = ClientProtocol(
            uri,
            subprotocols=cast("Sequence[Subprotocol]", subprotocols) or None,
            max_size=MAX_MESSAGE_BYTES,
            logger=_SILENT,
        )
        return ClientConnection(
            protocol,
            ping_interval=PING_SECONDS,
            ping_timeout=PING_SECONDS,
            close_timeout=CLOSE_SECONDS,
            max_queue=_QUEUED_FRAMES,
        )

    try:
        async with asyncio.timeout(route.timeouts.connect):
            _, connection = await asyncio.get_running_loop().create_connection(
                build, uri.host, uri.port, ssl=_trust(route)
            )
    except (OSError, TimeoutError) as error:
        raise ResourceServerUnreachable(log_detail=type(error).__name__, retry_after=5) from error
    return connection


def _build_uri(matched: MatchedRoute) -> WebSocketURI:
    parts = urlsplit(matched.route.origin)
    is_secure = parts.scheme == "https"
    path, _, query = matched.target.decode("ascii").partition("?")
    # Put together, not parsed: the target is sent byte for byte.
    return WebSocketURI(
        is_secure, parts.hostname or "", parts.port or (443 if is_secure else 80), path, query
    )


def _trust(route: Route) -> ssl.SSLContext | None:
    return _build_trust(route.ca_file) if route.origin.startswith("https:") else None


@functools.lru_cache(maxsize=64)
def _build_trust(ca_file: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _translate(error: Exception) -> GatewayError | TokenRefused:
    if isinstance(error, InvalidStatus):
        status = error.response.status_code
        if status == _UNAUTHORIZED:
            return TokenRefused()
        if status in _CLIENT_ERRORS:
            return WebSocketRefused(f"The API answered {status}.")
        return ResourceServerBroken(log_detail=f"status {status} for a WebSocket's handshake")
    if isinstance(error, TimeoutError):
        return ResourceServerTimeout(log_detail="no answer to a WebSocket's handshake")
    return ResourceServerBroken(log_detail=type(error).__name__)
