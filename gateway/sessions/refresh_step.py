"""What to do about a grant's access token: the refresh state machine's decisions (PURE)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from gateway.errors import (
    AuthorizationServerBusy,
    AuthorizationServerError,
    GrantRefused,
    TokenRequestRefused,
)

if TYPE_CHECKING:
    from gateway.sessions.session import EndReason, Tokens

REFRESH_AHEAD_SECONDS = 60.0
"""From this long before its end an access token is refreshed ahead of need."""
_AHEAD_SHARE = 4
"""At most this part of a token's life is "ahead": short-lived tokens are not refreshed at every call."""
FRESH_SECONDS = 10.0
"""A refusal of a token younger than this has another cause than its age: refreshing again would not help."""
_REST_SECONDS = 5.0

Need = Literal["serve", "ahead", "must"]
Aftermath = Literal["end", "unspent", "unknown"]


def decide_need(tokens: Tokens, *, now: float) -> Need:
    """Say whether the token serves, serves but is to be refreshed beside the call, or no longer serves."""
    if now >= tokens.expires_at:
        return "must"
    return "ahead" if now >= find_ahead(tokens) else "serve"


def find_ahead(tokens: Tokens) -> float:
    """Return until when a token serves and nothing is to be done about it."""
    ahead = min(REFRESH_AHEAD_SECONDS, (tokens.expires_at - tokens.refreshed_at) / _AHEAD_SHARE)
    return tokens.expires_at - ahead


def decide_after_refusal(tokens: Tokens, *, used_generation: int, generation: int, now: float) -> Need:
    """Say what a call does whose token was refused (401): a newer one serves, a fresh one is not to blame."""
    fresh = min(FRESH_SECONDS, (tokens.expires_at - tokens.refreshed_at) / _AHEAD_SHARE)
    if generation > used_generation or now - tokens.refreshed_at < fresh:
        return "serve"
    return "must"


def decide_aftermath(error: AuthorizationServerError) -> Aftermath:
    """Say what a failed token request means for the refresh token.

    `end`: it is dead (invalid_grant alone; invalid_client and its like are the operator's to mend).
    `unspent`: the server answered that it did nothing, or was not reached. `unknown`: it may be rotated.
    """
    if isinstance(error, GrantRefused):
        return "end"
    if isinstance(error, TokenRequestRefused | AuthorizationServerBusy):
        return "unspent"
    return "unspent" if error.was_not_sent else "unknown"


def decide_end_reason(*, was_abandoned: bool) -> EndReason:
    """Name the end of a grant: an abandoned refresh before it explains why its token is dead."""
    return "refresh_lost" if was_abandoned else "grant_ended"


def decide_rest(error: AuthorizationServerError) -> float:
    """Seconds for which the token endpoint is left in peace after a failure."""
    return float(error.retry_after or _REST_SECONDS)
