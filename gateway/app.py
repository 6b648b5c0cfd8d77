"""The composition root: builds every part from the settings, opens them and closes them; no logic."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from gateway import __version__
from gateway.browser.cookie import SessionCookie
from gateway.cache_events import CacheEvents
from gateway.errors import GatewayError
from gateway.events.auth_events import AuthEvents
from gateway.events.bus import Bus
from gateway.events.ended_connections import EndedConnections
from gateway.events.streams import PATH as EVENTS_PATH
from gateway.events.streams import Streams
from gateway.events.webhook import PATH as WEBHOOK_PATH
from gateway.events.webhook import Webhook
from gateway.events.webhook_delivery import parse_public_key
from gateway.observability.audit import Audit
from gateway.observability.logs import RequestLog
from gateway.observability.metrics import Metrics
from gateway.parts import (
    build_authorization_server,
    build_store,
    choose_settle_seconds,
    shipped_spa,
)
from gateway.proxy.asking_once import AskingOnce
from gateway.proxy.browser_connection import browser_connection_of
from gateway.proxy.budget import Budget
from gateway.proxy.concurrency import WAITING_PER_PLACE, SessionConcurrency
from gateway.proxy.forward import Forward
from gateway.proxy.invalidation import touch_everything, touched_by_write
from gateway.proxy.lane import Lane
from gateway.proxy.own_fields import OwnFields
from gateway.proxy.peer_answers import PeerAnswers
from gateway.proxy.response_cache import ResponseCache
from gateway.proxy.route import RouteTable
from gateway.proxy.sharing import CachedPaths
from gateway.proxy.upstream import Upstream
from gateway.sessions.authentication import Authentication
from gateway.sessions.keyring import Keyring
from gateway.sessions.opened import OpenedSessions
from gateway.sessions.refresh import Refresher
from gateway.sessions.refresh_flight import RefreshFlight
from gateway.sessions.turn import Pace
from gateway.sessions.vault import Vault
from gateway.web.access_log import AccessLog
from gateway.web.api_entry import ApiEntry, WebSocketEntry
from gateway.web.attempt_cookies import AttemptCookies
from gateway.web.backchannel_logout import BackchannelLogout, build_backchannel_logout_router
from gateway.web.client_files import build_client_router
from gateway.web.endings import Endings
from gateway.web.frontchannel_logout import FrontchannelLogout, build_frontchannel_logout_router
from gateway.web.guard import Guard
from gateway.web.health import Health, build_admin_app
from gateway.web.login import SignIn, build_login_router
from gateway.web.logout import SignOut, build_logout_router
from gateway.web.pages import Pages
from gateway.web.problems import LOGIN_URL, Problems
from gateway.web.revocation import Revocation
from gateway.web.session import CheckSession, build_session_router
from gateway.web.session_policy import SessionPolicy
from gateway.web.sessions import SessionList, build_sessions_router
from gateway.web.sign_out_return import SignOutReturn, build_sign_out_return_router
from gateway.web.static_site import StaticSite
from gateway.web.sweep import Sweep

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Receive, Scope, Send

    from gateway.settings import Settings


_LOGGER = logging.getLogger(__name__)


class PublicApp:
    """What the public listener serves: `/api` has an entry of its own, and a lane beside ASGI."""

    def __init__(
        self, *, api: ASGIApp, events: ASGIApp, websockets: ASGIApp, web: ASGIApp, lane: Lane
    ) -> None:
        self._api = api
        self._events = events
        self._websockets = websockets
        self._web = web
        self.lane = lane

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "websocket":
            await self._websockets(scope, receive, send)
            return
        path: str = scope["path"]
        if path == EVENTS_PATH:
            await self._events(scope, receive, send)
            return
        is_call = path.startswith("/api/") or path == "/api"
        await (self._api if is_call else self._web)(scope, receive, send)


class Gateway:
    """All parts of one process; `public` and `admin` are its ASGI applications."""

    def __init__(self, settings: Settings, *, clock: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._clock = clock
        self._metrics = Metrics(__version__)
        self._audit = Audit()
        self._keyring = Keyring([secret.get_secret_value() for secret in settings.secrets])
        self._store = build_store(settings)
        self._vault = Vault(
            self._store,
            self._keyring,
            idle_seconds=settings.session_idle,
            max_seconds=settings.session_max,
        )
        self._session_cookie = SessionCookie(self._keyring.signing_keys)
        self._authentication = Authentication(
            vault=self._vault, session_cookie=self._session_cookie, clock=clock
        )
        self._authorization_server = build_authorization_server(settings, clock=clock)
        self._refresher = Refresher(
            vault=self._vault,
            flight=RefreshFlight(
                vault=self._vault,
                authorization_server=self._authorization_server,
                clock=clock,
                metrics=self._metrics,
                audit=self._audit,
                keyring=self._keyring,
                refresh_token_lifetime=settings.refresh_token_lifetime,
            ),
            clock=clock,
        )
        self._opened = OpenedSessions(
            authentication=self._authentication, refresher=self._refresher, vault=self._vault, clock=clock
        )
        self._bus = Bus(
            self._store, self._keyring, clock=clock, settle_seconds=choose_settle_seconds(settings)
        )
        self._ended_connections = EndedConnections(
            issuer=self._authorization_server.name,
            vault=self._vault,
            keyring=self._keyring,
            audit=self._audit,
            metrics=self._metrics,
            clock=clock,
        )
        self._streams = Streams(
            self._bus,
            metrics=self._metrics,
            request_log=RequestLog(),
            login_url=LOGIN_URL,
            version=__version__,
        )
        self._revocation = Revocation(self._authorization_server, self._vault, clock=clock)
        self._endings = Endings(
            revocation=self._revocation, keyring=self._keyring, audit=self._audit, metrics=self._metrics
        )
        self._sign_out_return = SignOutReturn(
            keyring=self._keyring, public_url=settings.public_url, clock=clock
        )
        self._upstream = Upstream()
        self._asking_once = self._build_asking_once()
        self._cache_events = CacheEvents(self._bus, self._asking_once.cache, self._asking_once.peers)
        self._asking_once.writes.announce = self._cache_events.announce
        self._budget = self._build_budget()
        self._sweep = Sweep(
            vault=self._vault, revocation=self._revocation, metrics=self._metrics, clock=clock
        )
        self.max_connections = settings.max_connections
        self.allows_websockets = any(route.websocket for route in settings.routes)
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
        web = AccessLog(
            guard,
            metrics=self._metrics,
            request_log=RequestLog(),
            trusted_proxies=settings.trusted_proxies,
        )
        forward = self._build_forward(routes, guard)
        around: Any = {"access_log": web, "guard": guard, "problems": problems}
        return PublicApp(
            api=ApiEntry(forward, **around),
            events=ApiEntry(self._build_events(guard), **around),
            websockets=WebSocketEntry(self._build_forward_websocket(routes), **around)
            if self.allows_websockets
            else web,
            web=web,
            lane=Lane(forward, RequestLog()),
        )

    def _build_asking_once(self) -> AskingOnce:
        settings = self._settings
        cache = ResponseCache(
            limit=settings.cache_bytes, clock=self._clock, monotonic=time.monotonic, metrics=self._metrics
        )
        self._opened.tell(cache.heed)
        return AskingOnce(
            cache=cache,
            cached=CachedPaths(settings.cached_paths),
            touched_by_write=touch_everything if settings.provider == "openid" else touched_by_write,
            is_in_use=any(route.is_shared for route in settings.route_list),
            metrics=self._metrics,
            peers=None
            if settings.store == "memory://"
            else PeerAnswers(self._store, self._keyring, clock=self._clock),
        )

    def _build_budget(self) -> Budget | None:
        settings = self._settings
        if settings.budget_rate is None:
            return None
        return Budget(
            self._store,
            Pace(settings.budget_rate, settings.budget_burst),
            client_key=settings.client_budget_key if settings.budget_key == "client" else None,
            per_session=settings.session_concurrency * WAITING_PER_PLACE,
            clock=self._clock,
            metrics=self._metrics,
        )

    def _build_forward(self, routes: RouteTable, guard: Guard) -> Forward:
        return Forward(
            routes=routes,
            upstream=self._upstream,
            sessions=self._opened,
            metrics=self._metrics,
            public_origin=self._settings.public_url,
            own_fields=OwnFields(guard.fields),
            concurrency=SessionConcurrency(self._settings.session_concurrency),
            asking_once=self._asking_once,
            budget=self._budget,
            clock=self._clock,
        )

    def _build_events(self, guard: Guard) -> AuthEvents:
        return AuthEvents(
            authentication=self._authentication,
            opened=self._opened,
            streams=self._streams,
            metrics=self._metrics,
            connection_of=browser_connection_of,
            public_origin=self._settings.public_url,
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
            per_session=self._settings.session_websockets,
        )

    def _build_web(self, problems: Problems) -> FastAPI:
        web = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
        for kind in (GatewayError, HTTPException, ClientDisconnect, Exception):
            web.add_exception_handler(kind, problems.handle)
        web.include_router(build_login_router(self._build_sign_in()))
        web.include_router(build_logout_router(self._build_sign_out()))
        web.include_router(build_sign_out_return_router(self._sign_out_return))
        self._include_sessions(web)
        web.add_route(WEBHOOK_PATH, self._build_webhook().receive, methods=["GET", "POST"])
        web.include_router(build_client_router(shipped_spa() / "client"))
        web.mount("/", StaticSite(self._settings.spa or shipped_spa()))
        return web

    def _build_sign_in(self) -> SignIn:
        settings = self._settings
        return SignIn(
            authorization_server=self._authorization_server,
            vault=self._vault,
            keyring=self._keyring,
            attempts=AttemptCookies(self._keyring),
            session_cookie=self._session_cookie,
            authentication=self._authentication,
            revocation=self._revocation,
            audit=self._audit,
            metrics=self._metrics,
            redirect_uri=settings.redirect_uri,
            scope=settings.scope,
            extra_parameters={"connection_name": settings.connection_name}
            if settings.connection_name
            else {},
            policy=SessionPolicy(
                grants=settings.grants,
                address=settings.session_address,
                refresh_token_lifetime=settings.refresh_token_lifetime,
                keeps_id_token=settings.logout_id_token_hint,
            ),
            # The lexware presets ask the API itself who has signed in.
            charge=self._budget.charge if self._budget and settings.provider != "openid" else None,
            clock=self._clock,
        )

    def _include_sessions(self, web: FastAPI) -> None:
        vault, clock, authentication = self._vault, self._clock, self._authentication
        public_origin, server = self._settings.public_url, self._authorization_server
        check_session = CheckSession(
            authentication=authentication,
            vault=vault,
            refresher=self._refresher,
            public_origin=public_origin,
            clock=clock,
        )
        own = SessionList(
            authentication=authentication,
            vault=vault,
            endings=self._endings,
            public_origin=public_origin,
            clock=clock,
        )
        back = BackchannelLogout(
            authorization_server=server,
            vault=vault,
            endings=self._endings,
            metrics=self._metrics,
            clock=clock,
        )
        front = FrontchannelLogout(
            authorization_server=server,
            authentication=authentication,
            vault=vault,
            endings=self._endings,
            clock=clock,
        )
        web.include_router(build_session_router(check_session))
        web.include_router(build_sessions_router(own))
        web.include_router(build_backchannel_logout_router(back))
        web.include_router(build_frontchannel_logout_router(front))

    def _build_webhook(self) -> Webhook:
        pem = self._settings.webhook_public_key
        return Webhook(
            public_key=None if pem is None else parse_public_key(pem),
            window=self._settings.webhook_window,
            publisher=self._cache_events,
            vault=self._vault,
            audit=self._audit,
            metrics=self._metrics,
            clock=self._clock,
        )

    def _build_sign_out(self) -> SignOut:
        return SignOut(
            authorization_server=self._authorization_server,
            authentication=self._authentication,
            vault=self._vault,
            keyring=self._keyring,
            endings=self._endings,
            audit=self._audit,
            metrics=self._metrics,
            public_url=self._settings.public_url,
            way_back=self._sign_out_return,
            id_token_hint=self._settings.logout_id_token_hint,
            clock=self._clock,
        )


def _lose_nothing() -> None:
    """Do nothing: of a connection that ended, the refusal of its next refresh tells too."""
