"""`/auth/forward`: tells a proxy whether a call may pass, and gives it the access token to pass it with.

No token may reach a browser, and to the gateway a browser's own call looks like the proxy's question: both
come through the same proxy, from the same address. So a question counts only with a secret, which the proxy
adds to its questions and to nothing else; and only from the networks where proxies are, by the connection's
own address. Everybody else finds nothing here.

Which request it is about, the proxy says: nginx, Traefik and Caddy in a header field, Envoy by asking with
the method and path of the request. All that is said of the method counts, for a browser may have written
some of it: what it adds can make its request unsafe, and never safe.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING
from urllib.parse import quote

from gateway.browser.client_address import is_within
from gateway.browser.csrf import is_safe_method, judge_request
from gateway.errors import GatewayError, RequestInvalid, RouteUnknown, SessionRequired
from gateway.observability.exchange import exchange_of
from gateway.web.problems import LOGIN_URL

if TYPE_CHECKING:
    from collections.abc import Sequence
    from ipaddress import IPv4Network, IPv6Network

    from starlette.types import Receive, Scope, Send

    from gateway.sessions.opened import OpenedSessions
    from gateway.sessions.opened_session import OpenedSession
    from gateway.web.problems import Problems

    Headers = list[tuple[bytes, bytes]]

PATH = "/auth/forward"
_BELOW = f"{PATH}/"
_SECRET = b"x-lexgate-proxy-secret"
_METHODS = (b"x-original-method", b"x-forwarded-method")
_VISIBLE = "".join(map(chr, range(0x21, 0x7F))).replace("%", "")


def is_forward_auth(path: str) -> bool:
    """Say whether a path is this endpoint's: Envoy puts the path of the request it asks about behind it."""
    return path == PATH or path.startswith(_BELOW)


class ForwardAuth:
    """Plain ASGI inside AccessLog and Guard; every error is answered here, for the proxy to read."""

    def __init__(
        self,
        *,
        opened: OpenedSessions,
        problems: Problems,
        secrets: Sequence[str],
        proxies: Sequence[IPv4Network | IPv6Network],
        public_origin: str,
    ) -> None:
        self._opened = opened
        self._problems = problems
        self._secrets = [secret.encode() for secret in secrets]
        self._proxies = proxies
        self._public_origin = public_origin
        self._login_url = f"{public_origin}{LOGIN_URL}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one question: 200 with the token, or why not."""
        exchange_of(scope).route = PATH
        try:
            self._demand_proxy(scope)
            opened = await self._admit(scope)
        except GatewayError as error:
            response = self._problems.render(error, scope)
            response.headers.update(self._describe(error))
            await response(scope, receive, send)
            return
        except Exception as error:  # noqa: BLE001 - every error becomes an answer
            await self._problems.answer(error, scope, receive, send)
            return
        headers = [
            (b"authorization", opened.bearer),
            (b"x-lexgate-subject", write_subject(opened.session.subject)),
            (b"content-length", b"0"),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    def _describe(self, error: GatewayError) -> dict[str, str]:
        """Return what a proxy may want to know of a refusal; a stranger is told nothing more."""
        if isinstance(error, RouteUnknown):
            return {}
        if not isinstance(error, SessionRequired):
            return {"X-Lexgate-Code": error.code}
        return {
            "X-Lexgate-Code": error.code,
            "X-Lexgate-Reason": error.reason,
            "X-Lexgate-Login-Url": self._login_url,
        }

    def _demand_proxy(self, scope: Scope) -> None:
        """Raise RouteUnknown for whoever is no proxy: there is nothing here for a browser."""
        client = scope.get("client")
        given = _read(scope["headers"], _SECRET)
        # No early way out: the time tells nothing of the secrets.
        is_proven = [hmac.compare_digest(secret, given or b"") for secret in self._secrets]
        if client is None or not is_within(client[0], self._proxies) or not any(is_proven):
            raise RouteUnknown

    async def _admit(self, scope: Scope) -> OpenedSession:
        """Judge the request that the proxy asks about, and find its session."""
        headers: Headers = scope["headers"]
        methods = _read_methods(scope)
        for method in methods:
            judge_request(
                method=method,
                sec_fetch_site=_text(_read(headers, b"sec-fetch-site")),
                origin=_text(_read(headers, b"origin")),
                csrf_header=_text(_read(headers, b"x-csrf")),
                public_origin=self._public_origin,
            )
        cookies = [value for name, value in headers if name == b"cookie"]
        # What another process renewed a moment ago may still be remembered: a write shall not meet a 401.
        if len(cookies) == 1 and all(map(is_safe_method, methods)):
            opened = self._opened.find(cookies[0])
            if opened is not None:
                return opened
        return await self._opened.admit(headers, may_meet_401=False)


def write_subject(subject: str) -> bytes:
    """Write a subject for a header field: what is not visible ASCII, and "%", is percent-encoded."""
    return quote(subject, safe=_VISIBLE).encode("ascii")


def _read_methods(scope: Scope) -> set[str]:
    told = {value.decode("latin-1") for name, value in scope["headers"] if name in _METHODS}
    method: str = scope["method"]
    if scope["path"] != PATH or not is_safe_method(method):
        told.add(method)
    if not told:
        # nginx always asks by GET: unless it says more, a write would be judged as a read.
        raise RequestInvalid("Have the proxy send X-Original-Method.")
    return told


def _read(headers: Headers, name: bytes) -> bytes | None:
    values = [value for key, value in headers if key == name]
    # One that is given twice is equal to nothing.
    return b", ".join(values) if values else None


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")
