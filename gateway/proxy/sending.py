"""Sends a call to the resource server, as often as the retry rules allow."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING

from gateway.errors import (
    ResendRequired,
    ResourceServerBroken,
    ResourceServerError,
    ResourceServerTimeout,
    ResourceServerUnreachable,
    UpstreamFull,
)
from gateway.proxy.pacing import Pacing
from gateway.proxy.request_head import build_request_head, frame_body
from gateway.proxy.retry import (
    Attempts,
    Failure,
    Step,
    decide_on_failure,
    decide_on_status,
    decide_on_throttling,
    parse_patience,
    parse_retry_after,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gateway.proxy.call import CallRequest
    from gateway.proxy.deadlines import CallLimit
    from gateway.proxy.forward import Forward
    from gateway.proxy.lane_call import LaneCall
    from gateway.proxy.upstream_answer import UpstreamAnswer
    from gateway.sessions.opened_session import OpenedSession

_FAILURES: dict[type[ResourceServerError], Failure] = {
    ResourceServerUnreachable: Failure.UNREACHABLE,
    ResourceServerTimeout: Failure.TIMEOUT,
    ResourceServerBroken: Failure.BROKEN,
    UpstreamFull: Failure.TIMEOUT,
}
RETRIED_STATUSES = frozenset({401, 429, 504})


class Sending:
    """`used` are the Authorization values that were sent, `retry_after` is in seconds and goes with a 429.

    Where the route is paced, every sending takes a turn within the resource server's rate limit.
    """

    def __init__(
        self, forward: Forward, request: CallRequest, limit: CallLimit, opened: OpenedSession | None
    ) -> None:
        self._forward = forward
        self._request = request
        self._limit = limit
        self.opened = opened
        self.used: list[bytes] = []
        self.retry_after: float = 0.0
        self.pacing: Pacing | None = None
        if request.matched.route.is_paced and forward.budget is not None and opened is not None:
            self.pacing = Pacing(forward.budget, forward.concurrency, request, opened)

    @property
    def expected(self) -> float:
        """In how many seconds its turn comes at the earliest."""
        return 0.0 if self.pacing is None else self.pacing.expected

    async def run(self, begun: LaneCall | None) -> UpstreamAnswer:
        """Send until there is an answer to pass on, the first time perhaps by the lane; `release` it."""
        if self.pacing is None:
            return await self._run(begun)
        try:
            answer = await self._run(None)
        except BaseException:
            self.pacing.leave()
            raise
        answer.when_released = self.pacing.leave
        return answer

    async def _run(self, begun: LaneCall | None) -> UpstreamAnswer:
        body = self._request.body
        attempts = Attempts(self._request.method, body is None or body.is_replayable)
        if begun is not None and begun.has_waited_in_vain:
            begun = None
        step: Step | None
        while True:
            try:
                answer = await (self._take_over(begun) if begun else self._send(is_fresh=attempts.resent))
            except ResourceServerError as error:
                step = decide_on_failure(attempts, _FAILURES[type(error)])
                if step.decision == "pass":
                    raise
                attempts, begun = replace(attempts, resent=True), None
                continue
            begun = None
            try:
                step = await self._decide(answer, attempts)
            except BaseException:
                answer.release()
                raise
            if step is None:
                return answer
            if step.decision == "pass":
                self.retry_after = step.wait
                if answer.status == HTTPStatus.UNAUTHORIZED and not attempts.replayable:
                    await self._renew_for_next_time(answer)
                return answer
            answer.release()
            attempts = await self._prepare(step, attempts)

    async def _take_over(self, begun: LaneCall) -> UpstreamAnswer:
        """Go on with what the lane has sent."""
        self._note_use(begun.opened.bearer)
        self._request.exchange.upstream_seconds = begun.upstream_seconds
        self._forward.metrics.observe_upstream(begun.upstream_seconds)
        answer = begun.answer
        if begun.error is not None or answer is None:
            raise begun.error or AssertionError
        try:
            await answer.head()
        except BaseException:
            answer.release()
            raise
        return answer

    async def _send(self, *, is_fresh: bool) -> UpstreamAnswer:
        self._limit.lift()
        await self._take_turn()
        request, route = self._request, self._request.matched.route
        pool = self._forward.upstream.pool(route)
        body: bytes | AsyncIterator[bytes] | None = None
        length: int | None = 0
        if request.body is not None:
            body = request.body.content()
            if isinstance(body, bytes):
                length = len(body)
            else:
                body, length = self._extending(body), request.body.content_length
        head = build_request_head(
            request.method,
            request.matched,
            pool.host,
            request.fields,
            request.exchange.trace,
            None if self.opened is None else self._note_use(self.opened.bearer),
            frame_body(request.method, length),
        )
        started = time.perf_counter()
        timeouts = route.timeouts
        self._limit.begin(
            timeouts.connect + timeouts.first_byte, ResourceServerTimeout(log_detail="no answer in time")
        )
        try:
            return await pool.send(
                head,
                method=request.method,
                body=body,
                is_chunked=request.body is not None and request.body.content_length is None,
                connect_seconds=timeouts.connect,
                is_fresh=is_fresh,
            )
        finally:
            seconds = time.perf_counter() - started
            request.exchange.upstream_seconds += seconds
            self._forward.metrics.observe_upstream(seconds)

    async def _take_turn(self) -> None:
        if self.pacing is not None and await self.pacing.take_turn():
            self.opened = await self._forward.admit(self._request)  # it may have ended meanwhile

    def _note_use(self, bearer: bytes) -> bytes:
        if bearer not in self.used:
            self.used.append(bearer)
        return bearer

    async def _extending(self, body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Let each piece of an upload extend the time: how long it takes is for the browser's line to say."""
        async for piece in body:
            yield piece
            self._limit.extend(self._request.matched.route.timeouts.first_byte)

    async def _decide(self, answer: UpstreamAnswer, attempts: Attempts) -> Step | None:
        """Decide on an answer; None if it is one of those that are passed on without a thought."""
        pacing = self.pacing
        is_throttled = pacing is not None and await pacing.is_throttled(answer)
        if answer.status not in RETRIED_STATUSES and not is_throttled:
            return None
        values = [value for name, value in answer.headers if name == b"retry-after"]
        retry_after = parse_retry_after(values[0] if values else None, now=self._forward.clock())
        jitter = random.random()  # noqa: S311 - spreads calls out, guards nothing
        if pacing is not None and is_throttled:
            await pacing.slow_down()
            return decide_on_throttling(
                attempts, patience=pacing.patience, retry_after=retry_after, jitter=jitter
            )
        patience = parse_patience(self._request.fields.prefer)
        step = decide_on_status(
            attempts, answer.status, patience=patience, retry_after=retry_after, jitter=jitter
        )
        if step.decision == "refresh_and_replay" and not self._can_refresh():
            step = Step("pass")
        if step.decision == "pass" and answer.status == HTTPStatus.UNAUTHORIZED and attempts.refreshed:
            self._note_refusal()
        return step

    async def _renew_for_next_time(self, answer: UpstreamAnswer) -> None:
        """Renew the token under which a body was refused that only the browser can send again.

        Raises ResendRequired if that brought a newer one; else the refusal is the server's last word.
        """
        if self.opened is None or not self._can_refresh():
            return
        self._limit.lift()
        try:
            renewed = await self._forward.sessions.renewed(self.opened)
        except BaseException:
            answer.release()
            raise
        if renewed.grant.generation > self.opened.grant.generation:
            answer.release()
            raise ResendRequired("The access token was renewed meanwhile.", retry_after=1)

    def _can_refresh(self) -> bool:
        now = self._forward.clock()
        return self.opened is not None and not self._forward.refused.has(self.opened.grant.key, now=now)

    def _note_refusal(self) -> None:
        if self.opened is not None:
            self._forward.refused.add(self.opened.grant.key, now=self._forward.clock())

    async def _prepare(self, step: Step, attempts: Attempts) -> Attempts:
        self._limit.lift()
        if step.decision == "refresh_and_replay" and self.opened is not None:
            self.opened = await self._forward.sessions.renewed(self.opened)
            return replace(attempts, refreshed=True)
        if step.decision == "wait_and_resend":
            await (self.pacing.wait(step.wait) if self.pacing else asyncio.sleep(step.wait))
            if self.opened is not None:
                self.opened = await self._forward.admit(self._request)  # it may have ended meanwhile
            return replace(attempts, waits=attempts.waits + 1, waited=attempts.waited + step.wait)
        return replace(attempts, resent=True)
