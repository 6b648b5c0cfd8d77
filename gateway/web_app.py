"""Builds what is served to browsers beside the API: sign-in, session, sign-out, webhook, SPA; no logic."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from gateway.errors import GatewayError
from gateway.events.webhook import PATH as WEBHOOK_PATH
from gateway.events.webhook import Webhook
from gateway.events.webhook_delivery import parse_public_key
from gateway.foundation import Foundation
from gateway.parts import (
    shipped_spa,
)
from gateway.web.attempt_cookies import AttemptCookies
from gateway.web.backchannel_logout import BackchannelLogout, build_backchannel_logout_router
from gateway.web.callback import Callback, build_callback_router
from gateway.web.client_files import build_client_router
from gateway.web.frontchannel_logout import FrontchannelLogout, build_frontchannel_logout_router
from gateway.web.guard import build_dev_fields
from gateway.web.login import Login, build_login_router
from gateway.web.logout import SignOut, build_logout_router
from gateway.web.pages import Pages
from gateway.web.session import CheckSession, build_session_router
from gateway.web.session_policy import SessionPolicy
from gateway.web.sessions import SessionList, build_sessions_router
from gateway.web.sign_out_return import build_sign_out_return_router
from gateway.web.signed_in import build_signed_in_router
from gateway.web.static_site import StaticSite

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp

    from gateway.settings import Settings
    from gateway.web.problems import Problems


class WebApp(Foundation):
    """A foundation with the FastAPI application on it."""

    def __init__(
        self, settings: Settings, *, clock: Callable[[], float] = time.time, dev_server: str | None = None
    ) -> None:
        super().__init__(settings, clock=clock)
        self._dev_server = dev_server

    def _build_web(self, problems: Problems) -> FastAPI:
        web = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
        for kind in (GatewayError, HTTPException, ClientDisconnect, Exception):
            web.add_exception_handler(kind, problems.handle)
        self._include_sign_in(web)
        # Its link leads to the app of this origin; which of several opened the window is not known.
        signed_in = build_signed_in_router(
            Pages(self._settings.public_url), links_app=not self._settings.sibling_origins
        )
        web.include_router(signed_in)
        web.include_router(build_logout_router(self._build_sign_out()))
        web.include_router(build_sign_out_return_router(self._sign_out_return))
        self._include_sessions(web)
        web.add_route(WEBHOOK_PATH, self._build_webhook().receive, methods=["GET", "POST"])
        web.include_router(build_client_router(shipped_spa() / "client"))
        web.mount("/", self._build_site())
        return web

    def _build_site(self) -> ASGIApp:
        if self._dev_server is None:
            own = self._settings.spa
            return StaticSite(own or shipped_spa(), strips=own is None)
        from gateway.proxy.dev_server import DevServer  # noqa: PLC0415 - for development alone

        origin = self._settings.public_url
        return DevServer(
            self._dev_server, public_origin=origin, upstream=self._upstream, guarding=build_dev_fields(origin)
        )

    def _include_sign_in(self, web: FastAPI) -> None:
        settings, attempts = self._settings, AttemptCookies(self._keyring)
        login = Login(
            authorization_server=self._authorization_server,
            attempts=attempts,
            authentication=self._authentication,
            redirect_uri=settings.redirect_uri,
            scope=settings.scope,
            extra_parameters={"connection_name": settings.connection_name}
            if settings.connection_name
            else {},
            sibling_origins=settings.sibling_origins,
            clock=self._clock,
        )
        callback = Callback(
            authorization_server=self._authorization_server,
            vault=self._vault,
            keyring=self._keyring,
            attempts=attempts,
            session_cookie=self._session_cookie,
            revocation=self._revocation,
            audit=self._audit,
            metrics=self._metrics,
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
        web.include_router(build_login_router(login))
        web.include_router(build_callback_router(callback))

    def _include_sessions(self, web: FastAPI) -> None:
        vault, clock, authentication = self._vault, self._clock, self._authentication
        public_origin, server = self._settings.public_url, self._authorization_server
        check_session = CheckSession(
            authentication=authentication,
            vault=vault,
            refresher=self._refresher,
            public_origin=public_origin,
            sibling_origins=self._settings.sibling_origins,
            clock=clock,
        )
        own = SessionList(
            authentication=authentication,
            vault=vault,
            endings=self._endings,
            public_origin=public_origin,
            sibling_origins=self._settings.sibling_origins,
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
            sibling_origins=self._settings.sibling_origins,
            way_back=self._sign_out_return,
            id_token_hint=self._settings.logout_id_token_hint,
            clock=self._clock,
        )
