"""What a gateway stands on: store, keys, sessions, authorization server, bus, budget and cache; no logic."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from gateway import __version__
from gateway.browser.cookie import SessionCookie
from gateway.cache_events import CacheEvents
from gateway.events.bus import Bus
from gateway.events.ended_connections import EndedConnections
from gateway.events.streams import Streams
from gateway.observability.audit import Audit
from gateway.observability.logs import RequestLog
from gateway.observability.metrics import Metrics
from gateway.parts import (
    build_authorization_server,
    build_store,
    choose_settle_seconds,
)
from gateway.proxy.asking_once import AskingOnce
from gateway.proxy.budget import Budget
from gateway.proxy.concurrency import WAITING_PER_PLACE
from gateway.proxy.invalidation import touch_everything, touched_by_write
from gateway.proxy.peer_answers import PeerAnswers
from gateway.proxy.response_cache import ResponseCache
from gateway.proxy.sharing import CachedPaths
from gateway.proxy.upstream import Upstream
from gateway.sessions.authentication import Authentication
from gateway.sessions.keyring import Keyring
from gateway.sessions.opened import OpenedSessions
from gateway.sessions.refresh import Refresher
from gateway.sessions.refresh_flight import RefreshFlight
from gateway.sessions.turn import Pace
from gateway.sessions.vault import Vault
from gateway.web.endings import Endings
from gateway.web.problems import LOGIN_URL
from gateway.web.revocation import Revocation
from gateway.web.sign_out_return import SignOutReturn
from gateway.web.sweep import Sweep

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.settings import Settings


class Foundation:
    """The parts of one process that requests are served with; built, not opened."""

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
            keyring=self._keyring,
            public_url=settings.public_url,
            sibling_origins=settings.sibling_origins,
            clock=clock,
        )
        self._upstream = Upstream()
        self._asking_once = self._build_asking_once()
        self._cache_events = CacheEvents(self._bus, self._asking_once.cache, self._asking_once.peers)
        self._asking_once.writes.announce = self._cache_events.announce
        self._budget = self._build_budget()
        self._sweep = Sweep(
            vault=self._vault, revocation=self._revocation, metrics=self._metrics, clock=clock
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
