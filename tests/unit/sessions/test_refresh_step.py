"""Each transition of the refresh state machine, row by row."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.errors import (
    AuthorizationServerBusy,
    AuthorizationServerError,
    AuthorizationServerTimeout,
    AuthorizationServerUnreachable,
    ClientRefused,
    GrantRefused,
    IdTokenInvalid,
    MetadataInvalid,
    TokenRequestRefused,
    TokenResponseInvalid,
)
from gateway.sessions.refresh_step import (
    Aftermath,
    Need,
    decide_after_refusal,
    decide_aftermath,
    decide_end_reason,
    decide_need,
    decide_rest,
    is_at_end,
    is_for_all,
)
from gateway.sessions.session import Tokens

NOW = 1_800_000_000.0


def _tokens(*, life: float, age: float, refresh_life: float | None = None) -> Tokens:
    return Tokens(
        access_token="access",
        refresh_token="refresh",
        refreshed_at=NOW - age,
        expires_at=NOW - age + life,
        scope=None,
        refresh_expires_at=None if refresh_life is None else NOW - age + refresh_life,
    )


def _unsent(error: AuthorizationServerError) -> AuthorizationServerError:
    error.was_not_sent = True
    return error


@pytest.mark.parametrize(
    ("life", "left", "need"),
    [
        (14399, 14399, "serve"),
        (14399, 60.5, "serve"),
        (14399, 60, "ahead"),
        (14399, 0.5, "ahead"),
        (14399, 0, "must"),
        (14399, -1, "must"),
        (240, 60.5, "serve"),
        (240, 60, "ahead"),
        (100, 26, "serve"),
        (100, 25, "ahead"),
        (4, 1.5, "serve"),
        (4, 1, "ahead"),
        (1, 0.5, "serve"),
        (1, 0.25, "ahead"),
        (0, 0, "must"),
        (-5, -5, "must"),
        (3600, 7200, "serve"),
    ],
)
def test_a_token_is_renewed_in_its_last_minute_or_quarter_and_serves_until_its_end(
    life: float, left: float, need: Need
) -> None:
    assert decide_need(_tokens(life=life, age=life - left), now=NOW) == need


@pytest.mark.parametrize(
    ("refresh_life", "left", "need"),
    [
        (1800, 60.5, "serve"),
        (1800, 60, "ahead"),
        (1800, 0, "must"),
        (100, 26, "serve"),
        (100, 25, "ahead"),
        (100, -1, "must"),
    ],
)
def test_a_refresh_token_that_ends_first_is_renewed_in_its_own_time(
    refresh_life: float, left: float, need: Need
) -> None:
    tokens = _tokens(life=3600, age=refresh_life - left, refresh_life=refresh_life)
    assert decide_need(tokens, now=NOW) == need
    assert is_at_end(tokens, now=NOW) is (left <= 0)


@pytest.mark.parametrize(("left", "need"), [(900, "serve"), (1, "serve"), (0, "must")])
def test_what_cannot_be_renewed_is_not_tried_ahead_of_its_end(left: float, need: Need) -> None:
    tokens = replace(_tokens(life=900, age=900 - left), refresh_token=None)
    assert decide_need(tokens, now=NOW) == need
    assert is_at_end(tokens, now=NOW) is (left <= 0)


@pytest.mark.parametrize(("left", "need"), [(900, "serve"), (1, "serve"), (0, "must")])
def test_nothing_is_renewed_for_a_session_that_the_authorization_server_is_about_to_end(
    left: float, need: Need
) -> None:
    tokens = replace(_tokens(life=3600, age=1000), session_expires_at=NOW + left)
    assert decide_need(tokens, now=NOW) == need
    assert is_at_end(tokens, now=NOW) is (left <= 0)


@pytest.mark.parametrize(
    ("error", "for_all"),
    [
        (AuthorizationServerBusy(), True),
        (ClientRefused("invalid_client"), True),
        (TokenRequestRefused("invalid_scope"), False),
        (AuthorizationServerUnreachable(), False),
        (AuthorizationServerTimeout(), False),
    ],
)
def test_what_would_meet_every_grant_is_heeded_by_all(
    error: AuthorizationServerError, *, for_all: bool
) -> None:
    assert is_for_all(error) is for_all


@pytest.mark.parametrize(
    ("used", "present", "age", "need"),
    [
        (1, 1, 10, "must"),
        (1, 1, 9.5, "serve"),
        (1, 1, 0, "serve"),
        (1, 1, 5000, "must"),
        (1, 2, 5000, "serve"),
        (1, 2, 0, "serve"),
        (1, 7, 5000, "serve"),
        (3, 3, 5000, "must"),
        (1, 1, -5, "serve"),
    ],
)
def test_a_refused_token_is_renewed_unless_a_newer_one_is_there_or_it_is_fresh(
    used: int, present: int, age: float, need: Need
) -> None:
    tokens = _tokens(life=3600, age=age)
    assert decide_after_refusal(tokens, used_generation=used, generation=present, now=NOW) == need


@pytest.mark.parametrize(
    ("error", "aftermath"),
    [
        (GrantRefused("invalid_grant"), "end"),
        (ClientRefused("invalid_client"), "unspent"),
        (ClientRefused("unauthorized_client"), "unspent"),
        (TokenRequestRefused("invalid_scope"), "unspent"),
        (TokenRequestRefused("malformed error code"), "unspent"),
        (AuthorizationServerBusy(retry_after=9), "unspent"),
        (_unsent(AuthorizationServerUnreachable()), "unspent"),
        (AuthorizationServerUnreachable(), "unknown"),
        (AuthorizationServerTimeout(), "unknown"),
        (TokenResponseInvalid(), "unknown"),
        (MetadataInvalid(), "unknown"),
        (IdTokenInvalid(), "unknown"),
        (AuthorizationServerError(), "unknown"),
    ],
)
def test_only_invalid_grant_ends_a_grant_and_doubt_is_kept(
    error: AuthorizationServerError, aftermath: Aftermath
) -> None:
    """RFC 6749 §5.2: only invalid_grant says that the token is dead."""
    assert decide_aftermath(error) == aftermath


def test_an_abandoned_refresh_explains_a_dead_token() -> None:
    assert decide_end_reason(was_abandoned=True) == "refresh_lost"
    assert decide_end_reason(was_abandoned=False) == "grant_ended"


def test_the_token_endpoint_is_left_in_peace_as_long_as_it_asks_or_five_seconds() -> None:
    assert decide_rest(AuthorizationServerBusy(retry_after=40)) == 40
    assert decide_rest(ClientRefused("invalid_client")) == 15
    assert decide_rest(AuthorizationServerTimeout()) == 5
    assert decide_rest(AuthorizationServerUnreachable(retry_after=0)) == 5


def test_a_server_that_is_down_is_asked_every_minute_and_one_that_limits_us_when_it_says() -> None:
    assert decide_rest(AuthorizationServerUnreachable(retry_after=60)) == 60
    assert decide_rest(AuthorizationServerUnreachable(retry_after=3600)) == 60
    assert decide_rest(AuthorizationServerBusy(retry_after=3600)) == 3600
