"""The short way of a plain call: no ASGI, no task and no future, one read and one write on either side.

A call is plain if it has no body, its session is remembered, a connection is free or will be, and the answer
comes whole at once. Whatever is not is handed to the long way (forward.py, call.py), with what was achieved.
The checks are the same ones, made by the same functions: Forward judges, matches and finds the session.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.errors import GatewayError
from gateway.observability.tracing import continue_trace
from gateway.proxy.lane_call import LaneCall
from gateway.proxy.request_head import build_request_head, frame_nothing

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

    from gateway.observability.logs import RequestLog
    from gateway.proxy.forward import Forward
    from gateway.proxy.lane_call import LaneBrowser, LaneRequest

_KEY = "lexgate.under_way"


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
        if (
            fields.length != 0
            or fields.cookie is None
            or not matched.route.goes_in_lane
            or (forward.long_way_origins and fields.origin in forward.long_way_origins)
            or forward.asking_once.writes.heeds(request.method)
        ):
            return None
        opened = forward.sessions.find(fields.cookie)
        if opened is None:
            return None
        trace = continue_trace(fields.traceparent, fields.tracestate)
        pool = forward.upstream.pool(matched.route)
        head = build_request_head(
            request.method, matched, pool.host, fields, trace, opened.bearer, frame_nothing(request.method)
        )
        call = LaneCall(self, browser, request, matched, opened, trace, head, pool)
        if not forward.concurrency.try_acquire(opened.session.key):
            return None
        if not pool.serve(call, request.method):
            forward.concurrency.release(opened.session.key)
            return None
        browser.when_left = call.leave
        forward.deadlines.watch(call)
        return call


def note_call_under_way(scope: MutableMapping[str, Any], call: LaneCall) -> None:
    """Put a call that was handed over where the long way finds it."""
    scope[_KEY] = call


def call_under_way(scope: Mapping[str, Any]) -> LaneCall | None:
    """Return the call that the lane began, if it did."""
    call: LaneCall | None = scope.get(_KEY)
    return call
