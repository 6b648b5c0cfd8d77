"""Sign-out by word of the authorization server (OpenID Connect Back-Channel Logout 1.0)."""

from __future__ import annotations

import hashlib
import logging
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from gateway.errors import AuthorizationServerError, LogoutTokenInvalid, RouteUnknown, StoreError
from gateway.observability.exchange import exchange_of
from gateway.sessions.session import framed

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.authorization_server import AuthorizationServer
    from gateway.errors import GatewayError
    from gateway.oauth.logout_token import LogoutToken
    from gateway.observability.metrics import Metrics
    from gateway.sessions.vault import Vault
    from gateway.sessions.vault_lists import SessionsEnded
    from gateway.web.endings import Endings

_LOGGER = logging.getLogger(__name__)
_BODY_LIMIT = 65_536
_NO_STORE = {"Cache-Control": "no-store"}


class BackchannelLogout:
    """Ends sessions for a logout token; no cookie and no CSRF check, for no browser is part of it."""

    def __init__(
        self,
        *,
        authorization_server: AuthorizationServer,
        vault: Vault,
        endings: Endings,
        metrics: Metrics,
        clock: Callable[[], float],
    ) -> None:
        self._authorization_server = authorization_server
        self._vault = vault
        self._endings = endings
        self._metrics = metrics
        self._clock = clock

    async def receive(self, request: Request) -> Response:
        """Answer 200 when the sessions have ended or there were none, else 400 as §2.8 demands."""
        if not self._authorization_server.expects_id_token:
            raise RouteUnknown
        try:
            token = await self._authorization_server.validate_logout_token(await _read_token(request))
            await self._refuse_replay(token)
            ended = await self._end(token)
            self._endings.revoke(ended)
            self._endings.note(request, ended, subject=token.subject)
            await self._spend(token)
        except LogoutTokenInvalid as error:
            return _refuse(request, error, "invalid_request")
        except (AuthorizationServerError, StoreError) as error:
            if isinstance(error, StoreError):
                self._metrics.count_store_error()
            return _refuse(request, error, "temporarily_unavailable")
        return Response(status_code=200, headers=_NO_STORE)

    async def _refuse_replay(self, token: LogoutToken) -> None:
        # Who has seen a logout token must not sign the same person out again after the next sign-in (replay).
        if await self._vault.spent_until(_spent_key(token), now=self._clock()) is not None:
            raise LogoutTokenInvalid(log_detail="jti came before")

    async def _spend(self, token: LogoutToken) -> None:
        # After the sessions, not before: had the store failed in between, the authorization server's own
        # repetition would be taken for a replay, and the sessions would live on. Of two that come at the same
        # moment both are let through: they end the same sessions.
        await self._vault.spend_once(_spent_key(token), expires_at=token.usable_until, now=self._clock())

    async def _end(self, token: LogoutToken) -> SessionsEnded:
        now = self._clock()
        if token.sid is not None:
            return await self._vault.end_by_sid(issuer=token.issuer, sid=token.sid, now=now)
        return await self._vault.end_by_subject(
            issuer=token.issuer,
            client_id=self._authorization_server.client_id,
            subject=token.subject or "",
            now=now,
        )


def build_backchannel_logout_router(backchannel_logout: BackchannelLogout) -> APIRouter:
    """Build the route that the authorization server calls."""
    router = APIRouter()

    @router.post("/auth/backchannel-logout")
    async def receive(request: Request) -> Response:
        return await backchannel_logout.receive(request)

    _ = receive
    return router


def _spent_key(token: LogoutToken) -> bytes:
    return hashlib.sha256(b"logout token" + framed(token.issuer, token.jti)).digest()


async def _read_token(request: Request) -> str:
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/x-www-form-urlencoded":
        raise LogoutTokenInvalid(log_detail="not a form")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _BODY_LIMIT:
            raise LogoutTokenInvalid(log_detail="too large")
    values = [value for name, value in parse_qsl(body.decode("latin-1")) if name == "logout_token"]
    if len(values) != 1:
        raise LogoutTokenInvalid(log_detail="not exactly one logout_token")
    return values[0]


def _refuse(request: Request, error: GatewayError, code: str) -> JSONResponse:
    fields = {
        "code": error.code,
        "detail": error.log_detail,
        "request_id": exchange_of(request.scope).request_id,
    }
    _LOGGER.warning("a back-channel logout failed", extra={"fields": fields})
    return JSONResponse({"error": code, "error_description": error.title}, 400, headers=_NO_STORE)
