"""How connections to a resource server come about: name, addresses, TLS."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from aiohappyeyeballs import start_connection  # pyright: ignore[reportUnknownVariableType]

from gateway.errors import ResourceServerUnreachable

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.proxy.connection import Connection

_NEXT_ADDRESS_SECONDS = 0.25
"""After which the next address is tried beside the first (RFC 8305 §5)."""
_RETRY_AFTER = 5
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a resource server listens; `authority` is what the Host field says."""

    host: str
    port: int
    is_tls: bool
    authority: bytes


def parse_origin(origin: str) -> Origin:
    """Take "https://api.example.com" or "http://[::1]:8080" apart; a route has validated it."""
    parts = urlsplit(origin)
    host = parts.hostname or ""
    return Origin(
        host, parts.port or _PORTS[parts.scheme], parts.scheme == "https", parts.netloc.encode("ascii")
    )


def build_tls_context(ca_file: str | None = None) -> ssl.SSLContext:
    """Build the client side of TLS: the system's authorities or those of `ca_file`, the name checked."""
    context = ssl.create_default_context(cafile=ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context


async def dial(
    origin: Origin,
    build: Callable[[socket.socket], Connection],
    *,
    tls: ssl.SSLContext | None,
    seconds: float,
) -> Connection:
    """Connect within `seconds`, trying all addresses of the name; ResourceServerUnreachable if that fails.

    The name is looked up each time: the system's resolver, not we, knows how long an answer is good for.
    """
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(seconds):
            addresses = await loop.getaddrinfo(origin.host, origin.port, type=socket.SOCK_STREAM)
            connected = await start_connection(
                addresses, happy_eyeballs_delay=_NEXT_ADDRESS_SECONDS, interleave=1, loop=loop
            )
            return await _speak(connected, origin, build, tls)
    except (OSError, TimeoutError) as exc:
        # ssl.SSLError is an OSError: a certificate that does not fit is no connection.
        raise ResourceServerUnreachable(log_detail=_describe(exc), retry_after=_RETRY_AFTER) from exc


async def _speak(
    connected: socket.socket,
    origin: Origin,
    build: Callable[[socket.socket], Connection],
    tls: ssl.SSLContext | None,
) -> Connection:
    try:
        with contextlib.suppress(OSError):
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _, connection = await asyncio.get_running_loop().create_connection(
            lambda: build(connected), sock=connected, ssl=tls, server_hostname=origin.host if tls else None
        )
    except BaseException:
        connected.close()
        raise
    return connection


def _describe(exc: Exception) -> str:
    reason = getattr(exc, "reason", None)  # of an SSLError: a constant of OpenSSL's
    return f"{type(exc).__name__}: {reason}" if isinstance(reason, str) else type(exc).__name__
