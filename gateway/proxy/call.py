"""One call under /api: sent as often as the retry rules allow, its answer passed on as it comes."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING

from gateway.errors import (
    ResourceServerBroken,
    ResourceServerError,
    ResourceServerTimeout,
    ResourceServerUnreachable,
)
from gateway.proxy.answer import PassedAnswer
from gateway.proxy.browser_connection import browser_connection_of
from gateway.proxy.headers import filter_request_headers
from gateway.proxy.redaction import TokenRedactor
from gateway.proxy.request_body import BrowserLeftError
from gateway.proxy.retry import (
    SAFE_METHODS,
    Attempts,
    Failure,
    Step,
    decide_on_failure,
    decide_on_status,
    parse_patience,
    parse_retry_after,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.types import Scope, Send

    from gateway.observability.exchange import Exchange
    from gateway.proxy.forward import Forward
    from gateway.proxy.request_body import RequestBody
    from gateway.proxy.route import MatchedRoute
    from gateway.proxy.upstream_answer import UpstreamAnswer
    from gateway.sessions.opened_sessions import OpenedSession

_FAILURES: dict[type[ResourceServerError], Failure] = {
    ResourceServerUnreachable: Failure.UNREACHABLE,
    ResourceServerTimeout: Failure.TIMEOUT,
    ResourceServerBroken: Failure.BROKEN,
}
_RETRIED = frozenset({401, 429, 504})
_NO_TOKEN = TokenRedactor(())
_FOREVER = float("inf")


class Call:
    """Ended from outside, by a deadline or by the browser's leaving, it is cancelled with a verdict."""

    def __init__(
        self, forward: Forward, scope: Scope, send: Send, exchange: Exchange, matched: MatchedRoute
    ) -> None:
        self._forward = forward
        self._scope = scope
        self._method: str = scope["method"]
        self._send = send
        self._exchange = exchange
        self._matched = matched
        self._body: RequestBody | None = None
        self._opened: OpenedSession | None = None
        self._used: list[bytes] = []
        self._browser = browser_connection_of(scope)
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        self._verdict: Exception | None = None
        self._lateness: Exception = BrowserLeftError()
        self.deadline = _FOREVER
        self._last_deadline = _FOREVER

    async def run(self, fields: dict[bytes, bytes], body: RequestBody | None) -> None:
        """Serve it; raises what the browser is to be told. Returns silently when the browser has left."""
        self._body = body
        if self._browser is not None:
            self._browser.when_left = self._leave
        self._forward.deadlines.watch(self)
        try:
            await self._serve(fields)
        except BrowserLeftError:
            return
        except asyncio.CancelledError:
            if self._verdict is None or self._task is None:
                raise
            self._task.uncancel()
            if not isinstance(self._verdict, BrowserLeftError):
                raise self._verdict from None
        finally:
            self._forward.deadlines.forget(self)
            if self._browser is not None:
                self._browser.when_left = None

    def expire(self) -> None:
        """End it because it takes too long: told as whatever was being waited for."""
        self._end(self._lateness)

    def _leave(self) -> None:
        self._end(BrowserLeftError())

    def _end(self, verdict: Exception) -> None:
        if self._verdict is None and self._task is not None:
            self._verdict = verdict
            self.deadline = _FOREVER
            self._task.cancel()

    async def _serve(self, fields: dict[bytes, bytes]) -> None:
        if self._matched.route.attaches_token:
            sessions = self._forward.sessions
            cookie = fields.get(b"cookie")
            self._opened = None if cookie is None else sessions.find(cookie)
            if self._opened is None:
                self._opened = await sessions.admit(
                    self._scope["headers"], may_meet_401=self._body is None or self._body.is_stated_small
                )
        if self._body is not None:
            await self._body.read_ahead()
        self._last_deadline = self._loop.time() + self._matched.route.timeouts.total
        attempts = Attempts(self._method, self._body is None or self._body.is_replayable)
        answer = await self._attempt(attempts, fields)
        try:
            await self._pass(answer)
        except ResourceServerError as error:
            raise self._told(error) from error
        finally:
            answer.release()

    # --- sending

    async def _attempt(self, attempts: Attempts, fields: dict[bytes, bytes]) -> UpstreamAnswer:
        """Send until there is an answer to pass on."""
        while True:
            try:
                answer = await self._exchange_once()
            except ResourceServerError as error:
                step = decide_on_failure(attempts, _FAILURES[type(error)])
                if step.decision == "pass":
                    raise self._told(error) from error
                attempts = replace(attempts, resent=True)
                continue
            if answer.status not in _RETRIED:
                return answer
            step = self._decide(answer, attempts, parse_patience(fields.get(b"prefer")))
            if step.decision == "pass":
                self._retry_after = step.wait
                return answer
            answer.release()
            attempts = await self._prepare(step, attempts)

    async def _exchange_once(self) -> UpstreamAnswer:
        forward, route = self._forward, self._matched.route
        pool = forward.upstream.pool(route.origin)
        body = None if self._body is None else self._body.content()
        is_streamed = body is not None and not isinstance(body, bytes)
        head = self._build_head(pool.host, body)
        timeouts = route.timeouts
        self._lateness = ResourceServerTimeout(log_detail="no answer in time")
        started = time.perf_counter()
        self._limit(timeouts.connect + timeouts.first_byte)
        try:
            return await pool.send(
                head,
                method=self._method,
                body=self._extending(body) if is_streamed else body,  # type: ignore[arg-type]
                is_chunked=is_streamed and self._body is not None and self._body.content_length is None,
                connect_seconds=timeouts.connect,
            )
        finally:
            self._exchange.upstream_seconds += (seconds := time.perf_counter() - started)
            forward.metrics.observe_upstream(seconds)

    def _build_head(self, host: bytes, body: bytes | AsyncIterator[bytes] | None) -> bytes:
        scope = self._scope
        parts = [
            b"%b %b HTTP/1.1\r\nhost: %b" % (self._method.encode("ascii"), self._matched.target, host),
            *[name + b": " + value for name, value in filter_request_headers(scope["headers"])],
            *[name + b": " + value for name, value in self._exchange.trace.upstream_headers()],
        ]
        if self._opened is not None:
            bearer = self._opened.bearer
            if bearer not in self._used:
                self._used.append(bearer)
            parts.append(b"authorization: " + bearer)
        if isinstance(body, bytes):
            parts.append(b"content-length: %d" % len(body))
        elif body is not None and self._body is not None:
            length = self._body.content_length
            parts.append(b"transfer-encoding: chunked" if length is None else b"content-length: %d" % length)
        parts.append(b"\r\n")
        head = b"\r\n".join(parts)
        if head.count(b"\n") != len(parts):
            # Whatever came through, a field must not end another one's line (request splitting).
            raise ResourceServerBroken(log_detail="a field of the request holds a line's end")
        return head

    async def _extending(self, body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Let each piece of an upload extend the time: how long it takes is for the browser's line to say."""
        async for piece in body:
            yield piece
            if self.deadline is not _FOREVER:
                self._limit(self._matched.route.timeouts.first_byte)

    # --- deciding

    def _decide(self, answer: UpstreamAnswer, attempts: Attempts, patience: float) -> Step:
        values = [value for name, value in answer.headers if name == b"retry-after"]
        step = decide_on_status(
            attempts,
            answer.status,
            patience=patience,
            retry_after=parse_retry_after(values[0] if values else None, now=self._forward.clock()),
            jitter=random.random(),  # noqa: S311 - spreads calls out, guards nothing
        )
        if step.decision == "refresh_and_replay" and not self._can_refresh():
            step = Step("pass")
        if step.decision == "pass" and answer.status == HTTPStatus.UNAUTHORIZED and attempts.refreshed:
            self._note_refusal()
        return step

    def _can_refresh(self) -> bool:
        now = self._forward.clock()
        return self._opened is not None and not self._forward.refused.has(self._opened.grant.key, now=now)

    def _note_refusal(self) -> None:
        if self._opened is not None:
            self._forward.refused.add(self._opened.grant.key, now=self._forward.clock())

    async def _prepare(self, step: Step, attempts: Attempts) -> Attempts:
        self.deadline = _FOREVER
        if step.decision == "refresh_and_replay" and self._opened is not None:
            self._opened = await self._forward.sessions.renewed(self._opened)
            return replace(attempts, refreshed=True)
        if step.decision == "wait_and_resend":
            await asyncio.sleep(step.wait)
            return replace(attempts, waits=attempts.waits + 1, waited=attempts.waited + step.wait)
        return replace(attempts, resent=True)

    def _told(self, error: ResourceServerError) -> ResourceServerError:
        if isinstance(error, ResourceServerUnreachable) or self._method in SAFE_METHODS:
            return error
        # lexoffice knows no idempotency keys: only a person can tell whether to send a write again.
        return type(error)("The call may have been performed.", log_detail=error.log_detail)
