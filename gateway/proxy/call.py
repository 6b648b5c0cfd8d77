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
from gateway.proxy.own_fields import Timing
from gateway.proxy.redaction import TokenRedactor
from gateway.proxy.request_body import BrowserLeftError
from gateway.proxy.request_head import build_request_head
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
    from gateway.proxy.browser_connection import BrowserConnection
    from gateway.proxy.forward import Forward
    from gateway.proxy.headers import Headers
    from gateway.proxy.lane import LaneCall
    from gateway.proxy.request_body import RequestBody
    from gateway.proxy.request_fields import RequestFields
    from gateway.proxy.route import MatchedRoute
    from gateway.proxy.upstream_answer import UpstreamAnswer
    from gateway.sessions.opened_session import OpenedSession

_FAILURES: dict[type[ResourceServerError], Failure] = {
    ResourceServerUnreachable: Failure.UNREACHABLE,
    ResourceServerTimeout: Failure.TIMEOUT,
    ResourceServerBroken: Failure.BROKEN,
}
_RETRIED = frozenset({401, 429, 504})
_WITH_CONTENT = frozenset({"POST", "PUT", "PATCH"})
_FOREVER = float("inf")


class _SessionEndedError(Exception):
    """The session of a stream of events ended, and the stream ends with it, whole."""


