"""The parts that the settings choose among: store, authorization server, SPA."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.authorization_server import AuthorizationServer
from gateway.oauth.metadata import build_lexware_metadata
from gateway.sessions.memory import MemoryStore
from gateway.sessions.sqlite import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.sessions.store import SessionStore
    from gateway.settings import Settings

_SETTLE_SQLITE = 0.15
"""Workers look ten times a second for what another one wrote."""
_SETTLE_REDIS = 0.03
"""Replicas wait for it, and hear within a few milliseconds."""


def build_store(settings: Settings) -> SessionStore:
    """Build the store that the settings name, not yet opened."""
    path = settings.store_path
    if path is not None:
        return SqliteStore(path)
    if settings.store == "memory://":
        return MemoryStore()
    from gateway.sessions.redis import RedisStore  # noqa: PLC0415 - a third of a second to import

    return RedisStore(settings.store)


def choose_settle_seconds(settings: Settings) -> float:
    """Return how long after one process the others that share its store have heard of an event, too."""
    if settings.store == "memory://":
        return 0.0
    if settings.store_path is None:
        return _SETTLE_REDIS
    return _SETTLE_SQLITE if settings.workers > 1 else 0.0


def build_authorization_server(
    settings: Settings, *, clock: Callable[[], float] = time.time
) -> AuthorizationServer:
    """Build the client of the authorization server that the settings name."""
    origin = settings.authorization_server
    secret = settings.client_secret
    return AuthorizationServer(
        issuer=settings.issuer,
        metadata=None if origin is None else build_lexware_metadata(origin),
        client_id=settings.client_id,
        client_secret=None if secret is None else secret.get_secret_value(),
        client_auth=settings.client_auth,
        redirect_uri=settings.redirect_uri,
        profile_url=None if origin is None else f"{settings.api_url}/v1/profile",
        clock=clock,
    )


def shipped_spa() -> Path:
    """Return the folder of the SPA that comes with the gateway: inside the wheel, or beside the sources."""
    package = Path(__file__).parent
    packaged = package / "spa"
    return packaged if packaged.is_dir() else package.parent / "spa"
