"""`lexgate doctor`: looks at the settings and everything they point at, and names the cause and the remedy."""

from __future__ import annotations

import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

import httpx

from gateway.app import build_authorization_server, build_store
from gateway.errors import AuthorizationServerError, ConfigurationError, StoreError
from gateway.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from gateway.settings import Settings

State = Literal["ok", "note", "failed"]

_SKEW_SECONDS = 30.0
_DISTINCT_CHARACTERS = 16
_SECONDS = 5.0
_SERVER_ERROR = 500


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what was looked at, how it is, and what to do if it is not well."""

    state: State
    subject: str
    text: str
    remedy: str = ""

    def render(self) -> str:
        """Return the line."""
        sign = {"ok": "ok    ", "note": "note  ", "failed": "FAILED"}[self.state]
        remedy = f" -> {self.remedy}" if self.remedy else ""
        return f"{sign}  {self.subject}: {self.text}{remedy}"


async def examine(environ: Mapping[str, str], directory: Path) -> list[Finding]:
    """Look at everything; settings that cannot be read end the examination after their own findings."""
    try:
        settings = load_settings(environ, directory)
    except ConfigurationError as error:
        return [Finding("failed", "settings", problem) for problem in error.problems]
    findings = [
        Finding("ok", "settings", f"all valid, provider {settings.provider}"),
        *_examine_secrets(settings),
        await _examine_store(settings),
        *[finding async for finding in _examine_authorization_server(settings)],
        Finding(
            "note",
            "redirect URI",
            settings.redirect_uri,
            "must be registered for the client at the authorization server, character by character",
        ),
        await _examine_api(settings),
        _examine_cookies(settings),
    ]
    if settings.spa is not None:
        findings.append(Finding("ok", "SPA", f"served from {settings.spa}"))
    return findings


def _examine_secrets(settings: Settings) -> list[Finding]:
    findings: list[Finding] = []
    for number, secret in enumerate(settings.secrets, 1):
        if len(set(secret.get_secret_value())) < _DISTINCT_CHARACTERS:
            findings.append(
                Finding(
                    "failed",
                    "secrets",
                    f"number {number} of LEXGATE_SECRETS is long enough but easily guessed",
                    "replace it by what `lexgate keygen` prints",
                )
            )
    rotation = "; more than one, as in a rotation" if len(settings.secrets) > 1 else ""
    return findings or [Finding("ok", "secrets", f"{len(settings.secrets)} in use{rotation}")]


async def _examine_store(settings: Settings) -> Finding:
    if settings.store_path is None:
        return Finding(
            "note",
            "store",
            "in memory: a restart signs everybody out",
            "set LEXGATE_STORE=sqlite:///absolute/path to keep sessions",
        )
    store = build_store(settings)
    try:
        await store.open()
        await store.ping()
    except StoreError as error:
        remedy = "let the user that runs lexgate write to the file's folder, or set LEXGATE_STORE to another"
        return Finding("failed", "store", f"{settings.store} cannot be used ({error})", remedy)
    finally:
        await store.close()
    return Finding("ok", "store", f"{settings.store} can be written")


async def _examine_authorization_server(settings: Settings) -> AsyncIterator[Finding]:
    server = build_authorization_server(settings)
    try:
        metadata = await server.metadata()
    except AuthorizationServerError as error:
        yield Finding(
            "failed",
            "authorization server",
            f"{settings.issuer}: {error}",
            "check LEXGATE_ISSUER, name resolution and the way out of the container",
        )
        return
    finally:
        await server.close()
    if settings.issuer is not None:
        yield Finding("ok", "authorization server", f"metadata of {settings.issuer} are valid")
    yield await _examine_clock(metadata.token_endpoint)
    if metadata.revocation_endpoint is None:
        yield Finding(
            "note", "revocation", "the authorization server offers none: tokens live on after sign-out"
        )


async def _examine_clock(token_endpoint: str) -> Finding:
    """Compare clocks by the Date field of any answer (RFC 9110 §6.6.1)."""
    parts = urlsplit(token_endpoint)
    origin = f"{parts.scheme}://{parts.netloc}"
    try:
        async with httpx.AsyncClient(timeout=_SECONDS, trust_env=False) as client:
            response = await client.head(f"{origin}/")
    except httpx.HTTPError as error:
        return Finding(
            "failed",
            "authorization server",
            f"{origin} cannot be reached ({type(error).__name__})",
            "check the address, name resolution and the way out of the container",
        )
    try:
        skew = time.time() - parsedate_to_datetime(response.headers["date"]).timestamp()
    except (KeyError, ValueError):
        return Finding("note", "clock", f"{origin} tells no time to compare with")
    if abs(skew) > _SKEW_SECONDS:
        return Finding(
            "failed",
            "clock",
            f"{abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} {origin}",
            "synchronize this machine's clock (NTP): id_tokens are checked against it",
        )
    return Finding("ok", "clock", f"within {_SKEW_SECONDS:.0f} s of {origin}")


async def _examine_api(settings: Settings) -> Finding:
    try:
        async with httpx.AsyncClient(timeout=_SECONDS, trust_env=False) as client:
            response = await client.get(settings.api_url)
    except httpx.HTTPError as error:
        return Finding(
            "failed",
            "API",
            f"{settings.api_url} cannot be reached ({type(error).__name__})",
            "check LEXGATE_API_URL, name resolution and the way out of the container",
        )
    if response.status_code >= _SERVER_ERROR:
        return Finding(
            "failed", "API", f"{settings.api_url} answers {response.status_code}", "ask its operator"
        )
    return Finding("ok", "API", f"{settings.api_url} answers")


def _examine_cookies(settings: Settings) -> Finding:
    if settings.is_secure:
        return Finding("ok", "cookies", f"__Host-Http- cookies for {settings.public_url}")
    return Finding(
        "note",
        "cookies",
        f"{settings.public_url} is for development: Chromium and Firefox take Secure cookies there, Safari does not",
        "use https for anything else",
    )
