"""Who signed in: from an id_token's claims, or from lexoffice's profile."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from gateway.errors import IdentityInvalid
from gateway.oauth.claim_times import parse_time, read_authentication_age, read_session_left
from gateway.oauth.strict_json import parse_object

if TYPE_CHECKING:
    from collections.abc import Mapping

_MAX_LENGTH = 255
# No colon: it joins two ids into a subject, which must not be the join of two others.
_ID = re.compile(r"[\x21-\x39\x3b-\x7e]{1,255}")
_DISPLAY_CLAIMS = (
    "name",
    "given_name",
    "family_name",
    "preferred_username",
    "email",
    "locale",
    "organization",
    "organization_id",
)


@dataclass(frozen=True, slots=True)
class Identity:
    """The user as the authorization server knows them; `claims` are for display."""

    subject: str = field(repr=False)
    connection_id: str | None = field(repr=False)
    """lexoffice's."""
    claims: dict[str, str] = field(repr=False)
    sid: str | None = field(default=None, repr=False)
    """The authorization server's own session, where the id_token names it (Back-Channel Logout 1.0 §2.1)."""
    auth_time: float | None = None
    """When the user authenticated, on the authorization server's clock; seconds since the epoch."""
    auth_age: float | None = None
    """Seconds between that and the sign-in, by the same clock."""
    session_left: float | None = None
    """Seconds until the authorization server ends its own session, where the id_token says so."""


def build_identity(claims: Mapping[str, object]) -> Identity:
    """Take the subject, what is fit for display and how long it lasts from validated id_token claims.

    Raises IdentityInvalid for a session that the authorization server has ended already: whoever signed in
    with it would be sent to sign in again at once, and again.
    """
    session_left = read_session_left(claims)
    if session_left is not None and session_left <= 0:
        raise IdentityInvalid(log_detail="session_expiry has passed")
    return Identity(
        subject=str(claims["sub"]),
        connection_id=None,
        claims={name: text for name in _DISPLAY_CLAIMS if (text := _text(claims.get(name)))},
        sid=_text(claims.get("sid")) or None,
        auth_time=parse_time(claims.get("auth_time")),
        auth_age=read_authentication_age(claims),
        session_left=session_left,
    )


def parse_profile(body: bytes) -> Identity:
    """Read lexoffice's GET /v1/profile; raises IdentityInvalid where it does not say who is connected."""
    try:
        profile = parse_object(body)
    except ValueError:
        raise IdentityInvalid(log_detail="the profile is not a JSON object") from None
    created = profile.get("created")
    user = cast("dict[str, object]", created) if isinstance(created, dict) else {}
    organization_id = _id(profile.get("organizationId"))
    user_id = _id(user.get("userId"))
    if not organization_id or not user_id:
        raise IdentityInvalid(log_detail="the profile names no organization or no user")
    display = {
        "name": _text(user.get("userName")),
        "email": _text(user.get("userEmail")),
        "organization": _text(profile.get("companyName")),
        "organization_id": organization_id,
    }
    return Identity(
        f"{organization_id}:{user_id}",
        _id(profile.get("connectionId")),
        {name: text for name, text in display.items() if text},
    )


def _text(value: object) -> str:
    # JSON can hold half a surrogate pair, which no answer in UTF-8 can.
    return value[:_MAX_LENGTH].encode(errors="replace").decode() if isinstance(value, str) else ""


def _id(value: object) -> str | None:
    # Never cut to length: what two ids have in common is not an id.
    return value if isinstance(value, str) and _ID.fullmatch(value) else None
