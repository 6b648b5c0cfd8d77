"""One call in the lane: sent, and its answer passed on, in two steps of two protocols."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple, Protocol

from gateway.errors import ResourceServerTimeout, UpstreamFull
from gateway.proxy.answer import PassedAnswer
from gateway.proxy.own_fields import Timing
from gateway.proxy.sending import RETRIED_STATUSES

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.observability.tracing import Trace
    from gateway.proxy.browser_connection import Remembered
    from gateway.proxy.connection import Connection
    from gateway.proxy.lane import Lane
    from gateway.proxy.pool import Pool
    from gateway.proxy.route import MatchedRoute
    from gateway.proxy.upstream_answer import UpstreamAnswer
    from gateway.sessions.opened_session import OpenedSession

_LEFT = 499
GATHERED_BYTES = 192 * 1024
"""Up to this size an answer is held until it is whole, a tenth of a second at most: one write costs less."""


class LaneRequest(NamedTuple):
    """A request whose head is complete, as it was received; `target` is in origin-form."""

    method: str
    target: bytes
    headers: list[tuple[bytes, bytes]]
    keeps_alive: bool


class LaneBrowser(Protocol):
    """The server's end of a connection."""

    when_left: Callable[[], None] | None
    remembered: Remembered | None

    def answer_lane(self, call: LaneCall, status: int, fields: bytes, body: bytes) -> None:
        """Write the answer, which ends the exchange."""
        ...

    def hand_over(self, call: LaneCall) -> None:
        """Let the ASGI application serve the call from here on."""
        ...


class _NoEvent:
    def set(self) -> None:
        """Tell nobody: nobody waits."""


_NO_EVENT = _NoEvent()


class LaneCall:
    """One call in the lane. It stands where uvicorn keeps its own RequestResponseCycle, and answers it."""

    __slots__ = (
        "_has_place",
        "_pool",
        "answer",
        "body",
        "browser",
        "deadline",
        "disconnected",
        "error",
        "head",
        "is_gathering",
        "keep_alive",
        "lane",
        "matched",
        "more_body",
        "opened",
        "request",
        "response_complete",
        "sent_at",
        "started",
        "trace",
        "upstream_seconds",
    )

    message_event = _NO_EVENT
    waiting_for_100_continue = False
    response_started = False

    def __init__(
        self,
        lane: Lane,
        browser: LaneBrowser,
        request: LaneRequest,
        matched: MatchedRoute,
        opened: OpenedSession,
        trace: Trace,
        head: bytes,
        pool: Pool,
    ) -> None:
        self.lane = lane
        self.browser = browser
        self.request = request
        self.matched = matched
        self.opened = opened
        self.trace = trace
        self.head = head
        self._pool = pool
        self._has_place = False
        self.answer: UpstreamAnswer | None = None
        self.keep_alive = request.keeps_alive
        self.started = time.perf_counter()
        self.sent_at = 0.0
        self.deadline = lane.forward.deadlines.now() + matched.route.timeouts.connect
        self.upstream_seconds = 0.0
        self.error: Exception | None = None
        self.is_gathering = False
        self.response_complete = False
        self.disconnected = False
        self.more_body = True
        self.body = b""

    @property
    def has_waited_in_vain(self) -> bool:
        """Whether it was handed over before anything was sent, with no error either."""
        return self.answer is None and self.error is None

    def give(self, connection: Connection | None) -> bool:
        """Send the call on a connection, or go the long way to open one; see upstream.Waiter."""
        if self.response_complete:
            return False
        if connection is None or not self.opened.is_live:
            self._has_place = connection is None
            self._hand_over(None)  # where one is opened, or the session asked about that may have ended
            return connection is None
        timeouts = self.matched.route.timeouts
        self.deadline += timeouts.first_byte
        self.sent_at = time.perf_counter()
        self.answer = connection.ask(self.head, method=self.request.method)
        self.answer.listener = self.advance
        return True

    def advance(self) -> None:
        """Look at what has come of the answer: pass it on if it is whole and needs no thought."""
        answer = self.answer
        if answer is None or self.response_complete:
            return
        self.upstream_seconds = time.perf_counter() - self.sent_at
        if answer.error is not None or answer.status in RETRIED_STATUSES:
            self._hand_over(None)
            return
        if not answer.is_whole:
            if not self._gathers(answer):
                self._hand_over(None)
            return
        try:
            passed = PassedAnswer(answer, self.lane.forward.redactor(self.opened), self.matched.route)
            body = passed.take_whole(answer.read_whole())
        except Exception as error:  # noqa: BLE001 - the long way tells every error
            self._hand_over(error)
        else:
            self._finish(passed, body)

    def leave(self) -> None:
        """End the call, for nobody waits for its answer any more."""
        if not self.response_complete:
            self._end()
            self.drop()
            self._tell(_LEFT, 0)

    def expire(self) -> None:
        """Tell that the answer takes too long, or pass on what there is of one that comes slowly."""
        if self.answer is None:
            self._pool.forget(self)
            self._hand_over(UpstreamFull(log_detail="no connection is free", retry_after=1))
        elif self.is_gathering:
            self._hand_over(None)
        else:
            self._hand_over(ResourceServerTimeout(log_detail="no answer in time"))

    def _gathers(self, answer: UpstreamAnswer) -> bool:
        """Wait a moment for the rest of an answer of moderate size: most of it is on its way."""
        if not self.is_gathering and answer.length is not None and answer.length <= GATHERED_BYTES:
            self.is_gathering = True
            self.deadline = self.lane.forward.deadlines.now()  # the next tick
        return self.is_gathering

    def _finish(self, passed: PassedAnswer, body: bytes) -> None:
        gateway_seconds = time.perf_counter() - self.started - self.upstream_seconds
        timing = Timing(self.trace.request_id, gateway_seconds, self.upstream_seconds)
        fields = self.lane.forward.own_fields.build_block(passed, timing, length=len(body))
        self._end()
        self.drop()
        self.browser.answer_lane(self, passed.status, fields, body)
        self._tell(passed.status, len(body))

    def _end(self) -> None:
        self.response_complete = True
        self.lane.forward.deadlines.forget(self)
        self.browser.when_left = None

    def drop(self) -> None:
        """Let go of what the call holds: its connection, and its place among those of its session."""
        answer = self.answer
        if answer is not None:
            answer.listener = None  # no cycle is left for the garbage collector
            answer.release()
        elif self.error is None:
            self._pool.forget(self)
            if self._has_place:
                self._pool.pass_place_on()
        self.lane.forward.concurrency.release(self.opened.session.key)

    def _hand_over(self, error: Exception | None) -> None:
        self._end()
        self.error = error
        if self.answer is not None:
            self.answer.listener = None
            if error is not None:
                self.answer.release()
        self.browser.hand_over(self)

    def _tell(self, status: int, sent: int) -> None:
        lane, route = self.lane, self.matched.route.template
        seconds = time.perf_counter() - self.started
        lane.forward.metrics.observe_upstream(self.upstream_seconds)
        lane.forward.metrics.count_request(route, self.request.method, status, seconds)
        lane.request_log.write(
            route,
            self.request.method,
            status,
            seconds=seconds,
            sent=sent,
            request_id=self.trace.request_id,
            trace_id=self.trace.trace_id,
        )
