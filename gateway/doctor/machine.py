"""What can be seen without the network: secrets, store, webhook, cookies, proxies."""

from __future__ import annotations

import os
import time
import zlib
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from gateway.browser.cookie import LOGIN_COOKIE_PREFIX, SESSION_COOKIE
from gateway.doctor.finding import Finding
from gateway.errors import ClockSkewed, StoreError
from gateway.parts import build_store
from gateway.sessions.clock_check import check_clock
from gateway.sessions.sqlite import SqliteStore

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.settings import Settings

_LEAST_COMPRESSED = 24
"""Bytes: 128 random bits, in whatever alphabet, compress to no less."""


def examine_secrets(settings: Settings) -> Finding:
    """See whether one of the secrets can be guessed."""
    for number, secret in enumerate(settings.secrets, 1):
        if len(zlib.compress(secret.get_secret_value().encode(), level=9, wbits=-15)) < _LEAST_COMPRESSED:
            return Finding(
                "failed",
                "secrets",
                f"number {number} of LEXGATE_SECRETS is long enough, but repeats itself and can be guessed",
                "replace it by what `lexgate keygen` prints",
            )
    if len(settings.secrets) == 1:
        return Finding("ok", "secrets", "one, which signs and seals")
    older = len(settings.secrets) - 1
    return Finding("ok", "secrets", f"{older + 1}: the first signs and seals, {older} older still verify")


async def examine_store(settings: Settings) -> Finding:
    """See whether sessions can be kept."""
    path = settings.store_path
    if path is None and settings.store != "memory://":
        return await _examine_redis(settings)
    if path is None:
        return Finding(
            "note",
            "store",
            "in memory: a restart signs everybody out",
            "set LEXGATE_STORE=sqlite:///absolute/path to keep sessions",
        )
    problem = await _try_store(settings, path)
    user = f"this user (uid {os.geteuid()})"
    if problem is None:
        return Finding("ok", "store", f"{settings.store} can be written by {user}")
    return Finding(
        "failed",
        "store",
        f"{settings.store} cannot be used by {user}: {problem}",
        f"let that user write to {path.parent}, or name another file in LEXGATE_STORE",
    )


async def _examine_redis(settings: Settings) -> Finding:
    # The URL may hold a password, so only its hosts are told.
    hosts = urlsplit(settings.store).netloc.rpartition("@")[2]
    store = build_store(settings)
    try:
        await store.open()
        await store.ping()
        await check_clock(store, now=time.time())
    except ClockSkewed as error:
        remedy = "set the clocks of this machine and of Redis's by NTP"
        return Finding("failed", "store", f"Redis at {hosts} keeps another time: {error}", remedy)
    except StoreError as error:
        remedy = "check LEXGATE_STORE, the way out of the container, and Redis's own log and ACL"
        return Finding("failed", "store", f"Redis at {hosts} cannot be used: {error}", remedy)
    finally:
        await store.close()
    return Finding("ok", "store", f"Redis at {hosts} can be written")


async def _try_store(settings: Settings, path: Path) -> str | None:
    """Return what is wrong with the store; leaves nothing behind that another user could not write."""
    folder, exists = _find_folder(path)
    if folder is None:
        return f"{path.parent} is no folder, and none can be made there"
    if folder != path.parent:
        return None
    trial = path.with_name(f".doctor-{os.getpid()}.db")
    store = build_store(settings) if exists else SqliteStore(trial)
    try:
        await store.open()
        await store.ping()
    except StoreError as error:
        return str(error)
    finally:
        await store.close()
        for suffix in ("", "-wal", "-shm"):
            trial.with_name(f"{trial.name}{suffix}").unlink(missing_ok=True)
    return None


def _find_folder(path: Path) -> tuple[Path | None, bool]:
    """Return the folder, or the one in which it can be made, or None; and whether the file exists."""
    nearest = next(folder for folder in path.parents if folder.exists())
    usable = nearest.is_dir() and (nearest == path.parent or os.access(nearest, os.W_OK | os.X_OK))
    return nearest if usable else None, path.exists()


def examine_webhook(settings: Settings) -> Finding:
    """Tell whether changes at lexoffice can reach the app, and what they still need for it."""
    if settings.webhook_public_key is not None:
        return Finding(
            "ok",
            "webhook",
            f"{settings.public_url}/webhooks/lexoffice takes what LEXGATE_WEBHOOK_PUBLIC_KEY verifies; "
            "`lexgate webhooks list` tells what lexoffice delivers",
        )
    return Finding(
        "note",
        "webhook",
        "none: the app learns of no change at lexoffice by itself",
        "name lexoffice's public key in LEXGATE_WEBHOOK_PUBLIC_KEY, then run `lexgate webhooks register`",
    )


def examine_cookies(settings: Settings) -> Finding:
    """Tell the cookies' names and rules, and where they do not hold."""
    names = f"{SESSION_COOKIE} (the session), {LOGIN_COOKIE_PREFIX}... (a sign-in under way)"
    rules = "Secure, HttpOnly, Path=/, without Domain"
    if settings.is_secure:
        return Finding("ok", "cookies", f"{names}: {rules}")
    return Finding(
        "note",
        "cookies",
        f"{names}: {rules}; on http, Chromium and Firefox take them for localhost, Safari does not",
        "use an https LEXGATE_PUBLIC_URL for anything but development",
    )


def examine_proxies(settings: Settings) -> Finding:
    """Tell whose word on the client's address is believed."""
    if settings.trusted_proxies:
        trusted = ", ".join(map(str, settings.trusted_proxies))
        return Finding("ok", "proxies", f"X-Forwarded-For is believed from {trusted}")
    if not settings.is_secure:
        return Finding("ok", "proxies", "none is trusted")
    return Finding(
        "note",
        "proxies",
        "none is trusted: in the audit log, every client has your TLS proxy's address",
        "write the proxy's address or network into LEXGATE_TRUSTED_PROXIES",
    )
