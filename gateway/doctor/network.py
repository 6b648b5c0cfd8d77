"""What has to be asked: the authorization server and the API."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx

from gateway.doctor.finding import Finding
from gateway.errors import (
    AuthorizationServerError,
    ClientRefused,
    GrantRefused,
    MetadataInvalid,
    TokenRequestRefused,
)
from gateway.oauth.metadata import build_metadata_url
from gateway.oauth.strict_json import parse_object
from gateway.parts import build_authorization_server

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from gateway.authorization_server import AuthorizationServer
    from gateway.oauth.metadata import ServerMetadata
    from gateway.settings import Settings

_SKEW_SECONDS = 30.0
_SECONDS = 5.0
_SERVER_ERROR = 500
_NETWORK_REMEDY = "check the address, name resolution, certificates and the way out of the container"


async def examine_authorization_server(settings: Settings) -> AsyncGenerator[Finding]:
    """See whether it answers, what it says of itself, its clock, and whether it knows the client."""
    server = build_authorization_server(settings)
    try:
        metadata = await server.metadata()
    except AuthorizationServerError as error:
        yield await _explain_metadata(settings.issuer or "", error)
    else:
        if settings.issuer is not None:
            yield Finding("ok", "authorization server", f"the metadata of {settings.issuer} are valid")
        clock = await _examine_clock(metadata.token_endpoint)
        yield clock
        if clock.subject == "clock":
            yield await _examine_client(server)
        for note in _note_endpoints(settings, metadata):
            yield note
    finally:
        await server.close()


async def _explain_metadata(issuer: str, error: AuthorizationServerError) -> Finding:
    url = build_metadata_url(issuer)
    remedy = _NETWORK_REMEDY
    text = f"{url}: {_because(error)}"
    if isinstance(error, MetadataInvalid):
        remedy = "check LEXGATE_ISSUER; if it is right, ask the authorization server's operator"
        named = await _fetch_issuer(url)
        if named is not None and named != issuer:
            text = f"{url} is the metadata of another issuer, {named!r:.200}"
            remedy = "if that is the right one, write LEXGATE_ISSUER exactly like that"
    elif "answered" in str(error):
        remedy = "check LEXGATE_ISSUER: its metadata must be at that address"
    return Finding("failed", "authorization server", text, remedy)


async def _fetch_issuer(url: str) -> str | None:
    try:
        async with httpx.AsyncClient(timeout=_SECONDS, trust_env=False) as client:
            named = parse_object((await client.get(url)).content).get("issuer")
    except (httpx.HTTPError, ValueError):
        return None
    return named if isinstance(named, str) else None


async def _examine_clock(token_endpoint: str) -> Finding:
    """Compare clocks by the Date field of any answer (RFC 9110 §6.6.1)."""
    parts = urlsplit(token_endpoint)
    origin = f"{parts.scheme}://{parts.netloc}"
    try:
        async with httpx.AsyncClient(timeout=_SECONDS, trust_env=False) as client:
            response = await client.head(f"{origin}/")
    except httpx.HTTPError as error:
        text = f"{origin} cannot be reached ({_because(error)})"
        return Finding("failed", "authorization server", text, _NETWORK_REMEDY)
    try:
        skew = time.time() - parsedate_to_datetime(response.headers["date"]).timestamp()
    except (KeyError, ValueError):
        return Finding("note", "clock", f"{origin} tells no time to compare with")
    if abs(skew) > _SKEW_SECONDS:
        direction = "ahead of" if skew > 0 else "behind"
        return Finding(
            "failed",
            "clock",
            f"{abs(skew):.0f} s {direction} {origin}",
            "synchronize this machine's clock (NTP): id_tokens and lifetimes are judged by it",
        )
    return Finding("ok", "clock", f"within {_SKEW_SECONDS:.0f} s of {origin}")


async def _examine_client(server: AuthorizationServer) -> Finding:
    """Refresh with a token that never was: a client that is known hears invalid_grant (RFC 6749 §5.2)."""
    subject = "client credentials"
    try:
        await server.refresh("asked-by-lexgate-doctor")
    except GrantRefused:
        return Finding("ok", subject, "accepted by the token endpoint")
    except ClientRefused as error:
        text = f"refused by the token endpoint ({error.error})"
        if error.error == "unauthorized_client":
            remedy = "see at the authorization server whether the client is active and may use refresh tokens"
            return Finding("note", subject, text, remedy)
        remedy = "check LEXGATE_CLIENT_ID and LEXGATE_CLIENT_SECRET; if they are right, LEXGATE_CLIENT_AUTH"
        return Finding("failed", subject, text, remedy)
    except TokenRequestRefused as error:
        return Finding("note", subject, f"not proven: the token endpoint answers {error.error}")
    except AuthorizationServerError as error:
        return Finding("note", subject, f"not proven: {_because(error)}")
    return Finding("note", subject, "not proven: the token endpoint took a refresh token that never was")


def _note_endpoints(settings: Settings, metadata: ServerMetadata) -> list[Finding]:
    notes: list[Finding] = []
    if metadata.revocation_endpoint is None:
        text = "the authorization server offers none: tokens live on after sign-out until they expire"
        notes.append(Finding("note", "revocation", text))
    if metadata.end_session_endpoint is not None:
        remedy = "register it at the authorization server, for the way back after sign-out"
        uri = settings.post_logout_redirect_uri
        notes.append(Finding("note", "post-logout redirect URI", uri, remedy))
    return notes


async def examine_api(settings: Settings) -> Finding:
    """See whether it answers; without a token, most answers are as good as any other."""
    try:
        async with httpx.AsyncClient(timeout=_SECONDS, trust_env=False) as client:
            response = await client.get(settings.api_url)
    except httpx.HTTPError as error:
        text = f"{settings.api_url} cannot be reached ({_because(error)})"
        return Finding("failed", "API", text, f"check LEXGATE_API_URL; {_NETWORK_REMEDY}")
    if response.status_code >= _SERVER_ERROR:
        text = f"{settings.api_url} answers {response.status_code}"
        return Finding("failed", "API", text, "check LEXGATE_API_URL, then ask the API's operator")
    return Finding("ok", "API", f"{settings.api_url} answers ({response.status_code})")


def _because(error: Exception) -> str:
    cause = error.__cause__ if isinstance(error, AuthorizationServerError) and error.__cause__ else error
    return str(cause) or str(error) or type(cause).__name__
