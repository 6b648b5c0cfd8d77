"""What a new session keeps and shares, and when the authorization server wants it to end."""

from __future__ import annotations

from typing import Literal

import pytest

from gateway.oauth.identity import Identity
from gateway.oauth.token import TokenResponse
from gateway.sessions.session import ONLY_CONNECTION
from gateway.web.session_policy import SessionPolicy, build_ceilings

NOW = 1_800_000_000.0


def who(
    *, connection_id: str | None = None, auth_age: float | None = None, session_left: float | None = None
) -> Identity:
    return Identity(
        "Ada", connection_id, {}, auth_time=NOW - 60, auth_age=auth_age, session_left=session_left
    )


@pytest.mark.parametrize(
    ("grants", "named", "connection_id"),
    [
        ("session", None, None),
        ("session", "a", "a"),
        ("connection", None, ONLY_CONNECTION),
        ("connection", "a", "a"),
    ],
)
def test_a_connection_that_has_a_name_is_always_shared_and_one_without_where_the_operator_says_so(
    grants: Literal["session", "connection"], named: str | None, connection_id: str | None
) -> None:
    assert SessionPolicy(grants=grants).connection_of(who(connection_id=named)) == connection_id


@pytest.mark.parametrize(
    ("detail", "address", "kept"),
    [
        ("full", "192.0.2.77", "192.0.2.77"),
        ("full", "2001:db8:1:2::7", "2001:db8:1:2::7"),
        ("coarse", "192.0.2.77", "192.0.2.0/24"),
        ("coarse", "2001:db8:1:2::7", "2001:db8:1::/48"),
        ("coarse", "a socket", None),
        ("coarse", None, None),
        ("none", "192.0.2.77", None),
        ("full", None, None),
    ],
)
def test_a_session_keeps_as_much_of_the_address_as_the_operator_allows(
    detail: Literal["full", "coarse", "none"], address: str | None, kept: str | None
) -> None:
    assert SessionPolicy(address=detail).address_of(address) == kept


def test_the_sign_in_tells_when_the_refresh_token_ends_and_when_the_person_authenticated() -> None:
    response = TokenResponse(access_token="a", expires_in=60, refresh_token="r", scope=None, id_token="i.d.t")
    tokens = SessionPolicy(refresh_token_lifetime=600).tokens_of(response, who(), now=NOW)
    assert (tokens.refresh_expires_at, tokens.auth_time) == (NOW + 600, NOW - 60)


@pytest.mark.parametrize(
    ("max_age", "auth_age", "session_left", "ends"),
    [
        (None, 60, None, []),
        (None, 60, 3600, [3600]),
        (600, 60, None, [540]),
        (600, 60, 3600, [3600, 540]),
        (600, 0, None, [600]),
        (600, 630, None, [0]),
        (600, -5, None, [605]),
        (0, 0, None, []),
        (600, None, None, []),
    ],
)
def test_the_authorization_servers_ends_are_counted_from_the_sign_in(
    max_age: int | None, auth_age: float | None, session_left: float | None, ends: list[float]
) -> None:
    # OpenID Connect Core §3.1.2.1
    ceilings = build_ceilings(who(auth_age=auth_age, session_left=session_left), max_age=max_age, now=NOW)
    assert [end - NOW for end in ceilings if end is not None] == ends
