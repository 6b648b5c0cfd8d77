"""Authorization server metadata (RFC 8414, OpenID Connect Discovery), and lexoffice's fixed ones."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from gateway.errors import MetadataInvalid
from gateway.oauth.strict_json import parse_object

if TYPE_CHECKING:
    from collections.abc import Mapping

ASYMMETRIC_ALGORITHMS = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
    "Ed25519",
)
"""Signatures that an authorization server's published keys can verify (RFC 7518 §3.1, RFC 8037, RFC 9864)."""

_LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
# RFC 3986 §2: what a URL is made of, less "#" (RFC 6749 §3.1: no fragment). A backslash would be a slash to
# browsers, and so move the end of the host.
_URL = re.compile(r"[A-Za-z0-9._~:/?\[\]@!$&'()*+,;=%-]{1,2048}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerMetadata:
    """What the gateway needs to know of an authorization server; None for what it does not offer or say."""

    issuer: str | None
    authorization_endpoint: str
    token_endpoint: str
    revocation_endpoint: str | None = None
    end_session_endpoint: str | None = None
    jwks_uri: str | None = None
    token_endpoint_auth_methods: tuple[str, ...] | None = None
    id_token_algorithms: tuple[str, ...] = ("RS256",)
    iss_parameter_supported: bool = False


def build_metadata_url(issuer: str) -> str:
    """Return where the issuer's metadata are (OpenID Connect Discovery §4.1)."""
    return f"{issuer.rstrip('/')}/.well-known/openid-configuration"


def build_lexware_metadata(origin: str) -> ServerMetadata:
    """Return the documented endpoints of lexoffice's partner interface below an origin."""
    return ServerMetadata(
        issuer=None,
        authorization_endpoint=f"{origin}/oauth2/authorize",
        token_endpoint=f"{origin}/oauth2/token",
        revocation_endpoint=f"{origin}/oauth2/revoke",
        token_endpoint_auth_methods=("client_secret_basic",),
    )


def parse_metadata(body: bytes, issuer: str) -> ServerMetadata:
    """Read and check an issuer's metadata; raises MetadataInvalid with what is wrong for the log."""
    try:
        document = parse_object(body)
    except ValueError as exc:
        raise MetadataInvalid(log_detail=f"not a JSON object: {exc}") from None
    # RFC 8414 §3.3: another issuer's metadata under this address is an impersonation.
    if document.get("issuer") != issuer:
        raise MetadataInvalid(log_detail="issuer is not the one that was asked")
    _validate_pkce(document)
    algorithms = _strings(document, "id_token_signing_alg_values_supported") or ("RS256",)
    return ServerMetadata(
        issuer=issuer,
        authorization_endpoint=_required_url(document, "authorization_endpoint"),
        token_endpoint=_required_url(document, "token_endpoint"),
        revocation_endpoint=_url(document, "revocation_endpoint"),
        end_session_endpoint=_url(document, "end_session_endpoint"),
        jwks_uri=_url(document, "jwks_uri"),
        token_endpoint_auth_methods=_strings(document, "token_endpoint_auth_methods_supported"),
        id_token_algorithms=tuple(name for name in algorithms if name in ASYMMETRIC_ALGORITHMS),
        iss_parameter_supported=document.get("authorization_response_iss_parameter_supported") is True,
    )


def _validate_pkce(document: Mapping[str, object]) -> None:
    methods = _strings(document, "code_challenge_methods_supported")
    # RFC 9700 §2.1.1: no PKCE, no code flow. Many support S256 without saying so; none may exclude it.
    if methods is not None and "S256" not in methods:
        raise MetadataInvalid(log_detail="the server does not support PKCE with S256")


def _required_url(document: Mapping[str, object], name: str) -> str:
    url = _url(document, name)
    if url is None:
        raise MetadataInvalid(log_detail=f"{name} is missing")
    return url


def _url(document: Mapping[str, object], name: str) -> str | None:
    value = document.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not _is_allowed_url(value):
        raise MetadataInvalid(log_detail=f"{name} is not an https URL")
    return value


def _is_allowed_url(value: str) -> bool:
    if not _URL.fullmatch(value):
        return False
    try:
        parts = urlsplit(value)
        host = parts.hostname
        _ = parts.port  # ValueError where it is none
    except ValueError:
        return False
    if not host or "%" in host or parts.username is not None:
        return False
    # RFC 6749 §3.1, §3.2: TLS, but for a server on this very machine.
    return parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK_HOSTS)


def _strings(document: Mapping[str, object], name: str) -> tuple[str, ...] | None:
    value = document.get(name)
    if value is None:
        return None
    items = cast("list[object]", value) if isinstance(value, list) else [None]
    texts = tuple(item for item in items if isinstance(item, str))
    if len(texts) != len(items):
        raise MetadataInvalid(log_detail=f"{name} is not a list of strings")
    return texts
