"""Sign-out: the session ends here first, whatever the authorization server says to it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from gateway.browser.cookie import SESSION_COOKIE, build_clear_cookie
from gateway.browser.return_to import build_return_url, validate_return_to
from gateway.errors import AuthorizationServerError, RecordUnreadable, RequestInvalid
from gateway.oauth.logout import build_logout_url
from gateway.observability.exchange import exchange_of
from gateway.sessions.session import Session
from gateway.sessions.vault_lists import SessionsEnded
from gateway.web.session import judge_browser

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Set as AbstractSet

    from gateway.authorization_server import AuthorizationServer
    from gateway.observability.audit import Audit
    from gateway.observability.metrics import Metrics
    from gateway.sessions.authentication import Authentication
    from gateway.sessions.keyring import Keyring
    from gateway.sessions.vault import Vault
    from gateway.web.endings import Endings
    from gateway.web.sign_out_return import SignOutReturn

_PATIENCE = 3.0
"""Seconds that a person waits for the authorization server at most; the revocation goes on after them."""


class SignOut:
    """Ends a session, or all of its user's; revokes what tokens that leaves, and says where to go on."""

    def __init__(  # noqa: PLR0913 - every argument is named
        self,
        *,
        authorization_server: AuthorizationServer,
        authentication: Authentication,
        vault: Vault,
        keyring: Keyring,
        endings: Endings,
        audit: Audit,
        metrics: Metrics,
        public_url: str,
        sibling_origins: AbstractSet[str],
        way_back: SignOutReturn,
        id_token_hint: bool,
        clock: Callable[[], float],
    ) -> None:
        self._authorization_server = authorization_server
        self._authentication = authentication
        self._vault = vault
        self._keyring = keyring
        self._endings = endings
        self._audit = audit
        self._metrics = metrics
        self._public_url = public_url
        self._sibling_origins = sibling_origins
        self._way_back = way_back
        self._id_token_hint = id_token_hint
        self._clock = clock

    async def sign_out(self, request: Request) -> Response:
        """Answer JSON with `logout_url` (or null); a form is sent there, or to the app.

        With `?everywhere=true` all sessions of the user end; SessionRequired without a live one to say whose.
        `?return_to=` is the path of the app to which the authorization server's page leads back in the end.
        """
        is_form = _is_form(request)
        # A form cannot set a header; it is held to Fetch metadata or Origin alone.
        judge_browser(request, self._public_url, self._sibling_origins, header_required=not is_form)
        returns = request.query_params.getlist("return_to")
        return_to = validate_return_to(returns[0] if len(returns) == 1 else None, self._sibling_origins)
        hint = await self._end_asked(request)
        logout_url = await self._logout_url(return_to, hint)
        response: Response
        if is_form:
            response = RedirectResponse(logout_url or build_return_url(return_to, self._public_url), 303)
        else:
            response = JSONResponse({"logout_url": logout_url})
        response.headers["Cache-Control"] = "no-store"
        # Not "cookies": that would clear those of every host of the site, which are not ours.
        response.headers["Clear-Site-Data"] = '"cache", "storage"'
        response.headers.append("Set-Cookie", build_clear_cookie(SESSION_COOKIE, same_site="Strict"))
        return response

    async def _end_asked(self, request: Request) -> str | None:
        """End what the request asks for; returns the hint for the authorization server, if there is one."""
        if _is_everywhere(request):
            return (await self._end_everywhere(request)).id_token
        key = self._authentication.presented_key(request.scope["headers"])
        if key is None:
            return None
        hint = await self._read_hint(key) if self._id_token_hint else None
        await self._end(request, key)
        return hint

    async def _read_hint(self, key: bytes) -> str | None:
        try:
            session = await self._vault.read(key, now=self._clock())
        except RecordUnreadable:
            return None  # it ends all the same
        return session.id_token if isinstance(session, Session) else None

    async def _end(self, request: Request, key: bytes) -> None:
        grant = await self._vault.end(key, reason="signed_out", now=self._clock())
        ended = SessionsEnded((key,), () if grant is None else (grant,))
        await self._conclude(request, ended, key=key, subject=grant.subject if grant else None)

    async def _end_everywhere(self, request: Request) -> Session:
        # Only a live session proves whose others are to end; without one the answer must not be a success.
        session = await self._authentication.require(request.scope["headers"])
        ended = await self._vault.end_all(session, now=self._clock())
        others = SessionsEnded(tuple(key for key in ended.keys if key != session.key))
        self._endings.note(request, others, subject=session.subject)
        await self._conclude(request, ended, key=session.key, subject=session.subject)
        return session

    async def _conclude(
        self, request: Request, ended: SessionsEnded, *, key: bytes, subject: str | None
    ) -> None:
        revoked = await self._revoke(ended)
        exchange = exchange_of(request.scope)
        self._metrics.count_session_end("signed_out")
        self._audit.sign_out(
            "success" if revoked else "failure",
            code=None if revoked else "revocation_unconfirmed",
            session=self._keyring.label(key),
            subject=subject,
            address=exchange.address,
            request_id=exchange.request_id,
        )

    async def _revoke(self, ended: SessionsEnded) -> bool:
        tasks = self._endings.revoke(ended)
        if tasks:
            await asyncio.wait(tasks, timeout=_PATIENCE)
        return all(task.done() and task.result() for task in tasks)

    async def _logout_url(self, return_to: str, hint: str | None) -> str | None:
        try:
            metadata = await asyncio.wait_for(self._authorization_server.metadata(), _PATIENCE)
        except (AuthorizationServerError, TimeoutError):
            return None
        if metadata.end_session_endpoint is None:
            return None
        return build_logout_url(
            metadata.end_session_endpoint,
            client_id=self._authorization_server.client_id,
            post_logout_redirect_uri=self._way_back.redirect_uri,
            state=self._way_back.new_state(return_to),
            id_token_hint=hint if self._id_token_hint else None,
        )


def build_logout_router(sign_out: SignOut) -> APIRouter:
    """Build the route of the sign-out."""
    router = APIRouter()

    @router.post("/auth/logout")
    async def logout(request: Request) -> Response:
        return await sign_out.sign_out(request)

    _ = logout
    return router


def _is_everywhere(request: Request) -> bool:
    values = request.query_params.getlist("everywhere")
    if values not in ([], ["true"], ["false"]):
        raise RequestInvalid("everywhere is true or false.")
    return values == ["true"]


def _is_form(request: Request) -> bool:
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return content_type == "application/x-www-form-urlencoded"
