"""The ASGI application under /api: judges a call and lets it through; the call itself is in call.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from gateway.browser.csrf import CSRF_VALUE, judge_request
from gateway.observability.exchange import exchange_of
from gateway.proxy.browser_connection import browser_connection_of
from gateway.proxy.call import CallRequest, run_call
from gateway.proxy.deadlines import Deadlines
from gateway.proxy.lane import call_under_way
from gateway.proxy.redaction import build_redactor
from gateway.proxy.request_body import RequestBody
from gateway.proxy.request_fields import read_request_fields
from gateway.proxy.retry import RefusedTokens

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Set as AbstractSet

    from starlette.types import Receive, Scope, Send

    from gateway.observability.metrics import Metrics
    from gateway.proxy.asking_once import AskingOnce
    from gateway.proxy.browser_connection import Remembered
    from gateway.proxy.budget import Budget
    from gateway.proxy.concurrency import SessionConcurrency
    from gateway.proxy.own_fields import OwnFields
    from gateway.proxy.redaction import TokenRedactor
    from gateway.proxy.request_fields import RequestFields
    from gateway.proxy.route import RouteTable
    from gateway.proxy.upstream import Upstream
    from gateway.sessions.opened import OpenedSessions
    from gateway.sessions.opened_session import OpenedSession

_REMEMBERED = 1024
_REMEMBERED_BYTES = 8192
_ANY_ROUTE = "/api/*"
_CSRF = CSRF_VALUE.encode()


class _Remembering(Protocol):
    @property
    def remembered(self) -> Remembered | None: ...

    @remembered.setter
    def remembered(self, remembered: Remembered | None) -> None: ...


class Forward:
    """Plain ASGI; raises GatewayError for what it refuses, before an answer has begun.

    It writes down in the request's Exchange how the answer begins and what was sent of it, so that no layer
    around it has to look at each message.
    """

    def __init__(  # noqa: PLR0913 - the parts that a call needs; all are named
        self,
        *,
        routes: RouteTable,
        upstream: Upstream,
        sessions: OpenedSessions,
        metrics: Metrics,
        public_origin: str,
        sibling_origins: AbstractSet[str],
        own_fields: OwnFields,
        concurrency: SessionConcurrency,
        asking_once: AskingOnce,
        budget: Budget | None,
        clock: Callable[[], float],
    ) -> None:
        self.routes = routes
        self.upstream = upstream
        self.sessions = sessions
        self.metrics = metrics
        self._public_origin = public_origin
        self._sibling_origins = sibling_origins
        self.long_way_origins = frozenset(origin.encode("ascii") for origin in sibling_origins)
        """Whose answers carry more fields than the lane writes."""
        self.own_fields = own_fields
        self.concurrency = concurrency
        self.asking_once = asking_once
        self.budget = budget
        self.clock = clock
        self.refused = RefusedTokens()
        self.deadlines = Deadlines()
        self._accepted: set[tuple[str | bytes | bool | None, ...]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one call."""
        exchange = exchange_of(scope)
        exchange.route = _ANY_ROUTE
        browser = browser_connection_of(scope)
        fields = self.read_fields(scope["headers"], browser)
        self.judge(scope["method"], fields)
        matched = self.routes.match(
            method=scope["method"], raw_path=scope["raw_path"], query=scope["query_string"]
        )
        exchange.route = matched.route.template
        body = None
        if fields.length != 0:
            body = RequestBody(receive, content_length=fields.length, limit=matched.route.body_limit)
        request = CallRequest(scope["method"], scope["headers"], fields, matched, body, exchange)
        await run_call(self, request, send, browser=browser, begun=call_under_way(scope))

    @staticmethod
    def read_fields(headers: list[tuple[bytes, bytes]], browser: _Remembering | None) -> RequestFields:
        """Read the fields, unless the request before on the same connection had the very same ones."""
        if browser is None:
            return read_request_fields(headers)
        known = browser.remembered
        if known is not None and known[0] == headers:
            return known[1]
        fields = read_request_fields(headers)
        # A large head is not worth its memory, once for every connection.
        if len(fields.passed) + len(fields.cookie or b"") <= _REMEMBERED_BYTES:
            browser.remembered = (headers, fields)
        return fields

    async def admit(self, request: CallRequest) -> OpenedSession:
        """Find the session of a call in memory, or have it opened; raises as OpenedSessions.admit does."""
        may_meet_401 = request.body is None or request.body.is_stated_small
        # A memory of the last second's tokens will not do for what cannot be sent again.
        cookie = request.fields.cookie if may_meet_401 else None
        opened = None if cookie is None else self.sessions.find(cookie)
        return opened or await self.sessions.admit(request.headers, may_meet_401=may_meet_401)

    @staticmethod
    def redactor(opened: OpenedSession) -> TokenRedactor:
        """Return what finds the session's token in answers; made once a session."""
        redactor: TokenRedactor | None = opened.redactor
        if redactor is None:
            redactor = opened.redactor = build_redactor([opened.bearer])
        return redactor

    def judge(self, method: str, fields: RequestFields) -> None:
        """Raise CrossSiteRefused for a request that did not come from the app."""
        # Of the header nothing but this counts; what a browser may write there at will is not remembered.
        judged = (method, fields.site, fields.origin, fields.csrf == _CSRF)
        if judged in self._accepted:
            return
        judge_request(
            method=method,
            sec_fetch_site=_text(fields.site),
            origin=_text(fields.origin),
            csrf_header=_text(fields.csrf),
            public_origin=self._public_origin,
            sibling_origins=self._sibling_origins,
        )
        if len(self._accepted) < _REMEMBERED:
            self._accepted.add(judged)


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")
