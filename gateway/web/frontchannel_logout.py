"""Sign-out by an iframe on the authorization server's page (OpenID Connect Front-Channel Logout 1.0)."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from starlette.responses import Response

from gateway.browser.cookie import SESSION_COOKIE, build_clear_cookie
from gateway.errors import RouteUnknown
from gateway.sessions.session import Session
from gateway.sessions.vault_lists import SessionsEnded

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.authorization_server import AuthorizationServer
    from gateway.sessions.authentication import Authentication
    from gateway.sessions.vault import Vault
    from gateway.web.endings import Endings


class FrontchannelLogout:
    """Ends this browser's own session, and only for `iss` and its `sid`: a GET that anybody can cause.

    The session cookie is SameSite=Strict: it comes, and something ends, only where the authorization server
    is of the same site as the app. Back-channel logout works everywhere.
    """

    def __init__(
        self,
        *,
        authorization_server: AuthorizationServer,
        authentication: Authentication,
        vault: Vault,
        endings: Endings,
        clock: Callable[[], float],
    ) -> None:
        self._authorization_server = authorization_server
        self._authentication = authentication
        self._vault = vault
        self._endings = endings
        self._clock = clock

    async def receive(self, request: Request) -> Response:
        """Answer 200 whether a session ended or not: who asks learns nothing."""
        if not self._authorization_server.expects_id_token:
            raise RouteUnknown
        response = Response(status_code=200, headers={"Cache-Control": "no-store"})
        session = await self._authentication.check(request.scope["headers"])
        if isinstance(session, Session) and self._is_meant(request, session):
            grant = await self._vault.end(session.key, reason="signed_out_elsewhere", now=self._clock())
            ended = SessionsEnded((session.key,), () if grant is None else (grant,))
            self._endings.revoke(ended)
            self._endings.note(request, ended, subject=session.subject)
            response.headers.append("Set-Cookie", build_clear_cookie(SESSION_COOKIE, same_site="Strict"))
        return response

    def _is_meant(self, request: Request, session: Session) -> bool:
        issuers, sids = (request.query_params.getlist(name) for name in ("iss", "sid"))
        # The sid is what a foreign page does not know: without it any page could sign people out (CSRF).
        if session.sid is None or len(sids) != 1:
            return False
        is_same = hmac.compare_digest(sids[0].encode(errors="replace"), session.sid.encode())
        return is_same and issuers == [self._authorization_server.name]


def build_frontchannel_logout_router(frontchannel_logout: FrontchannelLogout) -> APIRouter:
    """Build the route for the iframe."""
    router = APIRouter()

    @router.get("/auth/frontchannel-logout")
    async def receive(request: Request) -> Response:
        return await frontchannel_logout.receive(request)

    _ = receive
    return router
