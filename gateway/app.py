"""The composition root: builds every part from the settings, opens them and closes them; no logic."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any

from gateway.cors import VARY, Cors, answer_preflight
from gateway.events.auth_events import AuthEvents
from gateway.events.streams import PATH as EVENTS_PATH
from gateway.observability.logs import RequestLog
from gateway.proxy.browser_connection import browser_connection_of
from gateway.proxy.concurrency import SessionConcurrency
from gateway.proxy.forward import Forward
from gateway.proxy.lane import Lane
from gateway.proxy.own_fields import OwnFields
from gateway.proxy.route import RouteTable
from gateway.web.access_log import AccessLog
from gateway.web.api_entry import ApiEntry, WebSocketEntry
from gateway.web.forward_auth import ForwardAuth, is_forward_auth
from gateway.web.guard import Guard
from gateway.web.health import Health, build_admin_app
from gateway.web.pages import Pages
from gateway.web.problems import Problems
from gateway.web_app import WebApp

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Receive, Scope, Send

    from gateway.settings import Settings


_LOGGER = logging.getLogger(__name__)


class PublicApp:
    """What the public listener serves: `/api` has an entry of its own, and a lane beside ASGI."""

    def __init__(  # noqa: PLR0913 - one for each kind of request; all are named
        self,
        *,
        api: ASGIApp,
        events: ASGIApp,
        websockets: ASGIApp,
        forward_auth: ASGIApp | None,
        preflight: ASGIApp,
        cors: Cors | None,
        site_websockets: ASGIApp | None,
        web: ASGIApp,
        lane: Lane,
    ) -> None:
        self._api = api
        self._forward_auth = forward_auth
        self._preflight = preflight
        self._cors = cors
        self._events = events
        self._websockets = websockets
        self._site_websockets = site_websockets or websockets
        self._web = web
        self.lane = lane
        self.sockets_below = b"/api/" if site_websockets is None else b"/"
        """Where a WebSocket can be opened at all."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        path: str = scope["path"]
        is_call = path.startswith("/api/") or path == "/api"
        if scope["type"] == "websocket":
            await (self._websockets if is_call else self._site_websockets)(scope, receive, send)
            return
        if self._cors is not None:
            send = self._cors.open(scope, send)
            if self._cors.is_preflight(scope):
                await self._preflight(scope, receive, send)
                return
        if path == EVENTS_PATH:
            await self._events(scope, receive, send)
            return
        if self._forward_auth is not None and is_forward_auth(path):
            await self._forward_auth(scope, receive, send)
            return
        await (self._api if is_call else self._web)(scope, receive, send)


