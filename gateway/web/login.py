"""Sign-in, its first half: the redirect to the authorization server, with the attempt in a cookie."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse

from gateway.browser.csrf import judge_navigation
from gateway.browser.login_attempt import LoginAttempt
from gateway.browser.return_to import validate_sign_in_return_to
from gateway.oauth.authorization import (
    build_authorization_url,
    new_nonce,
    new_state,
    validate_login_parameters,
)
from gateway.oauth.pkce import build_code_challenge, new_code_verifier
from gateway.observability.exchange import exchange_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Set as AbstractSet

    from gateway.authorization_server import AuthorizationServer
    from gateway.sessions.authentication import Authentication
    from gateway.web.attempt_cookies import AttemptCookies


class Login:
    """The authorization requests of one client, with PKCE, to one authorization server."""

    def __init__(
        self,
        *,
        authorization_server: AuthorizationServer,
        attempts: AttemptCookies,
        authentication: Authentication,
        redirect_uri: str,
        scope: str,
        extra_parameters: dict[str, str],
        sibling_origins: AbstractSet[str],
        clock: Callable[[], float],
    ) -> None:
        self._authorization_server = authorization_server
        self._attempts = attempts
        self._authentication = authentication
        self._redirect_uri = redirect_uri
        self._scope = scope
        self._extra_parameters = extra_parameters
        self._sibling_origins = sibling_origins
        self._clock = clock

    async def begin(self, request: Request) -> RedirectResponse:
        """Send the browser to the authorization server, with the attempt sealed in a cookie of its own."""
        headers = request.headers
        judge_navigation(
            method=request.method,
            sec_fetch_mode=headers.get("sec-fetch-mode"),
            sec_fetch_dest=headers.get("sec-fetch-dest"),
            sec_purpose=headers.get("sec-purpose"),
        )
        returns = request.query_params.getlist("return_to")
        return_to = validate_sign_in_return_to(
            returns[0] if len(returns) == 1 else None, self._sibling_origins
        )
        exchange_of(request.scope).return_to = return_to
        parameters = validate_login_parameters(request.scope["query_string"])
        metadata = await self._authorization_server.metadata()
        attempt = self._new_attempt(request, return_to, parameters)
        location = build_authorization_url(
            metadata.authorization_endpoint,
            client_id=self._authorization_server.client_id,
            redirect_uri=self._redirect_uri,
            scope=self._scope,
            state=attempt.state,
            code_challenge=build_code_challenge(attempt.code_verifier),
            nonce=attempt.nonce,
            parameters={**self._extra_parameters, **parameters},
        )
        response = RedirectResponse(location, 302)
        for cookie in self._attempts.build(attempt, request.scope["headers"], now=self._clock()):
            response.headers.append("Set-Cookie", cookie)
        return response

    def _new_attempt(self, request: Request, return_to: str, parameters: dict[str, str]) -> LoginAttempt:
        # The callback is a cross-site navigation, to which the Strict session cookie does not come:
        # what it must know of the session that this sign-in replaces travels in the attempt.
        max_age = parameters.get("max_age")
        return LoginAttempt(
            state=new_state(),
            code_verifier=new_code_verifier(),
            nonce=new_nonce() if self._authorization_server.expects_id_token else None,
            return_to=return_to,
            created_at=self._clock(),
            previous_session=self._authentication.presented_key(request.scope["headers"]),
            max_age=None if max_age is None else int(max_age),
        )


def build_login_router(login: Login) -> APIRouter:
    """Build the route at which a sign-in begins."""
    router = APIRouter()

    @router.get("/auth/login")
    async def begin(request: Request) -> RedirectResponse:
        return await login.begin(request)

    _ = begin
    return router