class Call:
    """Ended from outside, by a deadline or by the browser's leaving, it is cancelled with a verdict."""

    def __init__(
        self,
        forward: Forward,
        scope: Scope,
        send: Send,
        exchange: Exchange,
        matched: MatchedRoute,
        fields: RequestFields,
        body: RequestBody | None,
        browser: BrowserConnection | None,
    ) -> None:
        self._forward = forward
        self._scope = scope
        self._method: str = scope["method"]
        self._send = send
        self._exchange = exchange
        self._matched = matched
        self._fields = fields
        self._body = body
        self._opened: OpenedSession | None = None
        self._used: list[bytes] = []
        self._browser = browser
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        self._verdict: Exception | None = None
        self._lateness: Exception = BrowserLeftError()
        self._retry_after = 0.0
        self.deadline = _FOREVER
        self._last_deadline = _FOREVER

    async def run(self, under_way: LaneCall | None) -> None:
        """Serve it, from where the lane has brought it; raises what the browser is to be told.

        Returns silently when the browser has left.
        """
        if self._browser is not None:
            self._browser.when_left = self._leave
        self._forward.deadlines.watch(self)
        self._under_way = under_way
        try:
            await self._serve()
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

    async def _serve(self) -> None:
        if self._under_way is not None:
            self._opened = self._under_way.opened
        elif self._matched.route.attaches_token:
            sessions = self._forward.sessions
            may_meet_401 = self._body is None or self._body.is_stated_small
            # A memory of the last second's tokens will not do for what cannot be sent again.
            cookie = self._fields.cookie if may_meet_401 else None
            self._opened = None if cookie is None else sessions.find(cookie)
            if self._opened is None:
                self._opened = await sessions.admit(self._scope["headers"], may_meet_401=may_meet_401)
        if self._body is not None:
            await self._body.read_ahead()
        self._last_deadline = self._loop.time() + self._matched.route.timeouts.total
        attempts = Attempts(self._method, self._body is None or self._body.is_replayable)
        answer = await self._attempt(attempts)
        try:
            await self._pass(answer)
        except ResourceServerError as error:
            raise self._told(error) from error
        finally:
            answer.release()

    # --- passing on

    async def _pass(self, answer: UpstreamAnswer) -> None:
        exchange, matched = self._exchange, self._matched
        passed = PassedAnswer(answer, self._redactor(), destination=matched.route.destination)
        passed.tell_retry_after(self._retry_after)
        gateway_seconds = time.perf_counter() - exchange.started - exchange.upstream_seconds
        timing = Timing(exchange.request_id, gateway_seconds, exchange.upstream_seconds)
        own_fields = self._forward.own_fields
        if answer.is_whole and self._browser is not None:
            body = passed.take_whole(answer.read_whole())
            answer.release()
            exchange.status, exchange.sent = passed.status, len(body)
            if self._browser.answer_whole(
                passed.status, own_fields.build_block(passed, timing, length=len(body)), body
            ):
                return
            await self._begin(passed.status, own_fields.build_list(passed, timing))
            await self._send({"type": "http.response.body", "body": body})
            return
        await self._begin(passed.status, own_fields.build_list(passed, timing))
        await self._stream(answer, passed)

    def _redactor(self) -> TokenRedactor:
        if len(self._used) == 1:
            return self._forward.redactor(self._used[0])
        return TokenRedactor([bearer.removeprefix(b"Bearer ") for bearer in self._used])

    async def _begin(self, status: int, fields: Headers) -> None:
        self._exchange.status = status
        await self._send({"type": "http.response.start", "status": status, "headers": fields})

    async def _stream(self, answer: UpstreamAnswer, passed: PassedAnswer) -> None:
        stop = None
        if passed.is_event_stream:
            self._last_deadline = _FOREVER
            if self._opened is not None:
                stop = self._forward.sessions.watch(self._opened.session.key, self._session_ended)
        try:
            await self._stream_pieces(answer, passed)
        except asyncio.CancelledError:
            if not isinstance(self._verdict, _SessionEndedError) or self._task is None:
                raise
            self._task.uncancel()
        finally:
            if stop is not None:
                stop()
        self.deadline = _FOREVER
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _stream_pieces(self, answer: UpstreamAnswer, passed: PassedAnswer) -> None:
        idle = self._matched.route.timeouts.idle
        while True:
            self._lateness = ResourceServerTimeout(log_detail="the answer stopped in its middle")
            self._limit(idle)
            piece = await answer.read()
            out = passed.take(piece) if piece else passed.finish()
            if out:
                # A browser that takes nothing holds a connection that others need.
                self._lateness = BrowserLeftError()
                self._limit(idle)
                await self._send({"type": "http.response.body", "body": out, "more_body": True})
                self._exchange.sent += len(out)
            if not piece:
                return

    def _session_ended(self, _reason: str) -> None:
        self._end(_SessionEndedError())

    def _limit(self, seconds: float) -> None:
        self.deadline = min(self._loop.time() + seconds, self._last_deadline)

    # --- sending

    async def _attempt(self, attempts: Attempts) -> UpstreamAnswer:
        """Send until there is an answer to pass on."""
        while True:
            try:
                answer = await self._exchange_once(is_fresh=attempts.resent)
            except ResourceServerError as error:
                step = decide_on_failure(attempts, _FAILURES[type(error)])
                if step.decision == "pass":
                    raise self._told(error) from error
                attempts = replace(attempts, resent=True)
                continue
            if answer.status not in _RETRIED:
                return answer
            step = self._decide(answer, attempts, parse_patience(self._fields.prefer))
            if step.decision == "pass":
                self._retry_after = step.wait
                return answer
            answer.release()
            attempts = await self._prepare(step, attempts)

    async def _exchange_once(self, *, is_fresh: bool) -> UpstreamAnswer:
        if self._under_way is not None:
            return await self._take_over(self._under_way)
        forward, route = self._forward, self._matched.route
        pool = forward.upstream.pool(route.origin)
        body = None if self._body is None else self._body.content()
        is_streamed = body is not None and not isinstance(body, bytes)
        bearer = None if self._opened is None else self._note_use(self._opened.bearer)
        head = build_request_head(
            self._method,
            self._matched,
            pool.host,
            self._fields,
            self._exchange.trace,
            bearer,
            self._framing(body),
        )
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
                is_fresh=is_fresh,
            )
        finally:
            self._exchange.upstream_seconds += (seconds := time.perf_counter() - started)
            forward.metrics.observe_upstream(seconds)

    async def _take_over(self, begun: LaneCall) -> UpstreamAnswer:
        """Go on with what the lane has sent."""
        self._under_way = None
        self._note_use(begun.opened.bearer)
        self._exchange.upstream_seconds = begun.upstream_seconds
        self._forward.metrics.observe_upstream(begun.upstream_seconds)
        if begun.error is not None:
            raise begun.error
        answer = begun.answer
        if answer is None:
            raise AssertionError
        try:
            await answer.head()
        except BaseException:
            answer.release()
            raise
        return answer

    def _note_use(self, bearer: bytes) -> bytes:
        if bearer not in self._used:
            self._used.append(bearer)
        return bearer

    def _framing(self, body: bytes | AsyncIterator[bytes] | None) -> bytes:
        if isinstance(body, bytes):
            # RFC 9110 §8.6: a server may expect a Content-Length, be it 0, of methods that are for content.
            return b"content-length: %d\r\n" % len(body) if body or self._method in _WITH_CONTENT else b""
        if body is None or self._body is None:
            return b""
        length = self._body.content_length
        return b"transfer-encoding: chunked\r\n" if length is None else b"content-length: %d\r\n" % length

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
