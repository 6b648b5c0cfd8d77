"""What a token response says, and what it leaves as it was."""

from __future__ import annotations

import pytest

from gateway.oauth.token import TokenResponse
from gateway.sessions.refreshed_tokens import UNSTATED_LIFETIME, build_tokens
from gateway.sessions.session import Tokens

NOW = 1_800_000_000.0
BEFORE = Tokens(
    access_token="old access",
    refresh_token="old refresh",
    expires_at=NOW - 10,
    refreshed_at=NOW - 3610,
    scope="profile.read contacts.read",
    refresh_expires_at=NOW + 86400,
    session_expires_at=NOW + 30000,
    auth_time=NOW - 4000,
)


def _response(
    *,
    refresh_token: str | None = None,
    expires_in: int | None = None,
    scope: str | None = None,
    refresh_expires_in: int | None = None,
) -> TokenResponse:
    return TokenResponse(
        access_token="new access",
        expires_in=expires_in,
        refresh_token=refresh_token,
        scope=scope,
        id_token=None,
        refresh_expires_in=refresh_expires_in,
    )


def test_a_full_answer_replaces_everything() -> None:
    response = _response(refresh_token="new refresh", expires_in=900, scope="a b", refresh_expires_in=7200)
    assert build_tokens(response, now=NOW, previous=BEFORE) == Tokens(
        access_token="new access",
        refresh_token="new refresh",
        expires_at=NOW + 900,
        refreshed_at=NOW,
        scope="a b",
        refresh_expires_at=NOW + 7200,
        session_expires_at=BEFORE.session_expires_at,
        auth_time=BEFORE.auth_time,
    )


def test_what_an_answer_leaves_out_stays_as_it_was() -> None:
    """RFC 6749 §5.1: `scope` is optional where it is unchanged; §6: a new refresh token MAY be issued."""
    tokens = build_tokens(_response(), now=NOW, previous=BEFORE)
    assert (tokens.refresh_token, tokens.scope) == ("old refresh", BEFORE.scope)
    assert tokens.refresh_expires_at == BEFORE.refresh_expires_at
    assert (tokens.access_token, tokens.refreshed_at) == ("new access", NOW)
    assert tokens.expires_at == NOW + UNSTATED_LIFETIME


def test_the_end_of_an_old_refresh_token_is_not_that_of_a_new_one() -> None:
    assert build_tokens(_response(refresh_token="new"), now=NOW, previous=BEFORE).refresh_expires_at is None
    kept = build_tokens(_response(refresh_expires_in=60), now=NOW, previous=BEFORE)
    assert (kept.refresh_token, kept.refresh_expires_at) == ("old refresh", NOW + 60)


def test_a_first_answer_may_be_all_there_is() -> None:
    tokens = build_tokens(_response(), now=NOW)
    assert (tokens.refresh_token, tokens.scope, tokens.refresh_expires_at) == (None, None, None)


@pytest.mark.parametrize("lifetime", [0, 1, 31_536_000])
def test_a_stated_lifetime_is_taken_at_its_word(lifetime: int) -> None:
    assert build_tokens(_response(expires_in=lifetime), now=NOW).expires_at == NOW + lifetime


@pytest.mark.parametrize(
    ("response", "refresh_expires_at"),
    [
        (_response(refresh_token="new"), NOW + 600),
        (_response(refresh_token="new", refresh_expires_in=60), NOW + 60),
        (_response(), BEFORE.refresh_expires_at),
        (_response(refresh_expires_in=60), NOW + 60),
    ],
)
def test_the_operators_lifetime_is_for_new_refresh_tokens_whose_own_is_not_said(
    response: TokenResponse, refresh_expires_at: float
) -> None:
    tokens = build_tokens(response, now=NOW, previous=BEFORE, refresh_token_lifetime=600)
    assert tokens.refresh_expires_at == refresh_expires_at


def test_without_a_refresh_token_there_is_no_lifetime_of_one() -> None:
    assert build_tokens(_response(), now=NOW, refresh_token_lifetime=600).refresh_expires_at is None