class Gateway(WebApp):
    """All parts of one process; `public` and `admin` are its ASGI applications."""

    def __init__(
        self, settings: Settings, *, clock: Callable[[], float] = time.time, dev_server: str | None = None
    ) -> None:
        super().__init__(settings, clock=clock, dev_server=dev_server)
        self.max_connections = settings.max_connections
        self.allows_websockets = dev_server is not None or any(route.websocket for route in settings.routes)
        self.health = Health(vault=self._vault, metrics=self._metrics, clock=clock)
        self.admin: ASGIApp = build_admin_app(self.health)
        self.public = self._build_public()
        self._bus.subscribe(self._ended_connections.heed, lose=_lose_nothing)
        self._bus.subscribe(self._streams.heed, lose=self._streams.lose, settled=True)

    async def open(self) -> None:
        """Open the store and start what runs beside the requests; raises StoreUnavailable."""
        await self._store.open()
        await self._opened.open()
        await self._bus.start()
        for event in self._bus.recent:
            self._ended_connections.heed(event)  # whoever took it in may have died over it
        self._sweep.start()

    async def close(self, *, patience: float = 3.0) -> None:
        """Let refreshes and revocations come to their end for `patience` seconds, and close everything."""
        await self._sweep.stop()
        await self._bus.stop()
        await self._ended_connections.close()
        await self._opened.close()
        try:
            async with asyncio.timeout(patience):
                await self._refresher.drain()
                await self._revocation.drain()
        except TimeoutError:
            _LOGGER.warning("ended before every call to the authorization server had come to its end")
        if self._budget is not None:
            await self._budget.close()
        await self._authorization_server.close()
        await self._asking_once.close()
        await self._cache_events.close()
        await self._upstream.close()
        await self._store.close()

    def _build_public(self) -> PublicApp:
        settings = self._settings
        problems = Problems(pages=Pages(settings.public_url), metrics=self._metrics)
        routes = RouteTable(settings.route_list)
        guard = Guard(self._build_web(problems), is_secure=settings.is_secure)
        web = self._build_access_log(guard)
        forward = self._build_forward(routes, guard)
        around: Any = {"access_log": web, "guard": guard, "problems": problems}
        return PublicApp(
            api=ApiEntry(forward, **around),
            events=ApiEntry(self._build_events(guard), **around),
            websockets=WebSocketEntry(self._build_forward_websocket(routes), **around)
            if self.allows_websockets
            else web,
            forward_auth=self._build_forward_auth(problems) if settings.forward_auth_secrets else None,
            preflight=self._build_access_log(Guard(answer_preflight, is_secure=settings.is_secure)),
            cors=Cors(settings.sibling_origins) if settings.sibling_origins else None,
            site_websockets=None
            if self._dev_server is None
            else WebSocketEntry(self._build_dev_websocket(self._dev_server), **around),
            web=web,
            lane=Lane(forward, RequestLog()),
        )

    def _build_forward(self, routes: RouteTable, guard: Guard) -> Forward:
        return Forward(
            routes=routes,
            upstream=self._upstream,
            sessions=self._opened,
            metrics=self._metrics,
            public_origin=self._settings.public_url,
            sibling_origins=self._settings.sibling_origins,
            own_fields=OwnFields([*guard.fields, VARY] if self._settings.sibling_origins else guard.fields),
            concurrency=SessionConcurrency(self._settings.session_concurrency),
            asking_once=self._asking_once,
            budget=self._budget,
            clock=self._clock,
        )

    def _build_access_log(self, app: ASGIApp) -> AccessLog:
        return AccessLog(
            app,
            metrics=self._metrics,
            request_log=RequestLog(),
            trusted_proxies=self._settings.trusted_proxies,
        )

    def _build_forward_auth(self, problems: Problems) -> ASGIApp:
        settings = self._settings
        forward_auth = ForwardAuth(
            opened=self._opened,
            problems=problems,
            secrets=[secret.get_secret_value() for secret in settings.forward_auth_secrets],
            proxies=settings.forward_auth_proxies,
            public_origin=settings.public_url,
        )
        return self._build_access_log(Guard(forward_auth, is_secure=settings.is_secure))

    def _build_events(self, guard: Guard) -> AuthEvents:
        return AuthEvents(
            authentication=self._authentication,
            opened=self._opened,
            streams=self._streams,
            metrics=self._metrics,
            connection_of=browser_connection_of,
            public_origin=self._settings.public_url,
            sibling_origins=self._settings.sibling_origins,
            guard_fields=guard.fields,
            clock=self._clock,
        )

    def _build_forward_websocket(self, routes: RouteTable) -> ASGIApp:
        from gateway.proxy.websocket import ForwardWebSocket  # noqa: PLC0415 - it and its library take memory

        return ForwardWebSocket(
            routes=routes,
            opened=self._opened,
            metrics=self._metrics,
            public_origin=self._settings.public_url,
            sibling_origins=self._settings.sibling_origins,
            per_session=self._settings.session_websockets,
        )

    def _build_dev_websocket(self, dev_server: str) -> ASGIApp:
        from gateway.proxy.dev_websocket import DevWebSocket  # noqa: PLC0415 - as above

        return DevWebSocket(dev_server, public_origin=self._settings.public_url)


def _lose_nothing() -> None:
    """Do nothing: of a connection that ended, the refusal of its next refresh tells too."""
