"""The edge of the API: look-up, authentication, faults, rate limit and scopes, in this order."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import JSONResponse

from gateway.sandbox.api import (
    articles,
    contacts,
    files,
    invoices,
    organization,
    subscriptions,
    voucherlist,
    vouchers,
)
from gateway.sandbox.api.call import Call, Operation
from gateway.sandbox.api.refusals import ApiRefusal, EdgeRefusal, quoted_token
from gateway.sandbox.broken import BrokenResponse
from gateway.sandbox.scopes import allows

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.types import Receive, Scope, Send

    from gateway.sandbox.arrivals import Arrival
    from gateway.sandbox.authorization_server.grants import Connection
    from gateway.sandbox.box import Sandbox

OPERATIONS: tuple[Operation, ...] = (
    *organization.OPERATIONS,
    *contacts.OPERATIONS,
    *articles.OPERATIONS,
    *voucherlist.OPERATIONS,
    *invoices.OPERATIONS,
    *vouchers.OPERATIONS,
    *files.OPERATIONS,
    *subscriptions.OPERATIONS,
)


class ApiGate:
    """The ASGI app under /v1."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one call."""
        request = Request(scope, receive)
        arrival = self._sandbox.arrivals.note(request.method, request.url.path, at=time.monotonic())
        try:
            response = await self._answer(request, arrival)
        except ApiRefusal as refusal:
            response = refusal.response(request.url.path, self._sandbox.now())
        arrival.status = response.status_code
        self._sandbox.counters.api_answers[str(response.status_code)] += 1
        await response(scope, receive, send)

    async def _answer(self, request: Request, arrival: Arrival) -> Response:
        authorization = request.headers.get("authorization")
        operation, parameters = _find(request.method, request.url.path)
        self._sandbox.counters.api_calls[operation.name if operation else "unknown"] += 1
        if operation is None:
            raise quoted_token(authorization)
        connection = self._authenticated(authorization)
        arrival.connection = connection.id
        await self._struck_before(request, authorization)
        now = self._sandbox.now()
        if not self._sandbox.allows_call(connection):
            raise EdgeRefusal(429, "Rate limit exceeded")
        if operation.scope and not allows(connection.scope, operation.scope):
            raise ApiRefusal(403, f"The access token lacks the scope {operation.scope}")
        call = Call(
            request=request,
            connection=connection,
            books=self._sandbox.books[connection.user.organization.id],
            webhooks=self._sandbox.webhooks,
            now=now,
            base_url=self._sandbox.options.base_url,
            parameters=parameters,
        )
        return await self._struck_after(request, await operation.handler(call))

    def _authenticated(self, authorization: str | None) -> Connection:
        scheme, _, token = (authorization or "").partition(" ")
        connection = self._sandbox.grants.connection_of(token.strip(), now=self._sandbox.now())
        if scheme.lower() != "bearer" or connection is None:
            raise EdgeRefusal(401, "Unauthorized")
        return connection

    async def _struck_before(self, request: Request, authorization: str | None) -> None:
        """Faults of calls that are not performed."""
        method, path, faults = request.method, request.url.path, self._sandbox.faults
        if fault := faults.take("api_slow", method=method, path=path):
            await asyncio.sleep(fault.seconds(3))
        if faults.take("api_401", method=method, path=path):
            raise EdgeRefusal(401, "Unauthorized")
        if faults.take("api_403_echo", method=method, path=path):
            raise quoted_token(authorization)
        if faults.take("api_429", method=method, path=path):
            raise EdgeRefusal(429, "Rate limit exceeded")
        if faults.take("api_500", method=method, path=path):
            raise ApiRefusal(500, "An unexpected error occurred")

    async def _struck_after(self, request: Request, response: Response) -> Response:
        """Faults of calls that were performed, though the caller cannot know."""
        method, path, faults = request.method, request.url.path, self._sandbox.faults
        if fault := faults.take("api_504", method=method, path=path):
            await asyncio.sleep(fault.seconds(30))
            return JSONResponse({"message": "Endpoint request timed out"}, status_code=504)
        if faults.take("api_dropped", method=method, path=path):
            return BrokenResponse(silent=True)
        if faults.take("api_abort", method=method, path=path):
            return BrokenResponse(response)
        return response


def _find(method: str, path: str) -> tuple[Operation | None, dict[str, str]]:
    wanted = "GET" if method == "HEAD" else method
    for operation in OPERATIONS:
        match = operation.pattern.fullmatch(path)
        if match and operation.method == wanted:
            return operation, match.groupdict()
    return None, {}
