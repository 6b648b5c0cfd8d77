"""Calls of the API in the name of one user, within the budget that the user's own calls have."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING

from gateway import __version__
from gateway.errors import ConfigurationError, ResourceServerBroken, ResourceServerTimeout
from gateway.observability.audit import Audit
from gateway.observability.metrics import Metrics
from gateway.parts import build_authorization_server, build_store
from gateway.proxy.budget import Budget
from gateway.proxy.retry import SAFE_METHODS
from gateway.proxy.route import RouteTable
from gateway.proxy.upstream import Upstream
from gateway.proxy.waiting_line import BudgetCall, BudgetPlace
from gateway.sessions.keyring import Keyring
from gateway.sessions.refresh import Refresher
from gateway.sessions.refresh_flight import RefreshFlight
from gateway.sessions.turn import Pace
from gateway.sessions.vault import Vault

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from gateway.proxy.upstream_answer import UpstreamAnswer
    from gateway.sessions.session import Grant, Session
    from gateway.settings import Settings

_PATIENCE_SECONDS = 120.0
_URGENCY = 5
"""By RFC 9218: people who look at their screens go first."""
_ATTEMPTS = 8
_MAX_BYTES = 1_048_576
_WAITING = 1000


@dataclass(frozen=True, slots=True)
class ApiAnswer:
    """What the API said; `document` is None where it was no JSON."""

    status: int
    document: object = field(repr=False)


class UserApi:
    """The API as one of a user's sessions reaches it; that is no activity of the session."""

    def __init__(
        self,
        *,
        settings: Settings,
        session: Session,
        grant: Grant,
        refresher: Refresher,
        budget: Budget | None,
        upstream: Upstream,
    ) -> None:
        self._routes = RouteTable(settings.route_list)
        self._session = session
        self._grant = grant
        self._refresher = refresher
        self._budget = budget
        self._upstream = upstream
        key = settings.client_budget_key if settings.budget_key == "client" else grant.key
        self._place = BudgetPlace(key, session.key)

    async def call(self, method: str, path: str, content: object = None) -> ApiAnswer:
        """Call `/api` + path, again where the API says that nothing was done.

        Raises ResourceServerError where there is no answer; what was to be changed may have been then.
        """
        body = b"" if content is None else json.dumps(content).encode()
        has_refreshed = has_failed = False
        for attempt in range(_ATTEMPTS):
            await self._take_turn()
            try:
                answer = await self._send(method, path, body)
            except ResourceServerBroken:
                if has_failed or method not in SAFE_METHODS:
                    raise
                has_failed = True
                continue
            if answer.status == HTTPStatus.UNAUTHORIZED and not has_refreshed:
                has_refreshed = True
                self._grant = await self._refresher.replaced_grant(self._grant)
            elif answer.status == HTTPStatus.TOO_MANY_REQUESTS and attempt < _ATTEMPTS - 1:
                await self._slow_down()
            else:
                return answer
        raise ResourceServerTimeout(log_detail="the API did not come to an answer")

    def is_secret(self, text: str) -> bool:
        """Say whether the access token is in a text, which is then for nobody."""
        return self._grant.tokens.access_token in text

    async def _take_turn(self) -> None:
        if self._budget is not None:
            await self._budget.turn(BudgetCall(self._place, _URGENCY, _PATIENCE_SECONDS))

    async def _slow_down(self) -> None:
        if self._budget is None:
            await asyncio.sleep(1)
        else:
            await self._budget.slow_down(self._place)

    async def _send(self, method: str, path: str, body: bytes) -> ApiAnswer:
        route, target = self._routes.match(method=method, raw_path=f"/api{path}".encode(), query=b"")
        pool, timeouts = self._upstream.pool(route), route.timeouts
        head = b"%b %b HTTP/1.1\r\nhost: %b\r\naccept: application/json\r\nauthorization: Bearer %b\r\n" % (
            method.encode(),
            target,
            pool.host,
            self._grant.tokens.access_token.encode(),
        )
        if body:
            head += b"content-type: application/json\r\ncontent-length: %d\r\n" % len(body)
        try:
            async with asyncio.timeout(timeouts.connect + timeouts.first_byte):
                answer = await pool.send(
                    head + b"\r\n", method=method, body=body or None, connect_seconds=timeouts.connect
                )
                return ApiAnswer(answer.status, await _read_document(answer))
        except TimeoutError:
            raise ResourceServerTimeout(log_detail="no answer in time") from None


@asynccontextmanager
async def opened_api(settings: Settings, subject: str) -> AsyncGenerator[UserApi | None]:
    """Hand out the API as one of the subject's sessions reaches it; None if there is no live one.

    Raises ConfigurationError for a store that the server alone knows, StoreError, AuthorizationServerError.
    """
    if settings.store == "memory://":
        raise ConfigurationError(
            ["LEXGATE_STORE: must not be memory://, which the server keeps to itself; use SQLite or Redis"]
        )
    metrics, keyring = Metrics(__version__), Keyring([key.get_secret_value() for key in settings.secrets])
    store = build_store(settings)
    vault = Vault(store, keyring, idle_seconds=settings.session_idle, max_seconds=settings.session_max)
    server = build_authorization_server(settings)
    flight = RefreshFlight(
        vault=vault,
        authorization_server=server,
        clock=time.time,
        metrics=metrics,
        audit=Audit(),
        keyring=keyring,
        refresh_token_lifetime=settings.refresh_token_lifetime,
    )
    refresher, upstream = Refresher(vault=vault, flight=flight, clock=time.time), Upstream()
    budget = (
        None
        if settings.budget_rate is None
        else Budget(
            store,
            Pace(settings.budget_rate, settings.budget_burst),
            client_key=None,
            per_session=_WAITING,
            clock=time.time,
            metrics=metrics,
        )
    )
    await store.open()
    try:
        sessions = await vault.list_for_subject(
            issuer=server.name, client_id=server.client_id, subject=subject, now=time.time()
        )
        if not sessions:
            yield None
            return
        grant = await refresher.valid_grant(sessions[0].grant_key, may_meet_401=False)
        yield UserApi(
            settings=settings,
            session=sessions[0],
            grant=grant,
            refresher=refresher,
            budget=budget,
            upstream=upstream,
        )
    finally:
        await refresher.drain()
        if budget is not None:
            await budget.close()
        await server.close()
        await upstream.close()
        await store.close()


async def _read_document(answer: UpstreamAnswer) -> object:
    body = bytearray()
    try:
        while piece := await answer.read():
            body += piece
            if len(body) > _MAX_BYTES:
                return None
    finally:
        answer.release()
    try:
        return json.loads(body)
    except ValueError:
        return None
