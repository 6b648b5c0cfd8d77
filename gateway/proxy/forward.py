"""The ASGI application under /api: judges a call, attaches the token, and streams both ways."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING

from gateway.browser.csrf import CSRF_HEADER, judge_request
from gateway.errors import (
    ResourceServerBroken,
    ResourceServerError,
    ResourceServerTimeout,
    ResourceServerUnreachable,
)
from gateway.observability.exchange import exchange_of
from gateway.proxy.answer import pass_answer
from gateway.proxy.headers import filter_request_headers, validate_request_framing
from gateway.proxy.request_body import BrowserLeftError, RequestBody, run_until_left
from gateway.proxy.retry import (
    Attempts,
    Failure,
    RefusedTokens,
    Step,
    decide_on_failure,
    decide_on_status,
    parse_patience,
    parse_retry_after,
)
from gateway.proxy.upstream import UpstreamRequest

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Receive, Scope, Send

    from gateway.observability.metrics import Metrics
    from gateway.proxy.route import MatchedRoute, RouteTable
    from gateway.proxy.upstream import Upstream, UpstreamResponse
    from gateway.sessions.opened import OpenedSessions
    from gateway.sessions.opened_session import OpenedSession

_CSRF_NAME = CSRF_HEADER.lower().encode()
_FAILURES: dict[type[ResourceServerError], Failure] = {
    ResourceServerUnreachable: Failure.UNREACHABLE,
    ResourceServerTimeout: Failure.TIMEOUT,
    ResourceServerBroken: Failure.BROKEN,
}


class Forward:
    """Plain ASGI; raises GatewayError for what it refuses, before an answer has begun."""

    def __init__(
        self,
        *,
        routes: RouteTable,
        upstream: Upstream,
        opened: OpenedSessions,
        metrics: Metrics,
        public_origin: str,
        clock: Callable[[], float],
    ) -> None:
        self._routes = routes
        self._upstream = upstream
        self.opened = opened
        self._metrics = metrics
        self._public_origin = public_origin
        self.clock = clock
        self.refused = RefusedTokens()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one call."""
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        fields = dict(headers)
        exchange_of(scope).route = "/api/*"
        self._judge(scope["method"], fields)
        matched = self._routes.match(
            method=scope["method"], raw_path=scope["raw_path"], query=scope["query_string"]
        )
        validate_request_framing(headers)
        length = fields.get(b"content-length", None if b"transfer-encoding" in fields else b"0")
        body = RequestBody(
            receive,
            content_length=None if length is None else int(length),
            limit=matched.route.body_limit,
        )
        opened = await self._admit(headers, body) if matched.route.attaches_token else None
        with contextlib.suppress(BrowserLeftError):
            await body.read_ahead()
            call = _Call(self, scope, send, matched, body, opened)
            await run_until_left(call.run(parse_patience(fields.get(b"prefer"))), body)

    def _judge(self, method: str, fields: dict[bytes, bytes]) -> None:
        judge_request(
            method=method,
            sec_fetch_site=_text(fields.get(b"sec-fetch-site")),
            origin=_text(fields.get(b"origin")),
            csrf_header=_text(fields.get(_CSRF_NAME)),
            public_origin=self._public_origin,
        )

    async def _admit(self, headers: list[tuple[bytes, bytes]], body: RequestBody) -> OpenedSession:
        if body.is_stated_small:
            cookies = [value for name, value in headers if name == b"cookie"]
            found = self.opened.find(cookies[0]) if len(cookies) == 1 else None
            if found is not None:
                return found
        return await self.opened.admit(headers, may_meet_401=body.is_stated_small)

    async def exchange(self, request: UpstreamRequest) -> UpstreamResponse:
        """Send one request and time it."""
        started = time.perf_counter()
        try:
            return await self._upstream.send(request)
        finally:
            self._metrics.observe_upstream(time.perf_counter() - started)


