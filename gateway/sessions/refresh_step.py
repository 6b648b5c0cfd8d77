"""What to do about a grant's access token: the refresh state machine's decisions (PURE)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from gateway.errors import (
    AuthorizationServerBusy,
    AuthorizationServerError,
    ClientRefused,
    GrantRefused,
    TokenRequestRefused,
)
from gateway.sessions.session import fold_ends

if TYPE_CHECKING:
    from gateway.sessions.session import EndReason, Tokens

REFRESH_AHEAD_SECONDS = 60.0
"""From this long before its end an access token is refreshed ahead of need."""
_AHEAD_SHARE = 4
"""At most this part of a token's life is "ahead": short-lived tokens are not refreshed at every call."""
FRESH_SECONDS = 10.0
"""A refusal of a token younger than this has another cause than its age: refreshing again would not help."""
_REST_SECONDS = 5.0
_LONGEST_REST_SECONDS = 60.0

Need = Literal["serve", "ahead", "must"]
Aftermath = Literal["end", "unspent", "unknown"]


def decide_need(tokens: Tokens, *, now: float) -> Need:
    """Say whether the token serves, serves but is to be refreshed beside the call, or no longer serves.

    A refresh token that ends before its access token is renewed in time too.
    """
    if tokens.expires_at <= now or is_at_end(tokens, now=now):
        return "must"
    return "ahead" if tokens.refresh_token is not None and now >= find_ahead(tokens) else "serve"


def find_ahead(tokens: Tokens) -> float:
    """Return until when a token serves and nothing is to be done about it."""
    end = fold_ends(tokens.expires_at, tokens.refresh_expires_at)
    if tokens.refresh_token is not None:
        end -= min(REFRESH_AHEAD_SECONDS, (end - tokens.refreshed_at) / _AHEAD_SHARE)
    return fold_ends(end, tokens.ceiling)


def is_at_end(tokens: Tokens, *, now: float) -> bool:
    """Say whether the tokens' ceiling has come: nothing can be refreshed, or to no avail."""
    ceiling = tokens.ceiling
    return ceiling is not None and ceiling <= now


def decide_after_refusal(tokens: Tokens, *, used_generation: int, generation: int, now: float) -> Need:
    """Say what a call does whose token was refused (401): a newer one serves, a fresh one is not to blame."""
    fresh = min(FRESH_SECONDS, (tokens.expires_at - tokens.refreshed_at) / _AHEAD_SHARE)
    if generation > used_generation or now - tokens.refreshed_at < fresh:
        return "serve"
    return "must"


def decide_aftermath(error: AuthorizationServerError) -> Aftermath:
    """Say what a failed token request means for the refresh token.

    `end`: it is dead (invalid_grant alone; ClientRefused and its like are the operator's to mend).
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


def is_for_all(error: AuthorizationServerError) -> bool:
    """Say whether the failure would meet every other grant as well: it is the client's, not the token's."""
    return isinstance(error, AuthorizationServerBusy | ClientRefused)


def decide_rest(error: AuthorizationServerError) -> float:
    """Seconds for which the token endpoint is left in peace after a failure.

    A rate limit is heeded as it is told; of a server that is down, a minute later may already be too long.
    """
    rest = float(error.retry_after or _REST_SECONDS)
    return rest if isinstance(error, AuthorizationServerBusy) else min(rest, _LONGEST_REST_SECONDS)
