"""Sign-in, its second half: what happens when the browser comes back from the authorization server."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from starlette.responses import Response  # noqa: TC002 - FastAPI reads the annotation

from gateway.browser.cookie import SESSION_COOKIE, build_set_cookie
from gateway.browser.device import describe_device
from gateway.browser.login_attempt import LOGIN_ATTEMPT_LIFETIME, validate_login_attempt
from gateway.errors import AuthorizationResponseSpent, GatewayError
from gateway.oauth.authorization import parse_authorization_response, validate_authorization_response
from gateway.observability.exchange import exchange_of
from gateway.sessions.refreshed_tokens import build_tokens
from gateway.web.onward import send_on
from gateway.web.session_policy import build_ceilings

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.authorization_server import AuthorizationServer
    from gateway.browser.cookie import SessionCookie
    from gateway.browser.login_attempt import LoginAttempt
    from gateway.oauth.authorization import AuthorizationCode
    from gateway.oauth.identity import Identity
    from gateway.oauth.token import TokenResponse
    from gateway.observability.audit import Audit
    from gateway.observability.metrics import Metrics
    from gateway.sessions.keyring import Keyring
    from gateway.sessions.session import Session
    from gateway.sessions.vault import Vault
    from gateway.web.attempt_cookies import AttemptCookies
    from gateway.web.revocation import Revocation
    from gateway.web.session_policy import SessionPolicy


class Callback:
    """Makes sessions of the authorization responses that come in answer to this client's requests.

    `charge` is told the keys of grant and session of each sign-in that has asked the resource server for the
    profile.
    """

    def __init__(  # noqa: PLR0913 - where a session begins all the rooms meet; every argument is named
        self,
        *,
        authorization_server: AuthorizationServer,
        vault: Vault,
        keyring: Keyring,
        attempts: AttemptCookies,
        session_cookie: SessionCookie,
        revocation: Revocation,
        audit: Audit,
        metrics: Metrics,
        policy: SessionPolicy,
        charge: Callable[[bytes, bytes], None] | None,
        clock: Callable[[], float],
    ) -> None:
        self._authorization_server = authorization_server
        self._vault = vault
        self._keyring = keyring
        self._attempts = attempts
        self._session_cookie = session_cookie
        self._revocation = revocation
        self._audit = audit
        self._metrics = metrics
        self._policy = policy
        self._charge = charge
        self._clock = clock

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


def build_callback_router(callback: Callback) -> APIRouter:
    """Build the route at which a sign-in ends."""
    router = APIRouter()

    @router.get("/auth/callback")
    async def complete(request: Request) -> Response:
        return await callback.complete(request)

    _ = complete
    return router
