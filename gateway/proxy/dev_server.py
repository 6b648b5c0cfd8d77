"""The dev server of `--dev` in the place of the static site, asked without cookie or token."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from gateway.errors import (
    DevServerBroken,
    DevServerUnreachable,
    ResourceServerError,
    ResourceServerUnreachable,
)
from gateway.proxy.browser_connection import browser_connection_of
from gateway.proxy.deadlines import CallLimit
from gateway.proxy.dev_fields import build_dev_target, filter_dev_request_headers, judge_dev_request
from gateway.proxy.request_body import BrowserLeftError, RequestBody
from gateway.proxy.request_fields import read_request_fields
from gateway.proxy.request_head import frame_body
from gateway.proxy.response_headers import filter_response_headers
from gateway.proxy.retry import SAFE_METHODS
from gateway.proxy.route import Route, Timeouts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.types import Receive, Scope, Send

    from gateway.proxy.upstream import Upstream
    from gateway.proxy.upstream_answer import UpstreamAnswer

_LOGGER = logging.getLogger(__name__)
_NO_LIMIT = 2**63 - 1
_DAY = 86_400.0
_BODILESS = frozenset({204, 304})


def build_dev_route(url: str) -> Route:
    """Return the dev server as connections know a destination; none of its answers is ever late."""
    timeouts = Timeouts(connect=5.0, first_byte=_DAY, idle=_DAY, total=_DAY)
    return Route(prefix="/api", destination=url, attaches_token=False, websocket=True, timeouts=timeouts)


def unreachable(url: str, error: ResourceServerUnreachable) -> DevServerUnreachable:
    """Return the error that says what to start."""
    detail = f"Nothing answers at {url}. Start the dev server there, e.g. npm run dev."
    return DevServerUnreachable(detail, log_detail=error.log_detail, retry_after=1)


class DevServer:
    """Plain ASGI; raises GatewayError for what it refuses and where the dev server fails.

    `guarding` are the header fields that its pages get in the place of those of the static site.
    """

    def __init__(
        self, url: str, *, public_origin: str, upstream: Upstream, guarding: Sequence[tuple[bytes, bytes]]
    ) -> None:
        self._url = url
        self._route = build_dev_route(url)
        self._public_origin = public_origin
        self._upstream = upstream
        self._guarding = list(guarding)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; silently not, when the browser has left."""
        judge_dev_request(method=scope["method"], headers=scope["headers"], public_origin=self._public_origin)
        limit = CallLimit()
        browser = browser_connection_of(scope)
        if browser is not None:
            browser.when_left = lambda: limit.end(BrowserLeftError())
        try:
            await self._serve(scope, receive, send)
        except BrowserLeftError:
            return
        except asyncio.CancelledError:
            if limit.verdict is None:
                raise
            limit.go_on()
        finally:
            if browser is not None:
                browser.when_left = None

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        length = read_request_fields(scope["headers"]).length
        body = None
        if length != 0:
            body = RequestBody(receive, content_length=length, limit=_NO_LIMIT)
            await body.read_ahead()
        head = self._build_head(scope, length)
        try:
            answer = await self._ask(scope["method"], head, body)
        except ResourceServerUnreachable as error:
            raise unreachable(self._url, error) from error
        except ResourceServerError as error:
            raise DevServerBroken(log_detail=error.log_detail) from error
        try:
            await self._pass(answer, send)
        except ResourceServerError as error:
            # The answer has begun: without its end the browser sees that it broke.
            _LOGGER.warning("the dev server broke off: %s", error.log_detail)
        finally:
            answer.release()

    def _build_head(self, scope: Scope, length: int | None) -> bytes:
        method: str = scope["method"]
        target = build_dev_target(scope["raw_path"], scope["query_string"])
        fields = filter_dev_request_headers(scope["headers"], dev_origin=self._route.origin)
        first = b"%b %b HTTP/1.1\r\nhost: %b\r\n" % (method.encode("ascii"), target, self._route.host)
        return b"".join(
            (first, *(b"%b: %b\r\n" % field for field in fields), frame_body(method, length), b"\r\n")
        )

    async def _ask(self, method: str, head: bytes, body: RequestBody | None) -> UpstreamAnswer:
        pool, seconds = self._upstream.pool(self._route), self._route.timeouts.connect
        if body is None and method in SAFE_METHODS:
            try:
                return await pool.send(head, method=method, body=None, connect_seconds=seconds)
            except ResourceServerUnreachable:
                raise
            except ResourceServerError:
                # Restarted, it has closed what was kept open.
                return await pool.send(head, method=method, body=None, connect_seconds=seconds, is_fresh=True)
        return await pool.send(
            head,
            method=method,
            body=None if body is None else body.content(),
            is_chunked=body is not None and body.content_length is None,
            connect_seconds=seconds,
            is_fresh=True,
        )

    async def _pass(self, answer: UpstreamAnswer, send: Send) -> None:
        fields = filter_response_headers(answer.headers, destination=self._url, api_prefix="")
        if answer.status in _BODILESS:
            # RFC 9110 §8.6: in a 304 it tells the length of the 200 that was not sent, not of this body.
            fields = [field for field in fields if field[0] != b"content-length"]
        await send(
            {"type": "http.response.start", "status": answer.status, "headers": fields + self._guarding}
        )
        while piece := await answer.read():
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
