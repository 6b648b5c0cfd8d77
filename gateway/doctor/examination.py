"""The whole examination, in the order in which one thing rests on another."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from gateway.doctor.finding import Finding
from gateway.doctor.machine import (
    examine_cookies,
    examine_proxies,
    examine_secrets,
    examine_store,
    examine_webhook,
)
from gateway.doctor.network import examine_api, examine_authorization_server
from gateway.errors import ConfigurationError
from gateway.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping
    from pathlib import Path


async def examine(environ: Mapping[str, str], directory: Path) -> AsyncGenerator[Finding]:
    """Look at everything, one finding after the other; invalid settings are the last thing to be seen."""
    try:
        settings = load_settings(environ, directory)
    except ConfigurationError as error:
        for problem in error.problems:
            yield Finding("failed", "settings", problem)
        return
    yield Finding("ok", "settings", f"valid; provider {settings.provider}, public URL {settings.public_url}")
    yield examine_secrets(settings)
    yield await examine_store(settings)
    async with aclosing(examine_authorization_server(settings)) as findings:
        async for finding in findings:
            yield finding
    yield Finding(
        "note",
        "redirect URI",
        settings.redirect_uri,
        "register it for the client at the authorization server, character by character",
    )
    async with aclosing(examine_api(settings)) as findings:
        async for finding in findings:
            yield finding
    if settings.provider != "openid" or settings.webhook_public_key is not None:
        yield examine_webhook(settings)
    yield examine_cookies(settings)
    yield examine_proxies(settings)
    yield Finding("ok", "SPA", f"served from {settings.spa}" if settings.spa else "the shipped one")
