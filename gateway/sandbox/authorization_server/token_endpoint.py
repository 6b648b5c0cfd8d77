"""The token and the revocation endpoint of both pictures."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.sandbox.authorization_server.refusals import TokenRefusal
from gateway.sandbox.authorization_server.tokens import id_token_claims, token_response
from gateway.sandbox.broken import BrokenResponse

if TYPE_CHECKING:
    from starlette.requests import Request

    from gateway.sandbox.authorization_server.clients import Client, Picture
    from gateway.sandbox.authorization_server.grants import Connection
    from gateway.sandbox.box import Sandbox

_NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_LIMIT = 64 * 1024


class TokenEndpoint:
    """Answers for one picture."""

    def __init__(self, sandbox: Sandbox, picture: Picture) -> None:
        self._sandbox = sandbox
        self._picture: Picture = picture

    def routes(self, prefix: str) -> list[Route]:
        """Return the endpoints under a path."""
        return [
            Route(f"{prefix}/token", self.token, methods=["POST"]),
            Route(f"{prefix}/revoke", self.revoke, methods=["POST"]),
        ]

    async def token(self, request: Request) -> Response:
        """Exchanges a code or a refresh token."""
        counters = self._sandbox.counters
        grant_type = ""
        try:
            form = await _parse_form(request)
            grant_type = form.get("grant_type", "")
            counters.token_requests[grant_type] += 1
            broken = await self._struck(grant_type)
            if broken is not None:
                return broken
            connection = self._granted(request, form, grant_type)
        except TokenRefusal as refusal:
            counters.token_errors[refusal.error] += 1
            return _refused(refusal)
        counters.token_answers[grant_type] += 1
        return self._answer(connection, refreshed=grant_type == "refresh_token")

    async def revoke(self, request: Request) -> Response:
        """End a connection; an unknown token is no error (RFC 7009 §2.2)."""
        try:
            form = await _parse_form(request)
            client = self._client(request, form)
            token = _required(form, "token")
        except TokenRefusal as refusal:
            return _refused(refusal)
        self._sandbox.counters.events["revocation_requests"] += 1
        self._sandbox.grants.revoke(token, client)
        return Response(status_code=200, headers=_NO_STORE)

    async def _struck(self, grant_type: str) -> Response | None:
        faults = self._sandbox.faults
        if fault := faults.take("token_slow"):
            await asyncio.sleep(fault.seconds(5))
        if faults.take("token_failing"):
            return JSONResponse({"error": "server_error"}, status_code=500, headers=_NO_STORE)
        if fault := faults.take("token_429"):
            headers = {**_NO_STORE, "Retry-After": f"{fault.seconds(2):.0f}"}
            return JSONResponse({"message": "Too many requests"}, status_code=429, headers=headers)
        if grant_type == "refresh_token" and faults.take("token_invalid_grant"):
            raise TokenRefusal("invalid_grant", "the connection is gone")
        return None

    def _granted(self, request: Request, form: dict[str, str], grant_type: str) -> Connection:
        client, now, grants = self._client(request, form), self._sandbox.now(), self._sandbox.grants
        if grant_type == "authorization_code":
            return grants.redeem(
                _required(form, "code"),
                client,
                redirect_uri=form.get("redirect_uri"),
                code_verifier=form.get("code_verifier"),
                now=now,
            )
        if grant_type == "refresh_token":
            return grants.refresh(_required(form, "refresh_token"), client, now=now)
        raise TokenRefusal("unsupported_grant_type" if grant_type else "invalid_request")

    def _answer(self, connection: Connection, *, refreshed: bool) -> Response:
        faults = self._sandbox.faults
        if refreshed and faults.take("refresh_lost"):
            return BrokenResponse(silent=True)
        body = token_response(connection, self._id_token(connection, refreshed=refreshed))
        answer = JSONResponse(body, headers=_NO_STORE)
        return BrokenResponse(answer) if faults.take("token_aborting") else answer

    def _id_token(self, connection: Connection, *, refreshed: bool) -> str | None:
        if self._picture == "lexware" or "openid" not in connection.scope:
            return None
        fault = self._sandbox.faults.take("clock_skew")
        skew = fault.seconds(600) if fault else 0.0
        claims = id_token_claims(
            connection, self._sandbox.options, now=self._sandbox.now(), skew=skew, refreshed=refreshed
        )
        return self._sandbox.keys.sign(claims)

    def _client(self, request: Request, form: dict[str, str]) -> Client:
        return self._sandbox.clients.authenticate(request.headers.get("authorization"), form, self._picture)


async def _parse_form(request: Request) -> dict[str, str]:
    if (
        request.headers.get("content-type", "").partition(";")[0].strip()
        != "application/x-www-form-urlencoded"
    ):
        raise TokenRefusal("invalid_request", "the body must be application/x-www-form-urlencoded")
    body = await request.body()
    pairs = parse_qsl(body[:_LIMIT].decode("utf-8", "replace"), keep_blank_values=True)
    form = dict(pairs)
    if len(form) != len(pairs):  # RFC 6749 §3.2: parameters occur once
        raise TokenRefusal("invalid_request", "a parameter is repeated")
    return form


def _required(form: dict[str, str], name: str) -> str:
    if not form.get(name):
        raise TokenRefusal("invalid_request", f"{name} is missing")
    return form[name]


def _refused(refusal: TokenRefusal) -> Response:
    headers = dict(_NO_STORE)
    if refusal.status == 401:  # noqa: PLR2004 - the one status that names a scheme (RFC 6749 §5.2)
        headers["WWW-Authenticate"] = 'Basic realm="lexoffice sandbox"'
    body = {"error": refusal.error}
    if refusal.description:
        body["error_description"] = refusal.description
    return JSONResponse(body, status_code=refusal.status, headers=headers)
