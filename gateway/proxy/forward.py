"""The ASGI application under /api: judges a call and lets it through; the call itself is in call.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.browser.csrf import CSRF_HEADER, judge_request
from gateway.observability.exchange import exchange_of
from gateway.proxy.call import Call
from gateway.proxy.deadlines import Deadlines
from gateway.proxy.headers import validate_request_framing
from gateway.proxy.redaction import TokenRedactor
from gateway.proxy.request_body import RequestBody
from gateway.proxy.retry import RefusedTokens

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from starlette.types import Receive, Scope, Send

    from gateway.observability.metrics import Metrics
    from gateway.proxy.route import RouteTable
    from gateway.proxy.upstream import Upstream
    from gateway.sessions.opened import OpenedSessions

_CSRF_NAME = CSRF_HEADER.lower().encode()
_REMEMBERED = 1024


class Forward:
    """Plain ASGI; raises GatewayError for what it refuses, before an answer has begun.

    It writes down in the request's Exchange how the answer begins and what was sent of it, so that no layer
    around it has to look at each message.
    """

    def __init__(
        self,
        *,
        routes: RouteTable,
        upstream: Upstream,
        sessions: OpenedSessions,
        metrics: Metrics,
        public_origin: str,
        fields: Iterable[tuple[bytes, bytes]],
        clock: Callable[[], float],
    ) -> None:
        self._routes = routes
        self.upstream = upstream
        self.sessions = sessions
        self.metrics = metrics
        self._public_origin = public_origin
        self.fields = tuple(fields)
        """What every answer carries beside the resource server's own."""
        self.clock = clock
        self.refused = RefusedTokens()
        self.deadlines = Deadlines()
        self._accepted: set[tuple[bytes | str | None, ...]] = set()
        self._redactors: dict[bytes, TokenRedactor] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one call."""
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        fields = dict(headers)
        exchange = exchange_of(scope)
        exchange.route = "/api/*"
        self._judge(scope["method"], fields)
        matched = self._routes.match(
            method=scope["method"], raw_path=scope["raw_path"], query=scope["query_string"]
        )
        validate_request_framing(headers)
        call = Call(self, scope, send, exchange, matched)
        length = fields.get(b"content-length", None if b"transfer-encoding" in fields else b"0")
        body = None
        if length != b"0" or b"content-length" in fields:
            body = RequestBody(
                receive,
                content_length=None if length is None else int(length),
                limit=matched.route.body_limit,
            )
        await call.run(fields, body)

    def redactor(self, bearer: bytes) -> TokenRedactor:
        """Return what finds the token of an Authorization field's value; made once a token."""
        redactor = self._redactors.get(bearer)
        if redactor is None:
            if len(self._redactors) >= _REMEMBERED:
                self._redactors.clear()
            redactor = self._redactors[bearer] = TokenRedactor((bearer.removeprefix(b"Bearer "),))
        return redactor

    def _judge(self, method: str, fields: dict[bytes, bytes]) -> None:
        site, origin = fields.get(b"sec-fetch-site"), fields.get(b"origin")
        csrf_header = fields.get(_CSRF_NAME)
        judged = (method, site, origin, csrf_header)
        if judged in self._accepted:
            return
        judge_request(
            method=method,
            sec_fetch_site=_text(site),
            origin=_text(origin),
            csrf_header=_text(csrf_header),
            public_origin=self._public_origin,
        )
        if len(self._accepted) < _REMEMBERED:
            self._accepted.add(judged)


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")
