"""From a token response to the tokens of a grant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.sessions.session import Tokens

if TYPE_CHECKING:
    from gateway.oauth.token import TokenResponse

UNSTATED_LIFETIME = 3600
"""Seconds assumed where the answer has no `expires_in`; a 401 corrects it."""


def build_tokens(
    response: TokenResponse,
    *,
    now: float,
    previous: Tokens | None = None,
    refresh_token_lifetime: int | None = None,
) -> Tokens:
    """Turn a token response into Tokens; what it leaves out stays as it was (RFC 6749 §5.1, §6).

    `refresh_token_lifetime`, in seconds, is that of a refresh token of which the response does not say it.
    """
    refresh_expires_at = None
    if response.refresh_expires_in is not None:
        refresh_expires_at = now + response.refresh_expires_in
    elif response.refresh_token is None:
        refresh_expires_at = None if previous is None else previous.refresh_expires_at
    elif refresh_token_lifetime is not None:
        refresh_expires_at = now + refresh_token_lifetime
    lifetime = UNSTATED_LIFETIME if response.expires_in is None else response.expires_in
    return Tokens(
        access_token=response.access_token,
        refresh_token=response.refresh_token or (previous.refresh_token if previous else None),
        expires_at=now + lifetime,
        refreshed_at=now,
        scope=response.scope or (previous.scope if previous else None),
        refresh_expires_at=refresh_expires_at,
        session_expires_at=previous.session_expires_at if previous else None,
        auth_time=previous.auth_time if previous else None,
        signed_in_at=previous.signed_in_at if previous else now,
    )
