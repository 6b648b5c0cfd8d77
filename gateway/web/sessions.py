"""The user's own sessions: a list of them, and an end for one or for all others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from gateway.browser.cookie import SESSION_COOKIE, build_clear_cookie
from gateway.errors import RouteUnknown, SessionRequired
from gateway.web.session import format_time, judge_browser

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Set as AbstractSet

    from gateway.sessions.authentication import Authentication
    from gateway.sessions.session import Session
    from gateway.sessions.vault import Vault
    from gateway.sessions.vault_lists import SessionsEnded
    from gateway.web.endings import Endings


class SessionList:
    """Shows and ends the sessions of whoever asks, of nobody else; nothing here slides a session."""

    def __init__(
        self,
        *,
        authentication: Authentication,
        vault: Vault,
        endings: Endings,
        public_origin: str,
        sibling_origins: AbstractSet[str],
        clock: Callable[[], float],
    ) -> None:
        self._authentication = authentication
        self._vault = vault
        self._endings = endings
        self._public_origin = public_origin
        self._sibling_origins = sibling_origins
        self._clock = clock

    async def show(self, request: Request) -> JSONResponse:
        """Answer all live sessions of the user, the last active one first."""
        own = await self._require(request)
        listed = await self._vault.list_for(own, now=self._clock())
        return _answer({"sessions": [self._describe(session, own) for session in listed]})

    async def end_one(self, request: Request, public_id: str) -> JSONResponse:
        """End one session by its id in the list, the asking one included; RouteUnknown for any other's."""
        own = await self._require(request)
        ended = await self._vault.end_listed(own, public_id, now=self._clock())
        if ended is None:
            raise RouteUnknown
        return self._answer_ended(request, own, ended)

    async def end_others(self, request: Request) -> JSONResponse:
        """End all sessions of the user but the asking one."""
        own = await self._require(request)
        return self._answer_ended(request, own, await self._vault.end_others(own, now=self._clock()))

    async def _require(self, request: Request) -> Session:
        judge_browser(request, self._public_origin, self._sibling_origins)
        session = await self._authentication.require(request.scope["headers"])
        grant = await self._vault.read_grant(session.grant_key)
        ended = "grant_ended" if grant is None else session.within(grant.tokens).why_ended(self._clock())
        if ended is not None:
            raise SessionRequired(ended)
        return session

    def _answer_ended(self, request: Request, own: Session, ended: SessionsEnded) -> JSONResponse:
        self._endings.revoke(ended)
        self._endings.note(request, ended, subject=own.subject, own_key=own.key)
        response = _answer({"ended": len(ended.keys)})
        if own.key in ended.keys:
            response.headers.append("Set-Cookie", build_clear_cookie(SESSION_COOKIE, same_site="Strict"))
        return response

    def _describe(self, session: Session, own: Session) -> dict[str, Any]:
        return {
            "id": self._vault.public_id(session),
            "current": session.key == own.key,
            "device": session.device,
            "address": session.address,
            "created_at": format_time(session.created_at),
            "last_seen_at": format_time(session.last_seen_at),
            "ends_at": format_time(session.ends_at),
        }


def build_sessions_router(session_list: SessionList) -> APIRouter:
    """Build the routes of the list."""
    router = APIRouter()

    @router.get("/auth/sessions")
    async def show(request: Request) -> JSONResponse:
        return await session_list.show(request)

    @router.delete("/auth/sessions")
    async def end_others(request: Request) -> JSONResponse:
        return await session_list.end_others(request)

    @router.delete("/auth/sessions/{public_id}")
    async def end_one(request: Request, public_id: str) -> JSONResponse:
        return await session_list.end_one(request, public_id)

    _ = show, end_others, end_one
    return router


def _answer(document: dict[str, Any]) -> JSONResponse:
    return JSONResponse(document, headers={"Cache-Control": "no-store"})
