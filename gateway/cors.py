"""Lets scripts of the app's sibling origins read answers, and nobody else's (CORS, with credentials)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.browser.csrf import CSRF_HEADER
from gateway.observability.exchange import exchange_of
from gateway.proxy.browser_connection import browser_connection_of
from gateway.proxy.headers import REQUEST_HEADERS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.types import Message, Receive, Scope, Send

    Fields = list[tuple[bytes, bytes]]

VARY = (b"vary", b"Origin")
"""On every answer that depends on it, whoever asked: a cache must not hand one origin another's."""
_METHODS = b"GET, HEAD, POST, PUT, PATCH, DELETE"
_TRACE = (b"traceparent", b"tracestate")
_ALLOWED = b", ".join(sorted({*REQUEST_HEADERS, *_TRACE, CSRF_HEADER.lower().encode()}))
_EXPOSED = (
    b"Accept-Ranges, Cache-Status, Content-Disposition, Content-Encoding, Content-Language, Content-Range,"
    b" ETag, Link, Location, RateLimit, RateLimit-Policy, Retry-After, Server-Timing, X-Request-Id"
)
_PREFLIGHT_SECONDS = b"7200"
"""What Chromium keeps at the most."""
_API = "/api"
_SESSIONS = "/auth/sessions/"
_AUTH = frozenset(
    {
        "/auth/client.d.ts",
        "/auth/client.js",
        "/auth/events",
        "/auth/logout",
        "/auth/session",
        "/auth/session/refresh",
        "/auth/sessions",
    }
)


class Cors:
    """The fields by origin, made once; whether a request may do what it asks is judged elsewhere."""

    def __init__(self, origins: Iterable[str]) -> None:
        self._granted = {origin.encode("ascii"): _build_grant(origin.encode("ascii")) for origin in origins}

    def open(self, scope: Scope, send: Send) -> Send:
        """Return a `send` that adds what the request's origin may have, to answers past ASGI as well."""
        if not is_for_scripts(scope["path"]):
            return send
        granted = self._granted.get(_origin_of(scope))
        connection = browser_connection_of(scope)
        if granted and connection is not None:
            connection.more_fields = b"".join(b"%b: %b\r\n" % field for field in granted)
        return _adding(send, granted or [])

    def is_preflight(self, scope: Scope) -> bool:
        """Say whether a request is the preflight of an origin that is on the list."""
        return (
            scope["method"] == "OPTIONS"
            and is_for_scripts(scope["path"])
            and _origin_of(scope) in self._granted
            and any(name == b"access-control-request-method" for name, _ in scope["headers"])
        )


def is_for_scripts(path: str) -> bool:
    """Say whether scripts of other origins may have this path; the rest is for navigation, or for servers."""
    return path in _AUTH or path == _API or path.startswith((f"{_API}/", _SESSIONS))


async def answer_preflight(scope: Scope, _receive: Receive, send: Send) -> None:
    """Answer what such an origin may send; `Cors.open` adds that it may."""
    exchange_of(scope).route = "/api/*" if scope["path"].startswith(_API) else "/auth/*"
    headers = [
        (b"access-control-allow-methods", _METHODS),
        (b"access-control-allow-headers", _ALLOWED),
        (b"access-control-max-age", _PREFLIGHT_SECONDS),
    ]
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def _build_grant(origin: bytes) -> Fields:
    return [
        # Never "*", and never an origin that is not on the list: the answer is the user's own.
        (b"access-control-allow-origin", origin),
        (b"access-control-allow-credentials", b"true"),
        (b"access-control-expose-headers", _EXPOSED),
        (b"timing-allow-origin", origin),
    ]


def _adding(send: Send, granted: Fields) -> Send:
    async def adding(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers: Fields = list(message.get("headers", ()))
            varies = any(name == b"vary" and b"Origin" in value for name, value in headers)
            message["headers"] = [*headers, *granted, *([] if varies else [VARY])]
        await send(message)

    return adding


def _origin_of(scope: Scope) -> bytes:
    values = [value for name, value in scope["headers"] if name == b"origin"]
    return values[0] if len(values) == 1 else b""
