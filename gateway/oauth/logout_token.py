"""Validation of logout tokens (OpenID Connect Back-Channel Logout 1.0 §2.4 and §2.6)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from gateway.errors import IdTokenInvalid, KeyUnknown, LogoutTokenInvalid
from gateway.oauth.id_token import LEEWAY_SECONDS, read_time, verify_signature

if TYPE_CHECKING:
    from collections.abc import Mapping

    from joserfc.jwk import KeySet

    from gateway.oauth.id_token import Expected

LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
MAX_AGE_SECONDS = 300.0
"""A logout token is delivered as it is made; `exp` may promise more, and replays are remembered as long."""

_EXPLICIT_TYPE = "logout+jwt"
_MAX_IDENTIFIER = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class LogoutToken:
    """Whose sessions are to end: those of `sid`, or all of `subject` where there is no `sid`."""

    issuer: str
    jti: str = field(repr=False)
    subject: str | None = field(repr=False)
    sid: str | None = field(repr=False)
    usable_until: float
    """Seconds since the epoch, after which it is refused for its age: until then its `jti` counts once."""


def validate_logout_token(logout_token: str, *, keys: KeySet, expected: Expected) -> LogoutToken:
    """Check signature and claims in the order of §2.6, and return what they say.

    Raises KeyUnknown when the key set has no such key (fetch it again), LogoutTokenInvalid otherwise.
    """
    try:
        _, claims = verify_signature(logout_token, keys, expected.algorithms, explicit_type=_EXPLICIT_TYPE)
        _validate_issuer_and_audience(claims, expected)
        usable_until = _validate_times(claims, expected.now)
    except KeyUnknown:
        raise
    except IdTokenInvalid as error:
        raise LogoutTokenInvalid(log_detail=error.log_detail) from None
    _validate_kind(claims)
    subject, sid = _identifier(claims, "sub"), _identifier(claims, "sid")
    if subject is None and sid is None:
        raise LogoutTokenInvalid(log_detail="neither sub nor sid")
    jti = _identifier(claims, "jti")
    if jti is None:
        raise LogoutTokenInvalid(log_detail="jti")
    return LogoutToken(issuer=expected.issuer, jti=jti, subject=subject, sid=sid, usable_until=usable_until)


def _validate_issuer_and_audience(claims: Mapping[str, object], expected: Expected) -> None:
    if claims.get("iss") != expected.issuer:
        raise LogoutTokenInvalid(log_detail="iss")
    audience = claims.get("aud")
    audiences = cast("list[object]", audience) if isinstance(audience, list) else [audience]
    # Another client's logout token, passed on by that client, would sign people out here.
    if expected.client_id not in audiences:
        raise LogoutTokenInvalid(log_detail="aud")


def _validate_times(claims: Mapping[str, object], now: float) -> float:
    issued_at = read_time(claims, "iat")
    if issued_at > now + LEEWAY_SECONDS:
        raise LogoutTokenInvalid(log_detail="iat lies in the future")
    usable_until = min(read_time(claims, "exp"), issued_at + MAX_AGE_SECONDS) + LEEWAY_SECONDS
    if usable_until <= now:
        raise LogoutTokenInvalid(log_detail="exp has passed, or iat is long ago")
    if "nbf" in claims and read_time(claims, "nbf") > now + LEEWAY_SECONDS:
        raise LogoutTokenInvalid(log_detail="nbf lies in the future")
    return usable_until


def _validate_kind(claims: Mapping[str, object]) -> None:
    events = claims.get("events")
    event = cast("dict[str, object]", events).get(LOGOUT_EVENT) if isinstance(events, dict) else None
    if not isinstance(event, dict):
        raise LogoutTokenInvalid(log_detail="events")
    # An id_token that somebody got hold of must not pass for a logout token (token confusion, §4.1).
    if "nonce" in claims:
        raise LogoutTokenInvalid(log_detail="nonce")


def _identifier(claims: Mapping[str, object], name: str) -> str | None:
    if name not in claims:
        return None
    value = claims[name]
    # As with the id_token's sub: controls and half surrogates break what they land in.
    if not isinstance(value, str) or not 1 <= len(value) <= _MAX_IDENTIFIER or not value.isprintable():
        raise LogoutTokenInvalid(log_detail=name)
    return value
