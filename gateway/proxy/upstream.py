"""HTTP/1.1 connections to the resource server; nothing outside this file knows which client makes them."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING

import httpx

from gateway.errors import ResourceServerBroken, ResourceServerTimeout, ResourceServerUnreachable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Generator

_MAX_CONNECTIONS = 200
_MAX_IDLE_CONNECTIONS = 50
_IDLE_SECONDS = 15.0
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamRequest:
    """One request as it is sent: `target` byte for byte, `headers` complete but for Host and framing."""

    method: str
    origin: str
    target: bytes = field(repr=False)
    headers: list[tuple[bytes, bytes]] = field(repr=False)
    body: bytes | AsyncIterator[bytes] | None = field(default=None, repr=False)
    content_length: int | None = None
    """Of a streamed body, where the browser stated it; otherwise it goes chunked."""
    connect_seconds: float = 5.0
    first_byte_seconds: float = 35.0
    idle_seconds: float = 60.0


class UpstreamResponse:
    """An answer whose body is still to come; close it in any case."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self.status = response.status_code
        self.headers: list[tuple[bytes, bytes]] = list(response.headers.raw)

    async def chunks(self, *, decoded: bool) -> AsyncIterator[bytes]:
        """Yield the body as it comes, Content-Encoding undone or not.

        Raises ResourceServerBroken when it ends too early.
        """
        with _translated():
            async for chunk in self._response.aiter_bytes() if decoded else self._response.aiter_raw():
                yield chunk

    async def close(self) -> None:
        """Give the connection back, or end it if the body was not read to its end."""
        await self._response.aclose()


class Upstream:
    """A pool of connections; `send` raises ResourceServerError."""

    def __init__(self) -> None:
        self._client: httpx.AsyncClient | None = None

    async def send(self, request: UpstreamRequest) -> UpstreamResponse:
        """Send the request and return once the answer's head is there.

        Raises ResourceServerUnreachable when the request was certainly not sent, ResourceServerTimeout when
        no answer came in time, ResourceServerBroken when the connection was lost on the way.
        """
        seconds = request.connect_seconds + request.first_byte_seconds
        with _translated():
            async with asyncio.timeout(seconds) as limit:
                # Each chunk of an upload extends it: how long that takes is for the browser's line to say.
                body = request.body
                if body is not None and not isinstance(body, bytes):
                    body = _extending(body, limit, seconds)
                response = await self._connections().send(_build_request(request, body), stream=True)
        return UpstreamResponse(response)

    async def close(self) -> None:
        """Close every connection."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    def _connections(self) -> httpx.AsyncClient:
        if self._client is None:
            self._client = httpx.AsyncClient(
                verify=ssl.create_default_context(),
                limits=httpx.Limits(
                    max_connections=_MAX_CONNECTIONS,
                    max_keepalive_connections=_MAX_IDLE_CONNECTIONS,
                    keepalive_expiry=_IDLE_SECONDS,
                ),
                follow_redirects=False,
                trust_env=False,
                # Users share the connections: what is set for one must not be kept for another.
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
            )
        return self._client


async def _extending(
    body: AsyncIterator[bytes], limit: asyncio.Timeout, seconds: float
) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    async for chunk in body:
        yield chunk
        limit.reschedule(loop.time() + seconds)


def _build_request(request: UpstreamRequest, body: bytes | AsyncIterator[bytes] | None) -> httpx.Request:
    headers = list(request.headers)
    if request.content_length is not None and not isinstance(request.body, bytes):
        headers.append((b"content-length", b"%d" % request.content_length))
    timeout = httpx.Timeout(
        request.idle_seconds, connect=request.connect_seconds, pool=request.connect_seconds
    )
    return httpx.Request(
        request.method,
        request.origin,
        headers=headers,
        content=body,
        # httpx would normalize the URL; the target extension sends these very bytes.
        extensions={"target": request.target, "timeout": timeout.as_dict()},
    )


@contextlib.contextmanager
def _translated() -> Generator[None]:
    try:
        yield
    except _NOT_SENT as exc:
        raise ResourceServerUnreachable(log_detail=type(exc).__name__, retry_after=5) from exc
    except (TimeoutError, httpx.TimeoutException) as exc:
        raise ResourceServerTimeout(log_detail=type(exc).__name__) from exc
    except (httpx.HTTPError, httpx.StreamError) as exc:
        raise ResourceServerBroken(log_detail=type(exc).__name__) from exc
