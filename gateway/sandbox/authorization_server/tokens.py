"""What the token endpoint gives out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from gateway.sandbox.authorization_server.grants import new_opaque
from gateway.sandbox.authorization_server.keys import half_hash

if TYPE_CHECKING:
    from gateway.sandbox.accounts import User
    from gateway.sandbox.authorization_server.grants import Connection
    from gateway.sandbox.authorization_server.keys import Keys
    from gateway.sandbox.options import SandboxOptions

ID_TOKEN_LIFETIME = 600
"""Seconds."""


def issuer_of(options: SandboxOptions) -> str:
    """Return the openid picture's issuer."""
    return f"{options.base_url}/openid"


def mint_access_token(connection: Connection, now: float, keys: Keys, options: SandboxOptions) -> str:
    """Opaque, of 1,000 characters, in the lexware picture; an RS256 JWT in the openid picture."""
    if connection.client.picture == "lexware":
        return new_opaque(1000)
    claims = {
        "iss": issuer_of(options),
        "aud": options.base_url,
        "sub": connection.user.id,
        "client_id": connection.client.id,
        "scope": " ".join(connection.scope),
        "sid": connection.sid,
        "jti": str(uuid4()),
        "iat": int(now),
        "exp": int(now) + options.lifetime_of(connection.client.picture),
    }
    return keys.sign(claims, typ="at+jwt")


def token_response(connection: Connection, id_token: str | None) -> dict[str, Any]:
    """Return the JSON of a token answer (RFC 6749 §5.1)."""
    answer: dict[str, Any] = {
        "access_token": connection.access_token,
        "token_type": "Bearer",
        "expires_in": connection.expires_in,
        "refresh_token": connection.refresh_token,
        "scope": " ".join(connection.scope),
    }
    if id_token is not None:
        answer["id_token"] = id_token
    return answer


def id_token_claims(
    connection: Connection, options: SandboxOptions, *, now: float, skew: float, refreshed: bool
) -> dict[str, Any]:
    """Return the claims of an id_token; a refreshed one has no nonce (OpenID Connect Core §12.2)."""
    claims: dict[str, Any] = {
        "iss": issuer_of(options),
        "aud": connection.client.id,
        "azp": connection.client.id,
        "sub": connection.user.id,
        "sid": connection.sid,
        "iat": int(now + skew),
        "exp": int(now + skew) + ID_TOKEN_LIFETIME,
        "auth_time": int(connection.auth_time + skew),
        "at_hash": half_hash(connection.access_token),
        **user_claims(connection.user, connection.scope),
    }
    if connection.nonce is not None and not refreshed:
        claims["nonce"] = connection.nonce
    return claims


def user_claims(user: User, scope: tuple[str, ...]) -> dict[str, Any]:
    """Return what the scopes `profile` and `email` tell of a person."""
    claims: dict[str, Any] = {}
    if "profile" in scope:
        claims |= {
            "name": user.name,
            "given_name": user.given_name,
            "family_name": user.family_name,
            "locale": "de-DE",
            "organization": user.organization.name,
            "organization_id": user.organization.id,
        }
    if {"profile", "email"} & set(scope):
        claims |= {"email": user.email, "email_verified": True}
    return claims
