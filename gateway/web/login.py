"""Sign-in: the redirect to the authorization server, and what happens when the browser comes back."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from gateway.browser.cookie import SESSION_COOKIE, build_set_cookie
from gateway.browser.csrf import judge_navigation
from gateway.browser.device import describe_device
from gateway.browser.login_attempt import LOGIN_ATTEMPT_LIFETIME, LoginAttempt, validate_login_attempt
from gateway.browser.return_to import validate_sign_in_return_to
from gateway.errors import AuthorizationResponseSpent, GatewayError
from gateway.oauth.authorization import (
    build_authorization_url,
    new_nonce,
    new_state,
    parse_authorization_response,
    validate_authorization_response,
    validate_login_parameters,
)
from gateway.oauth.pkce import build_code_challenge, new_code_verifier
from gateway.observability.exchange import exchange_of
from gateway.sessions.refreshed_tokens import build_tokens
from gateway.web.onward import send_on
from gateway.web.session_policy import build_ceilings

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Set as AbstractSet

    from gateway.authorization_server import AuthorizationServer
    from gateway.browser.cookie import SessionCookie
    from gateway.oauth.authorization import AuthorizationCode
    from gateway.oauth.identity import Identity
    from gateway.oauth.token import TokenResponse
    from gateway.observability.audit import Audit
    from gateway.observability.metrics import Metrics
    from gateway.sessions.authentication import Authentication
    from gateway.sessions.keyring import Keyring
    from gateway.sessions.session import Session
    from gateway.sessions.vault import Vault
    from gateway.web.attempt_cookies import AttemptCookies
    from gateway.web.revocation import Revocation
    from gateway.web.session_policy import SessionPolicy


class SignIn:
    """The authorization code flow with PKCE, for one client at one authorization server.

    `charge` is told the keys of grant and session of each sign-in that has asked the resource server for the
    profile.
    """

    def __init__(  # noqa: PLR0913 - the sign-in is where all the rooms meet; every argument is named
        self,
        *,
        authorization_server: AuthorizationServer,
        vault: Vault,
        keyring: Keyring,
        attempts: AttemptCookies,
        session_cookie: SessionCookie,
        authentication: Authentication,
        revocation: Revocation,
        audit: Audit,
        metrics: Metrics,
        redirect_uri: str,
        scope: str,
        extra_parameters: dict[str, str],
        policy: SessionPolicy,
        sibling_origins: AbstractSet[str],
        charge: Callable[[bytes, bytes], None] | None,
        clock: Callable[[], float],
    ) -> None:
        self._authorization_server = authorization_server
        self._vault = vault
        self._keyring = keyring
        self._attempts = attempts
        self._session_cookie = session_cookie
        self._authentication = authentication
        self._revocation = revocation
        self._audit = audit
        self._metrics = metrics
        self._redirect_uri = redirect_uri
        self._scope = scope
        self._extra_parameters = extra_parameters
        self._policy = policy
        self._sibling_origins = sibling_origins
        self._charge = charge
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

    async def complete(self, request: Request) -> Response:
        """Turn the authorization response into a session; raises what failed, having ended nothing."""
        try:
            return await self._complete(request)
        except GatewayError as error:
            exchange = exchange_of(request.scope)
            self._metrics.count_sign_in(error.code)
            self._audit.sign_in(
                "failure", code=error.code, address=exchange.address, request_id=exchange.request_id
            )
            raise

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

    async def _complete(self, request: Request) -> Response:
        response = parse_authorization_response(request.scope["query_string"])
        attempt = self._attempts.find(response.state, request.scope["headers"])
        exchange_of(request.scope).return_to = attempt.return_to
        now = self._clock()
        validate_login_attempt(attempt, now=now)
        metadata = await self._authorization_server.metadata()
        code = validate_authorization_response(
            response,
            state=attempt.state,
            issuer=metadata.issuer,
            iss_required=metadata.iss_parameter_supported,
        )
        # RFC 9700 §4.7: the state counts once. A code that is sent twice would end what the first use began.
        spent_key = hashlib.sha256(b"authorization response" + attempt.state.encode()).digest()
        expires_at = attempt.created_at + LOGIN_ATTEMPT_LIFETIME + 60
        if not await self._vault.spend_once(spent_key, expires_at=expires_at, now=now):
            raise AuthorizationResponseSpent
        return await self._sign_in(request, attempt, code)

    async def _sign_in(self, request: Request, attempt: LoginAttempt, code: AuthorizationCode) -> Response:
        tokens = await self._authorization_server.exchange_code(code, code_verifier=attempt.code_verifier)
        try:
            identity = await self._authorization_server.identify(
                tokens, nonce=attempt.nonce, max_age=attempt.max_age
            )
            session_id, session = await self._begin_session(request, attempt, identity, tokens)
        except BaseException:
            # Nobody will ever use these tokens: they must not live on at the authorization server.
            self._revocation.begin_unheld(build_tokens(tokens, now=self._clock()))
            raise
        self._note(request, session)
        if self._charge is not None:
            self._charge(session.grant_key, session.key)
        response = send_on(attempt.return_to, status=302)
        response.headers.append(
            "Set-Cookie",
            build_set_cookie(
                SESSION_COOKIE, self._session_cookie.sign(session_id), same_site="Strict", max_age=None
            ),
        )
        response.headers.append("Set-Cookie", self._attempts.build_clear(attempt))
        return response

    async def _begin_session(
        self, request: Request, attempt: LoginAttempt, identity: Identity, tokens: TokenResponse
    ) -> tuple[str, Session]:
        now, policy = self._clock(), self._policy
        issuer, client_id = self._authorization_server.name, self._authorization_server.client_id
        connection_id = policy.connection_of(identity)
        session_id = self._vault.new_session_id(
            issuer=issuer, client_id=client_id, subject=identity.subject, connection_id=connection_id
        )
        session, replaced = await self._vault.begin(
            session_id=session_id,
            issuer=issuer,
            client_id=client_id,
            subject=identity.subject,
            connection_id=connection_id,
            claims=identity.claims,
            tokens=policy.tokens_of(tokens, identity, now=now),
            replaces=attempt.previous_session,
            now=now,
            device=describe_device(request.headers.get("user-agent")),
            address=policy.address_of(exchange_of(request.scope).address),
            sid=policy.sid_of(identity),
            ceilings=build_ceilings(identity, max_age=attempt.max_age, now=now),
            id_token=tokens.id_token if policy.keeps_id_token else None,
        )
        if replaced is not None:
            self._revocation.begin(replaced)
        return session_id, session

    def _note(self, request: Request, session: Session) -> None:
        exchange = exchange_of(request.scope)
        self._metrics.count_sign_in("success")
        self._audit.sign_in(
            "success",
            session=self._keyring.label(session.key),
            subject=session.subject,
            address=exchange.address,
            request_id=exchange.request_id,
        )


def build_login_router(sign_in: SignIn) -> APIRouter:
    """Build the routes of the sign-in."""
    router = APIRouter()

    @router.get("/auth/login")
    async def login(request: Request) -> RedirectResponse:
        return await sign_in.begin(request)

    @router.get("/auth/callback")
    async def callback(request: Request) -> Response:
        return await sign_in.complete(request)

    _ = login, callback
    return router
