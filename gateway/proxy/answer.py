"""Passes the resource server's answer on to the browser, searched for the token that was sent."""

from __future__ import annotations

import asyncio
import math
from http import HTTPStatus
from typing import TYPE_CHECKING

from gateway.errors import ResourceServerBroken
from gateway.proxy.headers import build_safety_headers, filter_response_headers
from gateway.proxy.redaction import TokenRedactor, is_text_like
from gateway.proxy.request_body import BrowserLeftError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from starlette.types import Send

    from gateway.proxy.upstream import UpstreamResponse

_TOO_MANY_REQUESTS = 429
_DECODABLE = frozenset({b"gzip", b"x-gzip", b"deflate"})
_BODILESS = frozenset({204, 304})
_FINAL_STATUSES = range(200, 600)


async def pass_answer(
    response: UpstreamResponse,
    send: Send,
    *,
    method: str,
    destination: str,
    tokens: Iterable[str],
    retry_after: float,
    idle_seconds: float,
) -> None:
    """Send head and body on, all but the end mark.

    Raises ResourceServerBroken for a head that cannot be passed on, or when the body ends too early.

    `retry_after` (seconds) is told with a 429 that says nothing of its own; a browser that takes nothing for
    `idle_seconds` is left.
    """
    if response.status not in _FINAL_STATUSES:
        raise ResourceServerBroken(log_detail=f"status {response.status} is no final answer's")
    redactor = TokenRedactor(tokens)
    passed = filter_response_headers(response.headers, destination=destination)
    fields = dict(passed)
    content_type = fields.get(b"content-type")
    encoding = fields.get(b"content-encoding", b"identity").strip().lower()
    # An error is searched whatever it calls itself: no type makes a quoted token harmless.
    is_searched = response.status >= HTTPStatus.BAD_REQUEST or is_text_like(content_type)
    is_decoded = is_searched and encoding != b"identity" and _has_body(method, response.status)
    if is_decoded and encoding not in _DECODABLE:
        # The request asked for `identity`: what cannot be searched for the token is not passed on.
        raise ResourceServerBroken(log_detail="a text answer came in an encoding that was not asked for")
    if response.status in _BODILESS:
        # RFC 9110 §8.6: in a 304 it tells the length of the 200 that was not sent, and no body of this one.
        passed = [field for field in passed if field[0] != b"content-length"]
    headers = _build_headers(passed, redactor, is_decoded=is_decoded)
    headers += build_safety_headers(content_type)
    if response.status == _TOO_MANY_REQUESTS and b"retry-after" not in fields:
        headers.append((b"retry-after", b"%d" % max(1, math.ceil(retry_after))))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    chunks = response.chunks(decoded=is_decoded)
    try:
        async for chunk in _searched(chunks, redactor) if is_searched else chunks:
            async with asyncio.timeout(idle_seconds):
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
    except TimeoutError:
        # Of the sending alone; `chunks` names its own. It held a connection that others need.
        raise BrowserLeftError from None


def _build_headers(
    passed: list[tuple[bytes, bytes]], redactor: TokenRedactor, *, is_decoded: bool
) -> list[tuple[bytes, bytes]]:
    headers = [(name, redactor.redact_header_value(value)) for name, value in passed]
    if not is_decoded:
        return headers
    # RFC 9110 §8.4: what was decoded has another length, and a strong ETag would name other bytes.
    dropped = {b"content-encoding", b"content-length", b"etag", b"accept-ranges"}
    return [field for field in headers if field[0] not in dropped]


def _has_body(method: str, status: int) -> bool:
    return method != "HEAD" and status not in _BODILESS


async def _searched(chunks: AsyncIterator[bytes], redactor: TokenRedactor) -> AsyncIterator[bytes]:
    async for chunk in chunks:
        passed = redactor.feed(chunk)
        if passed:
            yield passed
    rest = redactor.flush()
    if rest:
        yield rest
