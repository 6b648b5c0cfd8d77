"""What the times in an id_token's claims mean for the session that it begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_LAST_SECOND = 253_402_300_799
"""Of the year 9999: numbers beyond are no times, and some are no floats."""


def parse_time(value: object) -> float | None:
    """Return a claim's value in seconds since the epoch, or None if it is no time."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LAST_SECOND:
        return None
    return float(value)


def read_session_left(claims: Mapping[str, object]) -> float | None:
    """Return the seconds until `session_expiry`, from `iat` on: both are on the authorization server's clock.

    By that claim of the IPSIE profile of OpenID Connect a server says when sessions must end that came of the
    id_token.
    """
    session_expiry, issued_at = parse_time(claims.get("session_expiry")), parse_time(claims.get("iat"))
    return None if session_expiry is None or issued_at is None else session_expiry - issued_at


def read_authentication_age(claims: Mapping[str, object]) -> float | None:
    """Return the seconds between the user's authentication and `iat`."""
    auth_time, issued_at = parse_time(claims.get("auth_time")), parse_time(claims.get("iat"))
    return None if auth_time is None or issued_at is None else issued_at - auth_time
