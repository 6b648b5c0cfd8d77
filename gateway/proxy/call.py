"""One call under /api on the long way: admitted, sent, passed on, and ended when the browser leaves."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

from gateway.errors import ResendRequired, ResourceServerError, ResourceServerUnreachable, UpstreamFull
from gateway.proxy.deadlines import CallLimit
from gateway.proxy.passing import Passing
from gateway.proxy.request_body import BrowserLeftError
from gateway.proxy.retry import SAFE_METHODS, parse_patience
from gateway.proxy.sending import Sending

if TYPE_CHECKING:
    from starlette.types import Send

    from gateway.observability.exchange import Exchange
    from gateway.proxy.browser_connection import BrowserConnection
    from gateway.proxy.forward import Forward
    from gateway.proxy.lane_call import LaneCall
    from gateway.proxy.request_body import RequestBody
    from gateway.proxy.request_fields import RequestFields
    from gateway.proxy.route import MatchedRoute
    from gateway.sessions.opened_session import OpenedSession


class CallRequest(NamedTuple):
    """What the browser asked for, judged and matched; `headers` are all fields, `fields` what they say."""

    method: str
    headers: list[tuple[bytes, bytes]]
    fields: RequestFields
    matched: MatchedRoute
    body: RequestBody | None
    exchange: Exchange


async def run_call(
    forward: Forward,
    request: CallRequest,
    send: Send,
    *,
    browser: BrowserConnection | None,
    begun: LaneCall | None,
) -> None:
    """Serve a call, from where the lane has brought it; raises what the browser is to be told.

    Returns silently when the browser has left. Ended from outside, by a deadline or by the browser's leaving,
    it is cancelled with a verdict.
    """
    limit = CallLimit()
    if browser is not None:
        if browser.has_left:
            if begun is not None:
                begun.drop()
            return
        browser.when_left = lambda: limit.end(BrowserLeftError())
    forward.deadlines.watch(limit)
    try:
        await _serve(forward, request, send, limit=limit, browser=browser, begun=begun)
    except BrowserLeftError:
        return
    except ResourceServerError as error:
        raise _told(error, request.method) from error
    except asyncio.CancelledError:
        verdict = limit.verdict
        if verdict is None:
            raise
        limit.go_on()
        if isinstance(verdict, ResourceServerError):
            raise _told(verdict, request.method) from None
    finally:
        forward.deadlines.forget(limit)
        if browser is not None:
            browser.when_left = None


async def _serve(
    forward: Forward,
    request: CallRequest,
    send: Send,
    *,
    limit: CallLimit,
    browser: BrowserConnection | None,
    begun: LaneCall | None,
) -> None:
    opened, has_waited = None, False
    route = request.matched.route
    if begun is not None:
        opened, has_waited = begun.opened, begun.has_waited_in_vain
    elif route.attaches_token:
        opened = await forward.admit(request)
        if may_be_shared(request) and await forward.asking_once.serve(
            forward, request, send, limit=limit, browser=browser, opened=opened
        ):
            return
    if opened is not None and begun is None and not route.is_paced:
        has_waited = not forward.concurrency.try_acquire(opened.session.key)
        if has_waited:
            patience = parse_patience(request.fields.prefer)
            await forward.concurrency.acquire(opened.session.key, patience=patience)
    # Where a turn must be taken, the place is taken after it: else its queue would undo the budget's.
    place = None if opened is None or route.is_paced else opened.session.key
    try:
        if has_waited:
            opened = await forward.admit(request)  # it may have ended meanwhile
        await _exchange(forward, request, send, limit=limit, browser=browser, begun=begun, opened=opened)
    finally:
        if place is not None:
            forward.concurrency.release(place)


async def _exchange(
    forward: Forward,
    request: CallRequest,
    send: Send,
    *,
    limit: CallLimit,
    browser: BrowserConnection | None,
    begun: LaneCall | None,
    opened: OpenedSession | None,
) -> None:
    if request.body is not None:
        await request.body.read_ahead()
    limit.bound(request.matched.route.timeouts.total)
    sending = Sending(forward, request, limit, opened)
    if opened is None or request.method in SAFE_METHODS:
        answer = await sending.run(begun)
    else:
        async with forward.asking_once.writes.writing(opened, request) as answered:
            answer = await sending.run(begun)
            answered(answer.status)
    try:
        await Passing(forward, request, send, limit=limit, browser=browser).run(
            answer, tokens=sending.used, retry_after=sending.retry_after, opened=sending.opened
        )
    finally:
        answer.release()


def may_be_shared(request: CallRequest) -> bool:
    """Say whether others may be given the same answer, as far as the route and the method are concerned."""
    return request.matched.route.is_shared and request.method == "GET" and request.body is None


def _told(error: ResourceServerError, method: str) -> ResourceServerError:
    if isinstance(error, ResourceServerUnreachable | UpstreamFull | ResendRequired) or method in SAFE_METHODS:
        return error
    # lexoffice knows no idempotency keys: only a person can tell whether to send a write again.
    return type(error)("The call may have been performed.", log_detail=error.log_detail)
