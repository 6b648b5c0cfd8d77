"""Passes an answer on to the browser: at once if it is whole, else piece by piece as it comes."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from gateway.errors import ResourceServerTimeout
from gateway.proxy.answer import PassedAnswer
from gateway.proxy.own_fields import Timing
from gateway.proxy.redaction import build_redactor
from gateway.proxy.request_body import BrowserLeftError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.types import Send

    from gateway.proxy.browser_connection import BrowserConnection
    from gateway.proxy.call import CallRequest
    from gateway.proxy.deadlines import CallLimit
    from gateway.proxy.forward import Forward
    from gateway.proxy.headers import Headers
    from gateway.proxy.own_fields import PassedHead
    from gateway.proxy.upstream_answer import ReadableAnswer
    from gateway.sessions.opened_session import OpenedSession


class _SessionEndedError(Exception):
    """The session of a stream of events ended, and the stream ends with it, whole."""


class Passing:
    """One answer's way to one browser."""

    def __init__(
        self,
        forward: Forward,
        request: CallRequest,
        send: Send,
        *,
        limit: CallLimit,
        browser: BrowserConnection | None,
    ) -> None:
        self._forward = forward
        self._request = request
        self._send = send
        self._limit = limit
        self._browser = browser

    async def run(
        self,
        answer: ReadableAnswer,
        *,
        tokens: list[bytes],
        retry_after: float,
        opened: OpenedSession | None,
        more: Sequence[tuple[bytes, bytes]] = (),
    ) -> None:
        """Pass it on whole; `tokens` are the Authorization values to search for, `more` fields to add.

        Raises ResourceServerError for an answer that cannot be passed on, before its first byte or after.
        """
        is_one = opened is not None and tokens == [opened.bearer]
        redactor = self._forward.redactor(opened) if opened is not None and is_one else build_redactor(tokens)
        passed = PassedAnswer(answer, redactor, self._request.matched.route)
        passed.tell_retry_after(retry_after)
        passed.fields += more
        if answer.is_whole:
            await self._pass_whole(answer, passed)
        else:
            await self._begin(passed.status, self._build_list(passed))
            await self._stream(answer, passed, opened)

    def _timing(self) -> Timing:
        exchange = self._request.exchange
        others = exchange.upstream_seconds + (exchange.queue_seconds or 0.0)
        gateway_seconds = time.perf_counter() - exchange.started - others
        return Timing(exchange.request_id, gateway_seconds, exchange.upstream_seconds, exchange.queue_seconds)

    def _build_list(self, passed: PassedHead) -> Headers:
        return self._forward.own_fields.build_list(passed, self._timing())

    async def _pass_whole(self, answer: ReadableAnswer, passed: PassedAnswer) -> None:
        body = passed.take_whole(answer.read_whole())
        answer.release()
        await self.pass_whole(passed, body)

    async def pass_whole(self, passed: PassedHead, body: bytes) -> None:
        """Pass on an answer of which everything is there and was searched."""
        exchange = self._request.exchange
        if self._browser is not None:
            fields = self._forward.own_fields.build_block(passed, self._timing(), length=len(body))
            if self._browser.answer_whole(passed.status, fields, body):
                exchange.status, exchange.sent = passed.status, len(body)
                return
        await self._begin(passed.status, self._build_list(passed))
        exchange.sent = len(body)
        await self._send({"type": "http.response.body", "body": body})

    async def _begin(self, status: int, fields: Headers) -> None:
        self._request.exchange.status = status
        self._await_browser()
        await self._send({"type": "http.response.start", "status": status, "headers": fields})

    async def _stream(
        self, answer: ReadableAnswer, passed: PassedAnswer, opened: OpenedSession | None
    ) -> None:
        stop = None
        if passed.is_event_stream:
            self._limit.unbound()
            if opened is not None:
                stop = self._forward.sessions.watch(opened.session.key, self._session_ended)
        try:
            await self._stream_pieces(answer, passed)
        except asyncio.CancelledError:
            if not isinstance(self._limit.verdict, _SessionEndedError):
                raise
            self._limit.go_on()
        finally:
            if stop is not None:
                stop()
        answer.release()  # a browser that does not take the rest of it holds nothing that others need
        self._await_browser()
        # Last of all: the server then takes the exchange for over.
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _stream_pieces(self, answer: ReadableAnswer, passed: PassedAnswer) -> None:
        idle = self._request.matched.route.timeouts.idle
        late = ResourceServerTimeout(log_detail="the answer stopped in its middle")
        while True:
            self._limit.begin(idle, late)
            piece = await answer.read()
            out = passed.take(piece) if piece else passed.finish()
            if out:
                self._await_browser()
                await self._send({"type": "http.response.body", "body": out, "more_body": True})
                self._request.exchange.sent += len(out)
            if not piece:
                return

    def _await_browser(self) -> None:
        """Give the browser as long to take what is next as the resource server has to send it."""
        self._limit.begin(self._request.matched.route.timeouts.idle, BrowserLeftError())

    def _session_ended(self, _reason: str) -> None:
        self._limit.end(_SessionEndedError())
