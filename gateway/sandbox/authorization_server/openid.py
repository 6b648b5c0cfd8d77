"""What the openid picture has beyond OAuth: discovery, keys, userinfo and logout."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from gateway.sandbox.authorization_server.logins import COOKIE
from gateway.sandbox.authorization_server.tokens import issuer_of, user_claims
from gateway.sandbox.pages.page import html
from gateway.sandbox.pages.sign_out import confirm_page, signed_out_page
from gateway.sandbox.pages.texts import language_of
from gateway.sandbox.scopes import OPENID

if TYPE_CHECKING:
    from starlette.requests import Request

    from gateway.sandbox.box import Sandbox


class OpenId:
    """The endpoints under the issuer's path."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def routes(self) -> list[Route]:
        """Everything but authorization, token and revocation endpoint."""
        return [
            Route("/openid/.well-known/openid-configuration", self.configuration),
            Route("/openid/jwks", self.jwks),
            Route("/openid/userinfo", self.userinfo, methods=["GET", "POST"]),
            Route("/openid/logout", self.logout, methods=["GET", "POST"]),
        ]

    async def configuration(self, _request: Request) -> Response:
        """Return the issuer's metadata."""
        self._sandbox.counters.events["discovery_requests"] += 1
        return JSONResponse(_metadata(issuer_of(self._sandbox.options)))

    async def jwks(self, _request: Request) -> Response:
        """Return the public keys."""
        self._sandbox.counters.events["jwks_requests"] += 1
        return JSONResponse(self._sandbox.keys.document(), headers={"Cache-Control": "public, max-age=60"})

    async def userinfo(self, request: Request) -> Response:
        """Claims of the person whose access token this is."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        connection = self._sandbox.grants.connection_of(token, now=self._sandbox.now())
        if scheme.lower() != "bearer" or connection is None or connection.client.picture != "openid":
            headers = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
            return JSONResponse({"error": "invalid_token"}, status_code=401, headers=headers)
        claims = {"sub": connection.user.id, **user_claims(connection.user, connection.scope)}
        return JSONResponse(claims, headers={"Cache-Control": "no-store"})

    async def logout(self, request: Request) -> Response:
        """End the person's login at the sandbox, asking first where the request proves nothing."""
        parameters = dict(request.query_params)
        if request.method == "POST":
            parameters |= parse_qsl((await request.body()).decode("utf-8", "replace"))
        hint = self._sandbox.keys.read(parameters.get("id_token_hint", "")) or {}
        cookie = request.cookies.get(COOKIE)
        language = language_of(request, parameters.get("ui_locales", ""))
        confirmed = request.method == "POST" and parameters.get("confirmed") == "yes"
        if self._sandbox.logins.find(cookie) and hint.get("sid") != cookie and not confirmed:
            return html(confirm_page(language, parameters), form_action=self._return_url(parameters, hint))
        self._sandbox.logins.sign_out(cookie)
        self._sandbox.counters.events["sign_outs"] += 1
        answer = self._left(language, parameters, hint)
        answer.delete_cookie(COOKIE, path="/")
        return answer

    def _left(self, language: str, parameters: dict[str, str], hint: dict[str, Any]) -> Response:
        url = self._return_url(parameters, hint)
        return RedirectResponse(url, status_code=303) if url else html(signed_out_page(language))

    def _return_url(self, parameters: dict[str, str], hint: dict[str, Any]) -> str | None:
        """Return the registered address to go back to; others are ignored (open redirector)."""
        client = self._sandbox.clients.find(parameters.get("client_id") or hint.get("aud"), "openid")
        uri = parameters.get("post_logout_redirect_uri", "")
        if client is None or uri not in client.post_logout_redirect_uris:
            return None
        state = parameters.get("state")
        return f"{uri}{'&' if '?' in uri else '?'}{urlencode({'state': state})}" if state else uri


def _metadata(issuer: str) -> dict[str, Any]:
    methods = ["client_secret_basic", "client_secret_post", "none"]
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "revocation_endpoint": f"{issuer}/revoke",
        "userinfo_endpoint": f"{issuer}/userinfo",
        "end_session_endpoint": f"{issuer}/logout",
        "jwks_uri": f"{issuer}/jwks",
        "scopes_supported": list(OPENID),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_methods_supported": methods,
        "code_challenge_methods_supported": ["S256"],
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "claims_supported": ["sub", "sid", "auth_time", "name", "given_name", "family_name", "email"],
        "ui_locales_supported": ["de", "en"],
        "authorization_response_iss_parameter_supported": True,
    }
