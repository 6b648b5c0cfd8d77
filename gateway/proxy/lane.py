"""The short way of a plain call: no ASGI, no task and no future, one read and one write on either side.

A call is plain if it has no body, its session is remembered, a connection is free or will be, and the answer
comes whole at once. Whatever is not is handed to the long way (forward.py, call.py), with what was achieved.
The checks are the same ones, made by the same functions: Forward judges, matches and finds the session.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from gateway.errors import GatewayError, ResourceServerTimeout
from gateway.observability.tracing import continue_trace
from gateway.proxy.answer import PassedAnswer
from gateway.proxy.own_fields import Timing
from gateway.proxy.request_head import build_request_head
from gateway.proxy.sending import RETRIED_STATUSES
from gateway.proxy.upstream import no_connection_is_free

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, MutableMapping

    from gateway.observability.logs import RequestLog
    from gateway.observability.tracing import Trace
    from gateway.proxy.browser_connection import Remembered
    from gateway.proxy.connection import Connection
    from gateway.proxy.forward import Forward
    from gateway.proxy.route import MatchedRoute
    from gateway.proxy.upstream_answer import UpstreamAnswer
    from gateway.sessions.opened_session import OpenedSession

_KEY = "lexgate.under_way"
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


class Lane:
    """Begins calls; `begin` says None to what must go the long way from the start."""

    def __init__(self, forward: Forward, request_log: RequestLog) -> None:
        self.forward = forward
        self.request_log = request_log

    def begin(self, browser: LaneBrowser, request: LaneRequest) -> LaneCall | None:
        """Send a call, if it is plain so far."""
        forward = self.forward
        try:
            fields = forward.read_fields(request.headers, browser)
            forward.judge(request.method, fields)
            raw_path, _, query = request.target.partition(b"?")
            matched = forward.routes.match(method=request.method, raw_path=raw_path, query=query)
        except GatewayError:
            return None  # the long way finds the same, and tells
        if fields.length != 0 or fields.cookie is None or not matched.route.attaches_token:
            return None
        opened = forward.sessions.find(fields.cookie)
        if opened is None or not forward.concurrency.try_acquire(opened.session.key):
            return None
        trace = continue_trace(fields.traceparent, fields.tracestate)
        pool = forward.upstream.pool(matched.route)
        head = build_request_head(request.method, matched, pool.host, fields, trace, opened.bearer)
        call = LaneCall(self, browser, request, matched, opened, trace, head)
        if not pool.serve(call, request.method):
            forward.concurrency.release(opened.session.key)
            return None
        browser.when_left = call.leave
        forward.deadlines.watch(call)
        return call


class _NoEvent:
    def set(self) -> None:
        """Tell nobody: nobody waits."""


_NO_EVENT = _NoEvent()


class LaneCall:
    """One call in the lane. It stands where uvicorn keeps its own RequestResponseCycle, and answers it."""

    __slots__ = (
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
    ) -> None:
        self.lane = lane
        self.browser = browser
        self.request = request
        self.matched = matched
        self.opened = opened
        self.trace = trace
        self.head = head
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

    def give(self, connection: Connection | None) -> bool:
        """Send the call on a connection, or go the long way to open one; see upstream.Waiter."""
        if self.response_complete:
            return False
        if connection is None:
            self._hand_over(None)
            return True
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
            self._finish(answer)
        except Exception as error:  # noqa: BLE001 - the long way tells every error
            self._hand_over(error)

    def leave(self) -> None:
        """End the call, for nobody waits for its answer any more."""
        if not self.response_complete:
            self._end()
            self.drop()
            self._tell(_LEFT, 0)

    def expire(self) -> None:
        """Tell that the answer takes too long, or pass on what there is of one that comes slowly."""
        if self.answer is None:
            self._hand_over(no_connection_is_free())
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

    def _finish(self, answer: UpstreamAnswer) -> None:
        forward = self.lane.forward
        passed = PassedAnswer(answer, forward.redactor(self.opened.bearer), self.matched.route)
        body = passed.take_whole(answer.read_whole())
        gateway_seconds = time.perf_counter() - self.started - self.upstream_seconds
        timing = Timing(self.trace.request_id, gateway_seconds, self.upstream_seconds)
        fields = forward.own_fields.build_block(passed, timing, length=len(body))
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
        self.lane.forward.concurrency.release(self.opened.session.key)

    def abandon(self) -> None:
        """Let go of a call that was handed over, but whose browser left before anybody took it up."""
        self.drop()
        if self.answer is None:
            # It may have been given the place of a connection that ended.
            self.lane.forward.upstream.pool(self.matched.route).hand_on_place()

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


def note_call_under_way(scope: MutableMapping[str, Any], call: LaneCall) -> None:
    """Put a call that was handed over where the long way finds it."""
    scope[_KEY] = call


def call_under_way(scope: Mapping[str, Any]) -> LaneCall | None:
    """Return the call that the lane began, if it did."""
    call: LaneCall | None = scope.get(_KEY)
    return call
