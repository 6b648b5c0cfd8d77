"""Who signed in: from an id_token's claims, or from lexoffice's profile."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gateway.errors import IdentityInvalid
from gateway.oauth.strict_json import parse_object

if TYPE_CHECKING:
    from collections.abc import Mapping

_MAX_LENGTH = 255
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
    """The user as the authorization server knows them; `claims` are for display, `connection_id` lexoffice's."""

    subject: str = field(repr=False)
    connection_id: str | None = field(repr=False)
    claims: dict[str, str] = field(repr=False)


def build_identity(claims: Mapping[str, object]) -> Identity:
    """Take the subject and what is fit for display from validated id_token claims."""
    display = {name: text for name in _DISPLAY_CLAIMS if (text := _text(claims.get(name)))}
    return Identity(str(claims["sub"]), None, display)


def parse_profile(body: bytes) -> Identity:
    """Read lexoffice's GET /v1/profile; raises IdentityInvalid where it does not say who is connected."""
    try:
        profile = parse_object(body)
    except ValueError:
        raise IdentityInvalid(log_detail="the profile is not a JSON object") from None
    created = profile.get("created")
    user: Mapping[str, object] = created if isinstance(created, dict) else {}
    organization_id = _text(profile.get("organizationId"))
    user_id = _text(user.get("userId"))
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
        _text(profile.get("connectionId")) or None,
        {name: text for name, text in display.items() if text},
    )


def _text(value: object) -> str:
    return value[:_MAX_LENGTH] if isinstance(value, str) else ""
