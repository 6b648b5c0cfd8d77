"""The one place where errors become answers: problem details for programs, a page for people."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any, cast

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from gateway.errors import (
    BrowserError,
    BudgetExhausted,
    CrossSiteRefused,
    DevServerUnreachable,
    GatewayError,
    MethodRefused,
    RequestInvalid,
    RouteUnknown,
    SessionRequired,
    StoreError,
)
from gateway.observability.exchange import exchange_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import Receive, Scope, Send

    from gateway.observability.metrics import Metrics
    from gateway.web.pages import Pages

_LOGGER = logging.getLogger(__name__)
LOGIN_URL = "/auth/login"
_NOT_FOUND = 404
_NOT_ALLOWED = 405


class Problems:
    """Renders errors, counts those that a metric wants, and logs those that are not the browser's."""

    def __init__(self, *, pages: Pages, metrics: Metrics) -> None:
        self._pages = pages
        self._metrics = metrics

    def render(self, error: GatewayError, scope: Scope) -> Response:
        """Build the answer: a page where a person navigated, else application/problem+json (RFC 9457)."""
        exchange = exchange_of(scope)
        self._note(error, exchange.request_id)
        headers = _headers(error)
        if exchange.queue_seconds is not None:
            headers["Server-Timing"] = f"queue;dur={exchange.queue_seconds * 1000:.2f}"
        if _is_navigation(scope):
            body = self._pages.build_error_page(error, scope=scope, return_to=exchange.return_to)
            if isinstance(error, DevServerUnreachable):
                headers["Refresh"] = "2"  # the page gives way to the app once it is there
            return Response(
                body,
                error.status,
                headers={**headers, "Content-Security-Policy": self._pages.policy},
                media_type="text/html; charset=utf-8",
            )
        document = build_problem(error, instance=exchange.request_id)
        return Response(
            json.dumps(document), error.status, headers=headers, media_type="application/problem+json"
        )

    async def handle(self, request: Request, error: Exception) -> Response:
        """Exception handler for FastAPI."""
        return self.render(_as_gateway_error(error), request.scope)

    async def answer(self, error: Exception, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer an error that left an ASGI application; an answer that has begun is broken off.

        To return without its last chunk closes the connection, so that the browser sees a broken answer.
        """
        known = _as_gateway_error(error)
        exchange = exchange_of(scope)
        if exchange.status:
            self._note(known, exchange.request_id)
        else:
            await self.render(known, scope)(scope, receive, send)

    def _note(self, error: GatewayError, request_id: str) -> None:
        if isinstance(error, CrossSiteRefused):
            self._metrics.count_csrf_refusal(error.cause)
        if isinstance(error, StoreError):
            self._metrics.count_store_error()
        if isinstance(error, BrowserError):
            level = logging.DEBUG if isinstance(error, SessionRequired) else logging.INFO
            _LOGGER.log(level, "refused: %s", error.code, extra=_fields(error, request_id))
        elif error.code == GatewayError.code:
            _LOGGER.error("failed", exc_info=error.__cause__ or error, extra=_fields(error, request_id))
        else:
            _LOGGER.warning("failed: %s", error.code, extra=_fields(error, request_id))


def build_problem(error: GatewayError, *, instance: str) -> dict[str, object]:
    """Build the problem document (RFC 9457 §3.1) with the stable `code`, and what signing in again needs."""
    document: dict[str, object] = {
        "type": error.problem_type,
        "title": error.title,
        "status": error.status,
        "code": error.code,
        "instance": f"urn:request:{instance}",
    }
    if error.detail:
        document["detail"] = error.detail
    if isinstance(error, BudgetExhausted):
        document["violated-policies"] = [error.policy_name]
    if isinstance(error, CrossSiteRefused):
        document["cause"] = error.cause
    if isinstance(error, SessionRequired):
        document["reason"] = error.reason
        document["login_url"] = LOGIN_URL
    if error.retry_after is not None:
        document["retry_after"] = error.retry_after
    return document


def _fields(error: GatewayError, request_id: str) -> dict[str, Any]:
    return {"fields": {"code": error.code, "detail": error.log_detail, "request_id": request_id}}


def _headers(error: GatewayError) -> dict[str, str]:
    headers = {"Cache-Control": "no-store"}
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    elif isinstance(error, StoreError):
        headers["Retry-After"] = "2"
    if isinstance(error, MethodRefused):
        headers["Allow"] = ", ".join(error.allowed)  # RFC 9110 §15.5.6
    if isinstance(error, BudgetExhausted):
        headers["RateLimit-Policy"] = error.policy
        headers["RateLimit"] = error.limit
    return headers


def _as_gateway_error(error: Exception) -> GatewayError:
    if isinstance(error, GatewayError):
        return error
    if isinstance(error, HTTPException):
        if error.status_code == _NOT_FOUND:
            return RouteUnknown()
        if error.status_code == _NOT_ALLOWED:
            allowed = (error.headers or {}).get("Allow", "GET, HEAD")
            return MethodRefused(tuple(method.strip() for method in allowed.split(",")))
        return RequestInvalid()
    if isinstance(error, ClientDisconnect):
        return RequestInvalid(log_detail="whoever sent it left before its body was there")
    unexpected = GatewayError()
    unexpected.__cause__ = error
    return unexpected


def _is_navigation(scope: Scope) -> bool:
    mode = accept = None
    for name, value in cast("list[tuple[bytes, bytes]]", scope["headers"]):
        if name == b"sec-fetch-mode":
            mode = value
        elif name == b"accept":
            accept = value
    return mode == b"navigate" if mode is not None else b"text/html" in (accept or b"")