class _Call:
    """One call: sends it as often as the retry rules allow, and passes the answer on."""

    def __init__(
        self,
        forward: Forward,
        scope: Scope,
        send: Send,
        matched: MatchedRoute,
        body: RequestBody,
        opened: OpenedSession | None,
    ) -> None:
        self._forward = forward
        self._scope = scope
        self._send = send
        self._matched = matched
        self._body = body
        self._opened = opened
        self._used_tokens: list[str] = []
        self._headers = filter_request_headers(scope["headers"])
        self._headers += exchange_of(scope).trace.upstream_headers()

    async def run(self, patience: float) -> None:
        attempts = Attempts(method=self._scope["method"], replayable=self._body.is_replayable)
        while True:
            step, response, attempts = await self._attempt(attempts, patience)
            if response is not None:
                await self._finish(response, step)
                return
            await asyncio.sleep(step.wait)

    async def _attempt(
        self, attempts: Attempts, patience: float
    ) -> tuple[Step, UpstreamResponse | None, Attempts]:
        """Send once: an answer to pass on, or none and a step to take before the next attempt."""
        try:
            response = await self._forward.exchange(self._build_request())
        except ResourceServerError as error:
            step = decide_on_failure(attempts, _FAILURES[type(error)])
            if step.decision == "pass":
                raise self._told(error, attempts.method) from error
            return step, None, replace(attempts, resent=True)
        retry_after = parse_retry_after(_field(response, b"retry-after"), now=self._forward.clock())
        step = decide_on_status(
            attempts,
            response.status,
            patience=patience,
            retry_after=retry_after,
            jitter=random.random(),  # noqa: S311 - spreads calls out, guards nothing
        )
        if step.decision == "pass" or (step.decision == "refresh_and_replay" and not self._can_refresh()):
            self._note_refusal(response, attempts)
            return step, response, attempts
        await response.close()
        return step, None, await self._prepared(step, attempts)

    def _can_refresh(self) -> bool:
        now = self._forward.clock()
        opened = self._opened
        return opened is not None and not self._forward.refused.has(opened.grant.key, now=now)

    def _note_refusal(self, response: UpstreamResponse, attempts: Attempts) -> None:
        if response.status == HTTPStatus.UNAUTHORIZED and attempts.refreshed and self._opened is not None:
            self._forward.refused.add(self._opened.grant.key, now=self._forward.clock())

    async def _prepared(self, step: Step, attempts: Attempts) -> Attempts:
        if step.decision == "refresh_and_replay" and self._opened is not None:
            self._opened = await self._forward.opened.renewed(self._opened)
            return replace(attempts, refreshed=True)
        if step.decision == "wait_and_resend":
            return replace(attempts, waits=attempts.waits + 1, waited=attempts.waited + step.wait)
        return replace(attempts, resent=True)

    def _build_request(self) -> UpstreamRequest:
        route = self._matched.route
        length = next((int(value) for name, value in self._headers if name == b"content-length"), None)
        headers = [field for field in self._headers if field[0] != b"content-length"]
        if self._opened is not None:
            token = self._opened.grant.tokens.access_token
            if token not in self._used_tokens:
                self._used_tokens.append(token)
            headers.append((b"authorization", self._opened.bearer))
        return UpstreamRequest(
            method=self._scope["method"],
            origin=route.origin,
            target=self._matched.target,
            headers=headers,
            body=self._body.content(),
            content_length=length,
            connect_seconds=route.timeouts.connect,
            first_byte_seconds=route.timeouts.first_byte,
            idle_seconds=route.timeouts.idle,
        )

    async def _finish(self, response: UpstreamResponse, step: Step) -> None:
        try:
            await pass_answer(
                response,
                self._send,
                method=self._scope["method"],
                destination=self._matched.route.destination,
                tokens=self._used_tokens,
                retry_after=step.wait,
                idle_seconds=self._matched.route.timeouts.idle,
            )
        except ResourceServerError as error:
            raise self._told(error, self._scope["method"]) from error
        finally:
            await response.close()
        # Last of all: the server then takes the exchange for over, and the watch on the browser ends.
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    def _told(self, error: ResourceServerError, method: str) -> ResourceServerError:
        if isinstance(error, ResourceServerUnreachable) or method in {"GET", "HEAD", "OPTIONS"}:
            return error
        # lexoffice knows no idempotency keys: only a person can tell whether to send a write again.
        return type(error)("The call may have been performed.", log_detail=error.log_detail)


def _field(response: UpstreamResponse, name: bytes) -> bytes | None:
    return next((value for key, value in response.headers if key.lower() == name), None)


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")
