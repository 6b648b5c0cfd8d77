"""What the app asks of its own session: whether there is one, and a fresh access token ahead of need."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from gateway.browser.csrf import CSRF_HEADER, CSRF_VALUE, judge_request
from gateway.errors import SessionRequired
from gateway.sessions.vault import Ended
from gateway.web.problems import LOGIN_URL

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Set as AbstractSet

    from gateway.sessions.authentication import Authentication
    from gateway.sessions.refresh import Refresher
    from gateway.sessions.session import Grant, Session
    from gateway.sessions.vault import Vault

_FRESH_SECONDS = 10.0
"""Tokens younger than this are not refreshed again: no app can make the token endpoint its hammer."""
_CSRF = {CSRF_HEADER: CSRF_VALUE}


class CheckSession:
    """The check-session endpoint and the refresh on request."""

    def __init__(
        self,
        *,
        authentication: Authentication,
        vault: Vault,
        refresher: Refresher,
        public_origin: str,
        sibling_origins: AbstractSet[str],
        clock: Callable[[], float],
    ) -> None:
        self._authentication = authentication
        self._vault = vault
        self._refresher = refresher
        self._public_origin = public_origin
        self._sibling_origins = sibling_origins
        self._clock = clock

    async def show(self, request: Request) -> JSONResponse:
        """Answer the session document, always 200; it never slides the session."""
        judge_browser(request, self._public_origin, self._sibling_origins)
        found = await self._authentication.check(request.scope["headers"])
        if isinstance(found, Ended):
            return _answer(build_inactive_document(found.reason))
        grant = await self._vault.read_grant(found.grant_key)
        if grant is None:
            return _answer(build_inactive_document("grant_ended"))
        now = self._clock()
        ended = found.within(grant.tokens).why_ended(now)
        if ended is not None:
            return _answer(build_inactive_document(ended))
        return _answer(build_session_document(found, grant, now=now))

    async def refresh(self, request: Request) -> JSONResponse:
        """Refresh the access token now, slide the session, and answer the session document."""
        judge_browser(request, self._public_origin, self._sibling_origins)
        session = await self._authentication.require(request.scope["headers"])
        session = await self._vault.keep_alive(session, now=self._clock())
        grant = await self._vault.read_grant(session.grant_key)
        if grant is None:
            raise SessionRequired("grant_ended")
        if self._clock() - grant.tokens.refreshed_at >= _FRESH_SECONDS:
            try:
                grant = await self._refresher.replaced_grant(grant)
            except SessionRequired as error:
                raise await self._authentication.explain(error, request.scope["headers"]) from error
        return _answer(build_session_document(session, grant, now=self._clock()))


def judge_browser(
    request: Request, public_origin: str, sibling_origins: AbstractSet[str], *, header_required: bool = True
) -> None:
    """Refuse a request that did not provably come from one of the app's origins; raises CrossSiteRefused."""
    headers = request.headers
    judge_request(
        method=request.method,
        sec_fetch_site=headers.get("sec-fetch-site"),
        origin=headers.get("origin"),
        csrf_header=headers.get(CSRF_HEADER),
        public_origin=public_origin,
        sibling_origins=sibling_origins,
        header_required=header_required,
    )


def build_session_document(session: Session, grant: Grant, *, now: float) -> dict[str, Any]:
    """Build the document of a live session: times as RFC 3339 text, and in seconds from now beside them."""
    session = session.within(grant.tokens)
    return {
        "active": True,
        "subject": session.subject,
        "claims": dict(session.claims),
        "csrf_header": _CSRF,
        "session": {
            "created_at": format_time(session.created_at),
            "ends_at": format_time(session.ends_at),
            "idle_at": format_time(session.idle_at),
            "ends_in_seconds": max(0, int(session.ends_at - now)),
            "idle_in_seconds": max(0, int(session.idle_at - now)),
        },
        "tokens": {
            "expires_at": format_time(grant.tokens.expires_at),
            "refreshed_at": format_time(grant.tokens.refreshed_at),
            "expires_in_seconds": max(0, int(grant.tokens.expires_at - now)),
            "generation": grant.generation,
        },
    }


def build_inactive_document(reason: str) -> dict[str, Any]:
    """Build the document that says why there is no session, and where one begins."""
    return {"active": False, "reason": reason, "login_url": LOGIN_URL, "csrf_header": _CSRF}


def build_session_router(check_session: CheckSession) -> APIRouter:
    """Build the routes of the session."""
    router = APIRouter()

    @router.get("/auth/session")
    async def show(request: Request) -> JSONResponse:
        return await check_session.show(request)

    @router.post("/auth/session/refresh")
    async def refresh(request: Request) -> JSONResponse:
        return await check_session.refresh(request)

    _ = show, refresh
    return router


def _answer(document: dict[str, Any]) -> JSONResponse:
    return JSONResponse(document, headers={"Cache-Control": "no-store"})


def format_time(seconds: float) -> str:
    """Write seconds since the epoch as RFC 3339 text in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
